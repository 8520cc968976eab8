//! The native side: the real ractor, and what a guest has besides.

pub(crate) mod addresses;
pub mod config;
mod context;
pub mod module;
#[cfg(feature = "reload")]
pub mod reload;
pub mod requests;
mod restarting;
#[cfg(feature = "testing")]
pub mod testing;

pub use self::requests::FailCall;
pub use ::ractor::*;

/// Fails this actor at once, with this reason. The rest of the current handler is not run.
pub fn exit(reason: impl Into<String>) -> ! {
    // A panic without the noise of one, which ractor makes a failure of.
    std::panic::resume_unwind(Box::new(reason.into()))
}

/// Makes a component of an actor when compiled for WebAssembly: `ractor::export!(Counter);`, once in the crate.
/// Natively it only checks what can be checked here: the actor is [`Default`], and its start arguments are
/// [`BytesConvertable`].
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
            const fn reloadable<A: $crate::reload::Reload>() {}
            reloadable::<$actor>();
        };
    };
    ($actor:ty, state_version = $state_version:expr) => {
        const _: () = {
            const _STATE_VERSION: u32 = $state_version;
            const fn exportable<A>()
            where
                A: $crate::Actor + ::core::default::Default,
                A::Arguments: $crate::BytesConvertable,
            {
            }
            exportable::<$actor>();
        };
    };
}
