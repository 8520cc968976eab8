//! What a context is, and where it goes.

use std::future::ready;
use std::task::Waker;

use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_context_is_read_as_the_standard_says() {
    let context = TraceContext::parse(PARENT.as_bytes(), b"shop=1,other=2").unwrap();
    assert_eq!((context.parent().as_str(), context.state()), (PARENT, "shop=1,other=2"));
    assert!(context.is_sampled());
    let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more";
    let later = TraceContext::parse(later.as_bytes(), b"").unwrap();
    assert!(!later.is_sampled() && later.parent().starts_with("00-0af7651916cd43dd"));
}

#[test]
fn what_is_no_context_is_ignored() {
    for wrong in [
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01",
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\u{e9}01",
    ] {
        assert_eq!(TraceContext::parse(wrong.as_bytes(), b""), None, "{wrong}");
    }
    assert_eq!(TraceContext::parse(&[0xff; 55], b""), None);
}

#[test]
fn a_state_that_is_none_is_left_out_and_the_trace_goes_on() {
    for wrong in [&[b'x'; 513][..], b"a=\xff", "k=\u{e9}".as_bytes(), b"a=1\n"] {
        let context = TraceContext::parse(PARENT.as_bytes(), wrong).unwrap();
        assert_eq!(context.state(), "");
    }
    let longest = TraceContext::parse(PARENT.as_bytes(), &[b'x'; 512]).unwrap();
    assert_eq!(longest.state().len(), 512);
}

#[test]
fn a_context_goes_along_with_what_is_done_within_and_no_further() {
    let context = Arc::new(TraceContext::parse(PARENT.as_bytes(), b"").unwrap());
    assert_eq!(carried(), None);
    carrying(context.clone(), || assert_eq!(carried(), Some(context.clone())));
    assert_eq!(carried(), None);
    let mut work = carry(context.clone(), async {
        assert!(carried().is_some());
        ready(()).await;
        carried()
    });
    let polled = Pin::new(&mut work).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(Some(context.clone())));
    assert_eq!(carried(), None);
    let panicked = std::panic::catch_unwind(|| carrying(context, || std::panic::resume_unwind(Box::new(()))));
    assert!(panicked.is_err() && carried().is_none());
}
