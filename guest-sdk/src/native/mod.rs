//! The native side: the real ractor, and what a guest has besides.

pub(crate) mod addresses;
pub mod config;
mod context;
pub(crate) mod entity;
pub mod module;
pub mod node;
#[cfg(feature = "reload")]
pub mod reload;
pub mod requests;
mod restarting;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;

pub use self::requests::FailCall;
pub use ::ractor::*;

/// Fails this actor at once, with this reason. The rest of the current handler is not run.
pub fn exit(reason: impl Into<String>) -> ! {
    // A panic without the noise of one, which ractor makes a failure of.
    std::panic::resume_unwind(Box::new(reason.into()))
}

/// Checks what can be checked natively, of what [`export!`] has read.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (
        actor = [$actor:ty], documentation = [$($documentation:expr),*], state_version = [$state_version:expr],
        start = [$start:expr], protobuf = [$($protobuf:expr),*], reload = [$($reload:tt)?], awaits = [$($awaits:tt)?]
    ) => {
        const _: () = {
            const _STATE_VERSION: u32 = $state_version;
            const _PROTOBUF: &[&[u8]] = &[$($protobuf),*];
            const fn exportable<A>()
            where
                A: $crate::Actor + ::core::default::Default,
                A::Arguments: $crate::BytesConvertable,
            {
            }
            exportable::<$actor>();
            $crate::__export_reload!($($reload)? $actor);
        };
    };
}

/// Whether an actor that is exported with `reload` can be.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_reload {
    (reload $actor:ty) => {
        const fn reloadable<A: $crate::reload::Reload>() {}
        reloadable::<$actor>();
    };
    ($actor:ty) => {};
}
