//! Guests that call each other at the same time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use shuttle::future::{block_on, spawn};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::directory::Reply;
use crate::store::waits::{EndedAsk, HeldWait, Outstanding, Waiting};
use crate::sync;

/// A guest that calls another while somebody's call waits for it: it answers after its own call has ended.
async fn guest(pid: u64, calls: u64, reply: oneshot::Receiver<Vec<u8>>, port: oneshot::Sender<Vec<u8>>) -> bool {
    let is_circle = match Waiting::begin(pid, calls, Reply::new(reply)) {
        Ok(waiting) => {
            drop(waiting.await);
            false
        }
        Err(_) => true,
    };
    // The other one may have given up.
    drop(port.send(vec![1]));
    is_circle
}

/// Two that call each other: one of them hears of it, and neither waits for ever.
pub fn two_that_call_each_other_both_go_on() {
    sync::begin();
    let (to_a, from_b) = oneshot::channel();
    let (to_b, from_a) = oneshot::channel();
    let a = spawn(guest(1, 2, from_b, to_b));
    let b = spawn(guest(2, 1, from_a, to_a));
    let (a, b) = (block_on(a).unwrap_or_default(), block_on(b).unwrap_or_default());
    assert!(!(a && b), "one of the two calls could have been answered");
}

/// Three in a circle: at least one hears of it, and none waits for ever.
pub fn three_in_a_circle_all_go_on() {
    sync::begin();
    let (to_a, from_b) = oneshot::channel();
    let (to_b, from_c) = oneshot::channel();
    let (to_c, from_a) = oneshot::channel();
    let tasks = [
        spawn(guest(1, 2, from_b, to_c)),
        spawn(guest(2, 3, from_c, to_a)),
        spawn(guest(3, 1, from_a, to_b)),
    ];
    for task in tasks {
        assert!(block_on(task).is_ok());
    }
}

/// A look at a reply by somebody who searches for circles doesn't take it from who waits for it.
pub fn a_look_at_a_reply_does_not_take_it() {
    sync::begin();
    let (to_a, reply) = oneshot::channel();
    let waits = spawn(async move {
        match Waiting::begin(1, 2, Reply::new(reply)) {
            Ok(waiting) => waiting.await.ok(),
            Err(_) => None,
        }
    });
    let answers = spawn(async move { to_a.send(vec![7]).is_ok() });
    let looks = spawn(async move { Waiting::begin(3, 1, Reply::new(oneshot::channel().1)).is_ok() });
    assert_eq!(block_on(answers).ok(), Some(true));
    assert_eq!(block_on(looks).ok(), Some(true));
    assert_eq!(block_on(waits).ok().flatten(), Some(vec![7]));
}

/// One ask of a guest whose mailbox is held.
struct Ask {
    target: u64,
    begun: Instant,
    reply: sync::Mutex<Option<Reply<Vec<u8>>>>,
    ended: Notify,
}

impl Outstanding for Ask {
    fn waits_for_all(&self, waits: &mut dyn FnMut(u64) -> bool) -> bool {
        let reply = self.reply.lock();
        reply.as_ref().is_some_and(|reply| !reply.has_come()) && waits(self.target)
    }

    fn newest(&self) -> Option<Instant> {
        self.reply.lock().as_ref().map(|_| self.begun)
    }

    fn end_newest(&self) -> Option<EndedAsk> {
        self.ended.notify_one();
        let reply = self.reply.lock().take();
        Some(EndedAsk { reply, message: None })
    }
}

/// A guest that asks another and holds its mailbox: it answers after its own ask has come to an end. True if that was as one in a circle.
async fn holding(pid: u64, asks: u64, reply: oneshot::Receiver<Vec<u8>>, port: oneshot::Sender<Vec<u8>>) -> bool {
    let ask = Arc::new(Ask {
        target: asks,
        begun: Instant::now(),
        reply: sync::Mutex::new(Some(Reply::new(reply))),
        ended: Notify::new(),
    });
    let waits = HeldWait::begin(pid, ask.clone());
    let replied = poll_fn(|context| match &mut *ask.reply.lock() {
        Some(reply) => Pin::new(reply).poll(context).map(drop),
        None => Poll::Ready(()),
    });
    tokio::select! {
        () = replied => {}
        () = ask.ended.notified() => {}
    }
    let is_circle = ask.reply.lock().is_none();
    drop(waits);
    // The other one may have given up.
    drop(port.send(vec![1]));
    is_circle
}

/// Two that ask each other with held mailboxes: one of them hears of it, and neither waits for ever.
pub fn two_that_ask_each_other_both_go_on() {
    sync::begin();
    let (to_a, from_b) = oneshot::channel();
    let (to_b, from_a) = oneshot::channel();
    let a = spawn(holding(1, 2, from_b, to_b));
    let b = spawn(holding(2, 1, from_a, to_a));
    let (a, b) = (block_on(a).unwrap_or(true), block_on(b).unwrap_or(true));
    assert!(!(a && b), "one of the two asks could have been answered");
}

/// One that calls and one that asks: one of them hears of it, and neither waits for ever.
pub fn a_call_and_an_ask_in_a_circle_both_go_on() {
    sync::begin();
    let (to_a, from_b) = oneshot::channel();
    let (to_b, from_a) = oneshot::channel();
    let a = spawn(holding(1, 2, from_b, to_b));
    let b = spawn(guest(2, 1, from_a, to_a));
    let (a, b) = (block_on(a).unwrap_or(true), block_on(b).unwrap_or(true));
    assert!(!(a && b), "one of the two could have been answered");
}
