//! The functions of an expansion that turn a port for a value into a port for its bytes, and back.

use proc_macro2::TokenStream;
use quote::quote;

use super::bytes;
use crate::model::MessageEnum;

/// The interval, in milliseconds, at which a port in between looks whether its caller has given up, once the caller's timeout has
/// passed.
const LOOK_EVERY_MS: u64 = 100;
/// The number of looks where the caller is in this process. After the last one a caller that still waits hears that nothing comes.
const LOOKS_HERE: u32 = 10;
/// The number of looks where the caller is on another node: its giving up doesn't show here, but its time began earlier.
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
        fn __ractor_bytes_port<T: #send, F: #fn_once(#bytes) -> T + ::core::marker::Unpin + #send>(
            __port: ractor::RpcReplyPort<T>,
            __from_bytes: F,
        ) -> ractor::RpcReplyPort<#bytes> {
            __ractor_bridge(__port, move |__bytes: #bytes| {
                ::core::result::Result::ok(__ractor_decode::<T, F>(__bytes, __from_bytes))
            }, #LOOKS_HERE)
        }

        fn __ractor_typed_port<T: #send, F: #fn_once(T) -> #bytes + ::core::marker::Unpin + #send>(
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

/// A port that converts what it is sent, and forwards it. Natively it ends as soon as it is used or dropped, at the latest with the
/// caller's timeout: an actor that still holds it then finds it closed. The port behind it ends a while later. The caller must be
/// the first to give up, however late it gets its turn, or it would hear of a closed port instead of its timeout.
fn bridge() -> TokenStream {
    let signature = quote! {
        fn __ractor_bridge<__From: ::core::marker::Send + 'static, __To: ::core::marker::Send + 'static>(
            __port: ractor::RpcReplyPort<__To>,
            __convert: impl ::core::ops::FnOnce(__From) -> ::core::option::Option<__To>
                + ::core::marker::Send
                + ::core::marker::Unpin
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

/// A future without a task: the wake-up polls it there and then. So the actor that uses the new port converts the reply and hands
/// it on, and neither a spawn nor a turn of the scheduler is paid for. A future that asks for its next poll while it is polled
/// (tokio does so to a task that has had its share of the thread) gets a task after all.
fn crossing() -> TokenStream {
    let lock = quote! {
        ::core::result::Result::unwrap_or_else(
            ::std::sync::Mutex::lock(&self.0),
            ::std::sync::PoisonError::into_inner,
        )
    };
    quote! {
        enum __State<__Future> {
            __Waits(__Future),
            __Polled,
            __Woken,
            __Over,
        }

        struct __Crossing<__Future>(::std::sync::Mutex<__State<__Future>>);

        impl<__Future> __Crossing<__Future>
        where
            Self: ::std::task::Wake + ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            fn __start(__future: __Future) {
                let __crossing = Self(::std::sync::Mutex::new(__State::__Waits(__future)));
                ::std::task::Wake::wake(::std::sync::Arc::new(__crossing));
            }
        }

        impl<__Future> ::std::task::Wake for __Crossing<__Future>
        where
            __Future: ::core::future::Future<Output = ()>
                + ::core::marker::Send
                + ::core::marker::Unpin
                + 'static,
        {
            fn wake(self: ::std::sync::Arc<Self>) {
                // Out of its place for the poll, so that no lock is held meanwhile: the future may be woken by what it does itself.
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
                    ::core::pin::Pin::new(&mut __future),
                    &mut ::core::task::Context::from_waker(&__waker),
                );
                let mut __state = #lock;
                if ::core::task::Poll::is_pending(&__polled) {
                    // Nobody has woken it meanwhile, and a wake-up from here on finds it in its place.
                    if let __State::__Polled = *__state {
                        *__state = __State::__Waits(__future);
                        return;
                    }
                    // A wake-up during the poll must not be lost, and polling again in place could go on for ever. A task takes over.
                    ::core::mem::drop(ractor::concurrency::spawn(__future));
                }
                *__state = __State::__Over;
            }
        }
    }
}

fn native_bridge() -> TokenStream {
    let (unlimited, limited) = (unlimited(), limited());
    quote! {
        fn __hand_on<__From, __To>(
            __sent: ::core::option::Option<__From>,
            __convert: impl ::core::ops::FnOnce(__From) -> ::core::option::Option<__To>,
            __port: ::core::option::Option<ractor::RpcReplyPort<__To>>,
        ) {
            if let (::core::option::Option::Some(__value), ::core::option::Option::Some(__port)) =
                (::core::option::Option::and_then(__sent, __convert), __port)
            {
                ::core::mem::drop(ractor::RpcReplyPort::send(__port, __value));
            }
        }

        let __timeout = ractor::RpcReplyPort::get_timeout(&__port);
        let mut __port = ::core::option::Option::Some(__port);
        match __timeout {
            ::core::option::Option::None => { #unlimited }
            ::core::option::Option::Some(__timeout) => { #limited }
        }
    }
}

/// For a call without a timeout. A reply of bytes in ractor's own format needs no conversion, so the port behind is handed
/// out itself. With a timeout it isn't: nothing would end it while somebody holds it.
fn unlimited() -> TokenStream {
    let received = received();
    quote! {
        if let ::core::option::Option::Some(__same) =
            <dyn ::core::any::Any>::downcast_mut::<::core::option::Option<ractor::RpcReplyPort<__From>>>(&mut __port)
        {
            if __ractor_is_own_format() {
                if let ::core::option::Option::Some(__same) = ::core::option::Option::take(__same) {
                    return __same;
                }
            }
        }
        let (__sender, mut __receiver) = ractor::concurrency::oneshot::<__From>();
        let mut __convert = ::core::option::Option::Some(__convert);
        __Crossing::__start(::core::future::poll_fn(move |__context| {
            ::core::task::Poll::map(#received, |__sent| {
                if let ::core::option::Option::Some(__convert) = ::core::option::Option::take(&mut __convert) {
                    __hand_on(__sent, __convert, ::core::option::Option::take(&mut __port));
                }
            })
        }));
        ::core::convert::From::from(__sender)
    }
}

/// For a call with a timeout. The clock is asked when a value is taken, because the timer may be late. The timer has a task of its
/// own for two reasons: a runtime that ends wakes everything that waits for a timer, and only tasks are gone by then; and the
/// thread that answers may belong to no runtime.
fn limited() -> TokenStream {
    let received = received();
    let lock = quote! {
        ::core::result::Result::unwrap_or_else(::std::sync::Mutex::lock(&__shared), ::std::sync::PoisonError::into_inner)
    };
    quote! {
        let (__sender, __receiver) = ractor::concurrency::oneshot::<__From>();
        let (__answered, __answer) = ractor::concurrency::oneshot::<()>();
        let __deadline = ractor::concurrency::Instant::checked_add(&ractor::concurrency::Instant::now(), __timeout);
        let __shared = ::std::sync::Arc::new(::std::sync::Mutex::new((::core::option::Option::Some(__receiver), __port)));
        let __timer = ::std::sync::Arc::clone(&__shared);
        let mut __ends = ::core::option::Option::Some((__convert, __answered));
        __Crossing::__start(::core::future::poll_fn(move |__context| {
            let mut __both = #lock;
            let ::core::option::Option::Some(__receiver) = &mut __both.0 else {
                return ::core::task::Poll::Ready(());
            };
            let mut __receiver = __receiver;
            let __sent = match #received {
                ::core::task::Poll::Pending => return ::core::task::Poll::Pending,
                ::core::task::Poll::Ready(__sent) => __sent,
            };
            let __receiver = ::core::option::Option::take(&mut __both.0);
            let __is_late = match __deadline {
                ::core::option::Option::Some(__deadline) => ractor::concurrency::Instant::now() >= __deadline,
                ::core::option::Option::None => false,
            };
            let __ends = ::core::option::Option::take(&mut __ends);
            // By the clock the caller's time is over. The timer keeps the port behind, so that the caller hears of its timeout first.
            if __is_late && ::core::option::Option::is_some(&__sent) {
                ::core::mem::drop(__both);
                ::core::mem::drop((__receiver, __sent, __ends));
                return ::core::task::Poll::Ready(());
            }
            let __port = ::core::option::Option::take(&mut __both.1);
            // Without the lock from here on: the conversion, and whoever waits behind the port, are other people's code.
            ::core::mem::drop(__both);
            ::core::mem::drop(__receiver);
            if let ::core::option::Option::Some((__convert, __answered)) = __ends {
                __hand_on(__sent, __convert, __port);
                ::core::mem::drop(__answered.send(()));
            }
            ::core::task::Poll::Ready(())
        }));
        ::core::mem::drop(ractor::concurrency::spawn(async move {
            let __shared = __timer;
            if let ::core::result::Result::Ok(::core::result::Result::Ok(())) =
                ractor::concurrency::timeout(__timeout, __answer).await
            {
                return;
            }
            // The actor's end closes first. The port behind it stays until the caller has given up by itself.
            let __receiver = ::core::option::Option::take(&mut #lock.0);
            ::core::mem::drop(__receiver);
            let __port = ::core::option::Option::take(&mut #lock.1);
            for _ in 0..__most_looks {
                let __behind = ::core::option::Option::as_ref(&__port);
                if ::core::option::Option::is_none_or(__behind, ractor::RpcReplyPort::is_closed) {
                    return;
                }
                ractor::concurrency::sleep(::core::time::Duration::from_millis(#LOOK_EVERY_MS)).await;
            }
        }));
        ::core::convert::From::from((__sender, __timeout))
    }
}

/// The outcome of `__receiver`: a value, or that there will be none. A value that is there is taken even if the task that sent it
/// has had its share of the thread.
fn received() -> TokenStream {
    quote! {
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
    }
}
