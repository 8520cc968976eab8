//! The native side: the real ractor, and what a guest has besides.

pub use ::ractor::*;

/// Makes a component of an actor when compiled for WebAssembly: `ractor::export!(Counter);`, once in the crate.
/// Natively it only checks what can be checked here: the actor is [`Default`], and its start arguments are
/// [`BytesConvertable`].
#[macro_export]
macro_rules! export {
    ($actor:ty) => {
        const _: () = {
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
