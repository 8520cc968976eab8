//! The state of an actor as bytes, from one version of its code to the next.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::portable::{PortableError, PortableState};

/// A state can't be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateError {
    /// It has no form as bytes.
    Encode(postcard::Error),
    /// The bytes are not what they should be.
    Decode {
        /// The version of the state of the code that wrote them.
        version: Option<u32>,
        /// The Rust type that was expected.
        expected: &'static str,
        /// What is wrong.
        reason: postcard::Error,
    },
    /// It is no portable state, or not this one.
    Portable(PortableError),
    /// The code doesn't say how to read this version.
    UnknownVersion(u32),
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encode(reason) => write!(f, "the state has no form as bytes: {reason}"),
            Self::Decode {
                version,
                expected,
                reason,
            } => {
                f.write_str("the state")?;
                if let Some(version) = version {
                    write!(f, " of version {version}")?;
                }
                write!(
                    f,
                    " is no {expected}: {reason}; did its type change without a new `state_version`?"
                )
            }
            Self::Portable(reason) => reason.fmt(f),
            Self::UnknownVersion(version) => write!(
                f,
                "this code does not know version {version} of the state; `Reload::migrate` can teach it"
            ),
        }
    }
}

impl std::error::Error for StateError {}

impl From<PortableError> for StateError {
    fn from(reason: PortableError) -> Self {
        Self::Portable(reason)
    }
}

/// A state that goes over to other code: any type of serde, in the format of `postcard`, or one with
/// `#[derive(PortableState)]`, in the form that code in every language reads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be handed over to other code",
    note = "derive serde's `Serialize` and `Deserialize` for it, or `PortableState`, with which the other code can be in another \
            language"
)]
pub trait KeptState: Sized {
    /// The state as bytes.
    ///
    /// # Errors
    /// It has no such form.
    fn keep(&self) -> Result<Vec<u8>, StateError>;

    /// The inverse of [`keep`](KeptState::keep), and strict.
    ///
    /// # Errors
    /// The bytes are no such state.
    fn restore(bytes: &[u8]) -> Result<Self, StateError>;
}

impl<T: Serialize + DeserializeOwned> KeptState for T {
    fn keep(&self) -> Result<Vec<u8>, StateError> {
        encode(self)
    }

    fn restore(bytes: &[u8]) -> Result<Self, StateError> {
        decode(bytes)
    }
}

/// A state as bytes, in the format of `postcard`.
///
/// # Errors
/// It can't be encoded.
pub fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>, StateError> {
    postcard::to_allocvec(state).map_err(StateError::Encode)
}

/// The inverse of [`encode`], and strict: no byte may be left.
///
/// # Errors
/// The bytes are no `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StateError> {
    decode_version(None, bytes)
}

fn decode_version<T: DeserializeOwned>(version: Option<u32>, bytes: &[u8]) -> Result<T, StateError> {
    let decoded = postcard::take_from_bytes(bytes).and_then(|(state, rest)| match rest {
        [] => Ok(state),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    });
    decoded.map_err(|reason| StateError::Decode {
        version,
        expected: type_name::<T>(),
        reason,
    })
}

/// A state that another version of the code wrote.
#[derive(Debug, Clone, Copy)]
pub struct OldState<'a> {
    version: u32,
    bytes: &'a [u8],
}

impl<'a> OldState<'a> {
    /// `bytes`, as code with the `state_version` `version` wrote them.
    pub fn new(version: u32, bytes: &'a [u8]) -> Self {
        Self { version, bytes }
    }

    /// The version of the state of that code. It may be a newer one than this code has.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What it wrote.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The state as the type that it had then.
    ///
    /// # Errors
    /// It isn't one.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StateError> {
        decode_version(Some(self.version), self.bytes)
    }

    /// The state as one that code in any language may have written.
    ///
    /// # Errors
    /// It isn't one.
    pub fn read_portable<T: PortableState>(&self) -> Result<T, StateError> {
        Ok(T::from_portable(self.bytes)?)
    }

    /// The error about a version that nobody knows.
    pub fn unknown(&self) -> StateError {
        StateError::UnknownVersion(self.version)
    }
}

