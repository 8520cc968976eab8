//! Guests that call each other at the same time.

use shuttle::future::{block_on, spawn};
use tokio::sync::oneshot;

use crate::store::waits::Waiting;
use crate::sync;

/// A guest that calls another while somebody's call waits for it: it answers after its own call has ended.
async fn guest(pid: u64, calls: u64, reply: oneshot::Receiver<Vec<u8>>, port: oneshot::Sender<Vec<u8>>) -> bool {
    let is_circle = match Waiting::begin(pid, calls, reply) {
        Ok(waiting) => {
            waiting.await;
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
        match Waiting::begin(1, 2, reply) {
            Ok(waiting) => waiting.await,
            Err(_) => None,
        }
    });
    let answers = spawn(async move { to_a.send(vec![7]).is_ok() });
    let looks = spawn(async move { Waiting::begin(3, 1, oneshot::channel().1).is_ok() });
    assert_eq!(block_on(answers).ok(), Some(true));
    assert_eq!(block_on(looks).ok(), Some(true));
    assert_eq!(block_on(waits).ok().flatten(), Some(vec![7]));
}
