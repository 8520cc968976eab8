//! `cast!`, `call!` and `call_t!`, with the shapes and results of ractor's, and what `export!` comes to.

/// Sends a message without waiting for anything: `cast!(actor, Msg::Add(1))`.
///
/// Results in `Result<(), RactorErr<Msg>>`.
#[macro_export]
macro_rules! cast {
    ($actor:expr, $msg:expr) => {
        $actor.cast($msg).map_err($crate::RactorErr::from)
    };
}

/// Sends a call and waits for the reply as long as it takes: `call!(actor, Msg::Get)`, or with arguments before the
/// reply port, `call!(actor, Msg::AddAndGet, 1)`.
///
/// Results in `Result<Reply, RactorErr<Msg>>`.
#[macro_export]
macro_rules! call {
    ($actor:expr, $msg:expr $(, $args:expr)*) => {
        $crate::rpc::reply_or_error($actor.call(|port| $msg($($args,)* port), None).await)
    };
}

/// Like [`call!`] with a timeout in milliseconds before the arguments: `call_t!(actor, Msg::Get, 100)`.
///
/// Results in `Result<Reply, RactorErr<Msg>>`.
#[macro_export]
macro_rules! call_t {
    ($actor:expr, $msg:expr, $timeout_ms:expr $(, $args:expr)*) => {
        $crate::rpc::reply_or_error(
            $actor
                .call(
                    |port| $msg($($args,)* port),
                    Some($crate::concurrency::Duration::from_millis($timeout_ms)),
                )
                .await,
        )
    };
}

/// Makes a component of an actor, by what [`export!`] has read.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (
        actor = [$actor:ty], documentation = [$($documentation:expr),*], state_version = [$state_version:expr],
        start = [$start:expr], protobuf = [$($protobuf:expr),*], reload = [$($reload:tt)?], awaits = [$($awaits:tt)?]
    ) => {
        const _: () = {
            impl $crate::runtime::Exported for $actor {
                const NAME: &'static str = ::core::stringify!($actor);
                const DOCUMENTATION: &'static [&'static str] = &[$($documentation),*];
                const START: &'static str = $start;
                const PROTOBUF: &'static [&'static [u8]] = &[$($protobuf),*];
                const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
                const STATE_VERSION: u32 = $state_version;
                const AWAITS: bool = $crate::__awaits!($($awaits)?);
            }

            type Component = $crate::runtime::Component<$actor>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
    $crate::contract_bindings::export_contract!(Component with_types_in $crate::contract_bindings);
    $crate::__export_reload!($($reload)?);
    $crate::__export_replies!($($awaits)?);
        };
    };
}

/// The export of the interface `reload`, where the type `Component` is in scope; nothing if it isn't wanted.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_reload {
    () => {};
    (reload) => {
    $crate::reload_bindings::export_reload!(Component with_types_in $crate::reload_bindings);
    };
}

/// Whether the actor awaits.
#[doc(hidden)]
#[macro_export]
macro_rules! __awaits {
    () => {
        false
    };
    (awaits) => {
        true
    };
}

/// As `__export_reload!`, for the interface `replies`.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_replies {
    () => {};
    (awaits) => {
    $crate::replies_bindings::export_replies!(Component with_types_in $crate::replies_bindings);
    };
}
