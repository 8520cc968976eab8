//! `cast!`, `call!` and `call_t!`, with the shapes and results of ractor's, and `export!`.

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

/// Makes a component of an actor: `ractor::export!(Counter);`, once in the crate.
///
/// The actor must be [`Default`], its start arguments [`BytesConvertable`](crate::BytesConvertable), and its message
/// type derived with `RactorClusterMessage`. The component carries the version of the crate.
///
/// `ractor::export!(Counter, state_version = 2)` also says which version of its state the actor has: a number that is
/// counted up whenever what an earlier version of the code kept can't be taken over as it is. It is 0 if it isn't said.
///
/// `ractor::export!(Counter, reload)`, with or without a `state_version` after it, makes the code replaceable while the
/// actor lives: see `reload::Reload`, with the feature `reload`.
#[macro_export]
macro_rules! export {
    ($actor:ty) => {
        $crate::export!($actor, state_version = 0);
    };
    ($actor:ty, reload) => {
        $crate::export!($actor, reload, state_version = 0);
    };
    ($actor:ty, reload, state_version = $state_version:expr) => {
        $crate::export!($actor, state_version = $state_version);
        const _: () = {
            type Component = $crate::runtime::Component<$actor>;
    $crate::reload_bindings::export_reload!(Component with_types_in $crate::reload_bindings);
        };
    };
    ($actor:ty, state_version = $state_version:expr) => {
        const _: () = {
            impl $crate::runtime::Exported for $actor {
                const NAME: &'static str = ::core::stringify!($actor);
                const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
                const STATE_VERSION: u32 = $state_version;
            }

            type Component = $crate::runtime::Component<$actor>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
    };
}
