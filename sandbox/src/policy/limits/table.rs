//! What comes of a row of the table of limits: a field of [`Limits`](super::Limits) with its default and its docs, its key in
//! node.toml, the variant of [`Limit`](super::Limit) that says that it was reached, and a row of docs/limits.md.

use std::time::Duration;

use super::WhenFull;

/// A limit as node.toml and docs/limits.md have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitRow {
    /// The key in `[actors.limits]` and `[defaults.limits]`.
    pub key: &'static str,
    /// What it bounds, in sentences.
    pub what: &'static str,
    /// What happens beyond it, to follow "Beyond it". Empty for what is no bound.
    pub beyond: &'static str,
    /// For a limit of a family that the file doesn't give: how many times which limit of one actor it is.
    pub times: Option<(u32, &'static str)>,
}

/// The value of a limit, to be read or set.
#[derive(Debug)]
pub enum LimitSlot<'l> {
    /// In bytes.
    Size(&'l mut usize),
    /// A number of things.
    Count(&'l mut usize),
    /// A number in each second.
    Rate(&'l mut u32),
    /// A time, which can't be zero.
    Time(&'l mut Duration),
    /// How long a wait lasts at most, which may be zero.
    Wait(&'l mut Duration),
    /// What happens when another limit is reached.
    WhenFull(&'l mut WhenFull),
    /// In bytes, of a family; none for a multiple of what one actor has.
    SizeOfFamily(&'l mut Option<usize>),
    /// A number of things, of a family.
    CountOfFamily(&'l mut Option<usize>),
    /// A number in each second, of a family.
    RateOfFamily(&'l mut Option<u32>),
}

/// What a family may have: what the file gives it or a multiple of what one of it may have, but never less than that one.
pub(super) fn of_family(given: Option<usize>, of_one: usize, times: usize) -> usize {
    given.map_or_else(|| of_one.saturating_mul(times), |given| given.max(of_one))
}

/// The type of a limit of one kind.
macro_rules! limit_type {
    (Size) => {
        usize
    };
    (Count) => {
        usize
    };
    (Rate) => {
        u32
    };
    (Time) => {
        Duration
    };
    (Wait) => {
        Duration
    };
    (WhenFull) => {
        WhenFull
    };
}

/// The slot of a limit of a family.
macro_rules! family_slot {
    (Size, $value:expr) => {
        LimitSlot::SizeOfFamily($value)
    };
    (Count, $value:expr) => {
        LimitSlot::CountOfFamily($value)
    };
    (Rate, $value:expr) => {
        LimitSlot::RateOfFamily($value)
    };
}

/// See the module.
macro_rules! limits {
    (
        of_one {$(
            $(#[doc = $what:literal])+
            $key:ident: $kind:ident = $default:expr
                $(, beyond $beyond:literal)?
                $(, reached $reached:ident $words:literal)?;
        )*}
        log_rate_of_family {
            $(#[doc = $rate_what:literal])+
            $rate_key:ident: $rate_kind:ident = $rate_times:literal * $rate_of:ident,
                beyond $rate_beyond:literal,
                reached $rate_reached:ident $rate_words:literal;
        }
        of_family {$(
            $(#[doc = $family_what:literal])+
            $family_key:ident: $family_kind:ident = $times:literal * $of:ident,
                beyond $family_beyond:literal,
                shared $shared:ident $family_words:literal;
        )*}
        of_engine {$(
            $(#[doc = $engine_what:literal])+
            $engine_key:ident: $engine_type:ty, reached $engine_reached:ident $engine_words:literal;
        )*}
    ) => {
        /// The limits of one guest, by the keys that they have in node.toml. Sizes are in bytes. A *family* is one actor that no guest
        /// spawned, and all its descendants.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(
                $(#[doc = $what])+
                $(#[doc = concat!(" Beyond it ", $beyond, ".")])?
                pub $key: table::limit_type!($kind),
            )*
            $(#[doc = $rate_what])+
            #[doc = concat!(" Beyond it ", $rate_beyond, ". None for ", $rate_times, " times `", stringify!($rate_of), "`.")]
            pub $rate_key: Option<table::limit_type!($rate_kind)>,
            $(
                $(#[doc = $family_what])+
                #[doc = concat!(" Beyond it ", $family_beyond, ". None for ", $times, " times `", stringify!($of), "`.")]
                pub $family_key: Option<table::limit_type!($family_kind)>,
            )*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self {
                    $($key: $default,)*
                    $rate_key: None,
                    $($family_key: None,)*
                }
            }
        }

        impl Limits {
            /// The keys of all limits in node.toml.
            pub const KEYS: &'static [&'static str] = &[
                $(stringify!($key),)*
                stringify!($rate_key),
                $(stringify!($family_key),)*
            ];

            /// All limits, each with its value, in the order of [`KEYS`](Self::KEYS).
            pub fn rows_mut(&mut self) -> impl Iterator<Item = (LimitRow, LimitSlot<'_>)> {
                [
                    $((
                        LimitRow {
                            key: stringify!($key),
                            what: concat!($($what),+).trim_ascii(),
                            beyond: concat!($($beyond)?),
                            times: None,
                        },
                        LimitSlot::$kind(&mut self.$key),
                    ),)*
                    (
                        LimitRow {
                            key: stringify!($rate_key),
                            what: concat!($($rate_what),+).trim_ascii(),
                            beyond: $rate_beyond,
                            times: Some(($rate_times, stringify!($rate_of))),
                        },
                        table::family_slot!($rate_kind, &mut self.$rate_key),
                    ),
                    $((
                        LimitRow {
                            key: stringify!($family_key),
                            what: concat!($($family_what),+).trim_ascii(),
                            beyond: $family_beyond,
                            times: Some(($times, stringify!($of))),
                        },
                        table::family_slot!($family_kind, &mut self.$family_key),
                    ),)*
                ]
                .into_iter()
            }

            /// What a family may have whose first member has these limits. It is at least what that one may have alone.
            pub fn of_family(&self, of: Common) -> usize {
                match of {
                    $(Common::$shared => table::of_family(self.$family_key, self.$of, $times),)*
                }
            }

            /// Log events that such a family may cause in one second.
            pub(crate) fn log_rate_of_family(&self) -> u32 {
                let times = || self.$rate_of.saturating_mul($rate_times);
                self.$rate_key.map_or_else(times, |given| given.max(self.$rate_of))
            }
        }

        /// What the members of a family share: see the fields of [`Limits`] that begin with `family_`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Common {
            $(
                #[doc = concat!("[`Limits::", stringify!($family_key), "`].")]
                $shared,
            )*
        }

        impl Common {
            /// All of them.
            pub(crate) const ALL: [Self; [$(stringify!($shared)),*].len()] = [$(Self::$shared),*];

            /// Its name in node.toml.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$shared => stringify!($family_key),)*
                }
            }

            const fn unit(self) -> &'static str {
                match self {
                    $(Self::$shared => $family_words,)*
                }
            }
        }

        /// A limit that was reached, with its value. Displayed as "its limit of …" with the name that it has in node.toml.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit {
            $($(
                #[doc = concat!("See [`Limits::", stringify!($key), "`].")]
                $reached(table::limit_type!($kind)),
            )?)*
            $(
                $(#[doc = $engine_what])+
                $engine_reached($engine_type),
            )*
            #[doc = concat!("See [`Limits::", stringify!($rate_key), "`].")]
            $rate_reached(table::limit_type!($rate_kind)),
            /// What its family may have together: see [`Common`].
            OfFamily(Common, usize),
        }

        impl Limit {
            /// The name that it has in node.toml, and in metrics.
            pub const fn name(&self) -> &'static str {
                match self {
                    $($(Self::$reached(_) => stringify!($key),)?)*
                    $(Self::$engine_reached(_) => stringify!($engine_key),)*
                    Self::$rate_reached(_) => stringify!($rate_key),
                    Self::OfFamily(of, _) => of.key(),
                }
            }
        }

        impl Limit {
            /// The table of node.toml that has its key.
            pub const fn table(&self) -> &'static str {
                match self {
                    $(Self::$engine_reached(_) => "[runtime]",)*
                    _ => "[actors.limits]",
                }
            }
        }

        impl std::fmt::Display for Limit {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let key = self.name();
                // A number looks the same as `Debug`; a time has no other look.
                match self {
                    $($(Self::$reached(limit) => write!(f, "its limit of {limit:?} {} ({key})", $words),)?)*
                    $(Self::$engine_reached(limit) => write!(f, "its limit of {limit:?} {} ({key})", $engine_words),)*
                    Self::$rate_reached(limit) => write!(f, "its family's limit of {limit:?} {} ({key})", $rate_words),
                    Self::OfFamily(of, limit) => write!(f, "its family's limit of {limit} {} ({key})", of.unit()),
                }
            }
        }

        impl std::error::Error for Limit {}
    };
}

pub(super) use {family_slot, limit_type, limits};
