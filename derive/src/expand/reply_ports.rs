//! The functions of an expansion that turn a port for a value into a port for its bytes, and back.

use proc_macro2::TokenStream;
use quote::quote;

use super::bytes;
use crate::model::MessageEnum;

/// How often a port between looks whether its caller has given up after all, once the caller's timeout has passed, in
/// milliseconds.
const LOOK_EVERY_MS: u64 = 100;
/// How often it does where the caller is in this process. One that waits on regardless hears then that nothing comes.
const LOOKS_HERE: u32 = 50;
/// How often it does where the caller is on another node: that it has given up doesn't show, but its time began earlier.
const LOOKS_THERE: u32 = 2;

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
            }, #LOOKS_HERE)
        }

        fn __ractor_typed_port<T: #send, F: #fn_once(T) -> #bytes + #send>(
            __port: ractor::RpcReplyPort<#bytes>,
            __into_bytes: F,
        ) -> ractor::RpcReplyPort<T> {
            __ractor_bridge(__port, move |__value: T| {
                let __convert = ::std::panic::AssertUnwindSafe(move || __ractor_encode::<T, F>(__value, __into_bytes));
                ::core::result::Result::ok(::std::panic::catch_unwind(__convert))
            }, #LOOKS_THERE)
        }
    }
}

/// A port that forwards what it is sent, converted. Natively it ends, and with it the port behind, as soon as it is used
/// or dropped, at the latest a while after the caller's timeout: the caller is to be the first who gives up, however late it
/// gets its turn, or it would hear that its port was closed instead.
fn bridge() -> TokenStream {
    let signature = quote! {
        fn __ractor_bridge<__From: ::core::marker::Send + 'static, __To: ::core::marker::Send + 'static>(
            __port: ractor::RpcReplyPort<__To>,
            __convert: impl ::core::ops::FnOnce(__From) -> ::core::option::Option<__To>
                + ::core::marker::Send
                + 'static,
            __most_looks: u32,
        ) -> ractor::RpcReplyPort<__From>
    };
    let (crossing, native) = (crossing(), native_bridge());
    quote! {
        #[cfg(not(target_family = "wasm"))]
        #signature { #crossing #native }

        #[cfg(target_family = "wasm")]
        #signature {
            let _ = __most_looks;
            ractor::RpcReplyPort::map_reply(__port, __convert)
        }
    }
}

/// A future without a task: who wakes it polls it there and then. So whoever uses the new port converts the reply and
/// hands it on, and neither a spawn nor a turn of the scheduler is paid for. A future that asks for its next poll while
/// it is polled (tokio does so to a task that has had its share of the thread) gets a task after all.
fn crossing() -> TokenStream {
    let lock = quote! {
        ::core::result::Result::unwrap_or_else(
            ::std::sync::Mutex::lock(&self.0),
            ::std::sync::PoisonError::into_inner,
        )
    };
    quote! {
        type __Future = ::core::pin::Pin<
            ::std::boxed::Box<dyn ::core::future::Future<Output = ()> + ::core::marker::Send>,
        >;

        enum __State {
            __Waits(__Future),
            __Polled,
            __Woken,
            __Over,
        }

        struct __Crossing(::std::sync::Mutex<__State>);

        impl ::std::task::Wake for __Crossing {
            fn wake(self: ::std::sync::Arc<Self>) {
                let __before = {
                    let mut __state = #lock;
                    let __next = match *__state {
                        __State::__Waits(_) => __State::__Polled,
                        __State::__Polled | __State::__Woken => __State::__Woken,
                        __State::__Over => __State::__Over,
                    };
                    ::core::mem::replace(&mut *__state, __next)
                };
                let __State::__Waits(mut __future) = __before else {
                    return;
                };
                let __waker = ::core::convert::From::from(::std::sync::Arc::clone(&self));
                let __polled = ::core::future::Future::poll(
                    ::core::pin::Pin::as_mut(&mut __future),
                    &mut ::core::task::Context::from_waker(&__waker),
                );
                let mut __state = #lock;
                if ::core::task::Poll::is_pending(&__polled) {
                    if let __State::__Polled = *__state {
                        *__state = __State::__Waits(__future);
                        return;
                    }
                    ::core::mem::drop(ractor::concurrency::spawn(__future));
                }
                *__state = __State::__Over;
            }
        }
    }
}

fn native_bridge() -> TokenStream {
    quote! {
        let __timeout = ractor::RpcReplyPort::get_timeout(&__port);
        let (__sender, mut __receiver) = ractor::concurrency::oneshot::<__From>();
        let __sent = ::core::future::poll_fn(move |__context| {
            // What is there is taken, even if the task that sent it has had its share of the thread.
            match ractor::concurrency::OneshotReceiver::try_recv(&mut __receiver) {
                ::core::result::Result::Ok(__value) => {
                    ::core::task::Poll::Ready(::core::option::Option::Some(__value))
                }
                ::core::result::Result::Err(_)
                    if ractor::concurrency::OneshotReceiver::is_terminated(&__receiver) =>
                {
                    ::core::task::Poll::Ready(::core::option::Option::None)
                }
                ::core::result::Result::Err(_) => ::core::task::Poll::map(
                    ::core::future::Future::poll(::core::pin::Pin::new(&mut __receiver), __context),
                    ::core::result::Result::ok,
                ),
            }
        });
        let __crossing: __Future = ::std::boxed::Box::pin(async move {
            let __sent = match __timeout {
                ::core::option::Option::None => __sent.await,
                ::core::option::Option::Some(__timeout) => {
                    let mut __sent = __sent;
                    let mut __patience = __timeout;
                    let mut __looks = 0_u32;
                    loop {
                        match ractor::concurrency::timeout(__patience, &mut __sent).await {
                            ::core::result::Result::Ok(__sent) => break __sent,
                            ::core::result::Result::Err(_)
                                if __looks == __most_looks || ractor::RpcReplyPort::is_closed(&__port) =>
                            {
                                break ::core::option::Option::None
                            }
                            ::core::result::Result::Err(_) => {
                                __looks += 1;
                                __patience = ::core::time::Duration::from_millis(#LOOK_EVERY_MS);
                            }
                        }
                    }
                }
            };
            if let ::core::option::Option::Some(__value) = ::core::option::Option::and_then(__sent, __convert) {
                ::core::mem::drop(ractor::RpcReplyPort::send(__port, __value));
            }
        });
        let __crossing = __Crossing(::std::sync::Mutex::new(__State::__Waits(__crossing)));
        ::std::task::Wake::wake(::std::sync::Arc::new(__crossing));
        match __timeout {
            ::core::option::Option::None => ::core::convert::From::from(__sender),
            ::core::option::Option::Some(__timeout) => ::core::convert::From::from((__sender, __timeout)),
        }
    }
}
