//! The functions of an expansion that turn a port for a value into a port for its bytes, and back.

use proc_macro2::TokenStream;
use quote::quote;

use super::bytes;
use crate::model::MessageEnum;

/// The functions, if the message has calls.
pub(super) fn functions(message: &MessageEnum) -> TokenStream {
    if message.calls().next().is_none() {
        return TokenStream::new();
    }
    let (convert, bridge) = (convert(), bridge());
    quote!(#convert #bridge)
}

/// The two directions. A reply that can't be converted is no reply: the port behind is dropped.
fn convert() -> TokenStream {
    let bytes = bytes();
    let (send, fn_once) = (quote!(::core::marker::Send + 'static), quote!(::core::ops::FnOnce));
    quote! {
        fn __ractor_bytes_port<T: #send, F: #fn_once(#bytes) -> T + #send>(
            __port: ractor::RpcReplyPort<T>,
            __from_bytes: F,
        ) -> ractor::RpcReplyPort<#bytes> {
            __ractor_bridge(__port, move |__bytes: #bytes| {
                ::core::result::Result::ok(__ractor_decode::<T, F>(__bytes, __from_bytes))
            })
        }

        fn __ractor_typed_port<T: #send, F: #fn_once(T) -> #bytes + #send>(
            __port: ractor::RpcReplyPort<#bytes>,
            __into_bytes: F,
        ) -> ractor::RpcReplyPort<T> {
            __ractor_bridge(__port, move |__value: T| {
                let __convert = ::std::panic::AssertUnwindSafe(move || __into_bytes(__value));
                ::core::result::Result::ok(::std::panic::catch_unwind(__convert))
            })
        }
    }
}

/// A port that forwards what it is sent, converted. Natively a task waits for it; the task, and with it the port
/// behind, ends as soon as the new port is used or dropped, at the latest after the caller's timeout.
fn bridge() -> TokenStream {
    let signature = quote! {
        fn __ractor_bridge<__From: ::core::marker::Send + 'static, __To: ::core::marker::Send + 'static>(
            __port: ractor::RpcReplyPort<__To>,
            __convert: impl ::core::ops::FnOnce(__From) -> ::core::option::Option<__To>
                + ::core::marker::Send
                + 'static,
        ) -> ractor::RpcReplyPort<__From>
    };
    let native = native_bridge();
    quote! {
        #[cfg(not(target_family = "wasm"))]
        #signature { #native }

        #[cfg(target_family = "wasm")]
        #signature { ractor::RpcReplyPort::map_reply(__port, __convert) }
    }
}

fn native_bridge() -> TokenStream {
    quote! {
        let __timeout = ractor::RpcReplyPort::get_timeout(&__port);
        let (__sender, __receiver) = ractor::concurrency::oneshot::<__From>();
        let __task = ractor::concurrency::spawn(async move {
            let __sent = match __timeout {
                ::core::option::Option::None => ::core::result::Result::ok(__receiver.await),
                ::core::option::Option::Some(__timeout) => {
                    match ractor::concurrency::timeout(__timeout, __receiver).await {
                        ::core::result::Result::Ok(__sent) => ::core::result::Result::ok(__sent),
                        ::core::result::Result::Err(_) => ::core::option::Option::None,
                    }
                }
            };
            if let ::core::option::Option::Some(__value) = ::core::option::Option::and_then(__sent, __convert) {
                ::core::mem::drop(ractor::RpcReplyPort::send(__port, __value));
            }
        });
        ::core::mem::drop(__task);
        match __timeout {
            ::core::option::Option::None => ::core::convert::From::from(__sender),
            ::core::option::Option::Some(__timeout) => ::core::convert::From::from((__sender, __timeout)),
        }
    }
}