/// The trait, the same in both worlds: over the `Actor` where it is expanded.
macro_rules! reload_trait {
    () => {
        /// An actor whose code can be replaced while it lives, with its state: [`export!`](crate::export) it with
        /// `reload`.
        ///
        /// Where the state implements serde's `Serialize` and `Deserialize`, there is nothing to write:
        /// `impl Reload for Counter {}`. Where it derives [`PortableState`](crate::reload::PortableState) instead, neither is there, and
        /// code in another language can take the state over, or had it before. Whenever the type of the state changes, its version is counted up, and
        /// [`migrate`](Reload::migrate) reads what was before:
        ///
        /// ```
        /// # use ractor_guest as ractor;
        /// # use ractor::{Actor, ActorProcessingErr, ActorRef};
        /// use ractor::reload::{OldState, Reload};
        /// use serde::{Deserialize, Serialize};
        ///
        /// #[derive(Default)]
        /// struct Counter;
        ///
        /// /// Version 2; version 1 was the count alone.
        /// #[derive(Serialize, Deserialize)]
        /// struct State {
        ///     count: u64,
        ///     resets: u32,
        /// }
        ///
        /// impl Reload for Counter {
        ///     fn migrate(&self, old: OldState<'_>) -> Result<State, ActorProcessingErr> {
        ///         match old.version() {
        ///             1 => Ok(State { count: old.read()?, resets: 0 }),
        ///             _ => Err(old.unknown().into()),
        ///         }
        ///     }
        /// }
        /// # impl Actor for Counter {
        /// #     type Msg = Vec<u8>;
        /// #     type State = State;
        /// #     type Arguments = u64;
        /// #     async fn pre_start(&self, _: ActorRef<Vec<u8>>, count: u64) -> Result<State, ActorProcessingErr> {
        /// #         Ok(State { count, resets: 0 })
        /// #     }
        /// # }
        ///
        /// ractor::export!(Counter, reload, state_version = 2);
        /// ```
        ///
        /// Of what is not in the state, only what the host keeps for the actor survives: its pid, name and groups, whom
        /// it monitors, its children, its timers. Calls that are to be answered later are kept as
        /// [`Deferred`](crate::reload::Deferred).
        ///
        /// The first three functions may use only what looks, such as `pg::get_members`; sending fails the reload.
        pub trait Reload: Actor<State: crate::reload::KeptState> {
            /// The state as bytes. Without one of its own: as [`KeptState`](crate::reload::KeptState) has it.
            ///
            /// # Errors
            /// The actor keeps its code.
            fn snapshot(&self, state: &Self::State) -> Result<Vec<u8>, ActorProcessingErr> {
                Ok(crate::common::reload::KeptState::keep(state)?)
            }

            /// Reads what [`snapshot`](Reload::snapshot) of code with the same `state_version` wrote.
            ///
            /// # Errors
            /// The actor keeps its code.
            fn restore(&self, state: &[u8]) -> Result<Self::State, ActorProcessingErr> {
                Ok(crate::common::reload::KeptState::restore(state)?)
            }

            /// Reads what code with another `state_version` wrote. Without one of its own: refuses.
            ///
            /// # Errors
            /// The actor keeps its code.
            fn migrate(&self, old: crate::common::reload::OldState<'_>) -> Result<Self::State, ActorProcessingErr> {
                Err(old.unknown().into())
            }

            /// Runs once the state is there, before the next message: the last moment to refuse. It may do all that a
            /// handler may. What it begins is ended if it fails, but what it sent stays sent: check first, act last.
            fn post_reload(
                &self,
                myself: ActorRef<Self::Msg>,
                state: &mut Self::State,
            ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
                let _unused = (myself, state);
                async { Ok(()) }
            }
        }
    };
}

pub(crate) use reload_trait;
