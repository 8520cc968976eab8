//! Replies go through the ports of both directions, and a call that can't be answered ends.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod messages;

use std::time::Duration;

use messages::{Names, ours::Rich};
use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor::message::SerializedMessage;
use ractor::{Message, RpcReplyPort};
use ractor_host_directory::{FailureReason, NoReply, Told, fail, reply_port};
use tokio::sync::oneshot::error::TryRecvError;

/// The port for bytes of a call to `Get`, and where its caller waits.
fn call(timeout: Option<Duration>) -> (RpcReplyPort<Vec<u8>>, OneshotReceiver<u64>) {
    let (sender, answer) = oneshot();
    let port = match timeout {
        Some(timeout) => (sender, timeout).into(),
        None => sender.into(),
    };
    match Rich::Get(port).serialize() {
        Ok(SerializedMessage::Call { reply, .. }) => (reply, answer),
        other => panic!("no call: {other:?}"),
    }
}

/// The port for the value of a call to `Get` from elsewhere, and where the bytes go.
fn receive(timeout: Option<Duration>) -> (RpcReplyPort<u64>, OneshotReceiver<Vec<u8>>) {
    let (sender, answer) = oneshot();
    let reply = match timeout {
        Some(timeout) => (sender, timeout).into(),
        None => sender.into(),
    };
    let message = SerializedMessage::Call {
        variant: "Get".to_owned(),
        args: Vec::new(),
        reply,
        metadata: None,
    };
    match Rich::deserialize(message) {
        Ok(Rich::Get(port)) => (port, answer),
        _ => panic!("no call"),
    }
}

const SOON: Option<Duration> = Some(Duration::from_millis(20));
const LATE: Option<Duration> = Some(Duration::from_secs(3600));

#[tokio::test]
async fn a_reply_reaches_the_caller() {
    for timeout in [None, LATE] {
        let (port, answer) = call(timeout);
        port.send(vec![0, 0, 0, 0, 0, 0, 1, 2]).expect("somebody waits");
        assert_eq!(answer.await, Ok(258));

        let (port, answer) = receive(timeout);
        port.send(258).expect("somebody waits");
        assert_eq!(answer.await, Ok(vec![0, 0, 0, 0, 0, 0, 1, 2]));
    }
}

#[tokio::test]
async fn a_reply_of_a_type_of_the_user_goes_all_the_way() {
    let (sender, answer) = oneshot();
    let sent = Rich::Named {
        names: Names(Vec::new()),
        reply: sender.into(),
        count: 2,
    };
    let received = Rich::deserialize(sent.serialize().expect("it serializes"));
    let Ok(Rich::Named { reply, count: 2, .. }) = received else {
        panic!("another message")
    };
    let names = Names(vec!["a".to_owned(), "b".to_owned()]);
    reply.send(names.clone()).expect("somebody waits");
    assert_eq!(answer.await, Ok(names));
}

/// The reason why a call failed goes beside the ports, within the end of the first.
#[tokio::test]
async fn a_reason_reaches_the_caller_through_ports_of_both_directions() {
    for timeout in [None, LATE] {
        let (sent, answer) = reply_port::<u64>(timeout);
        let received = Rich::Get(sent).serialize().and_then(Rich::deserialize);
        let Ok(Rich::Get(port)) = received else {
            panic!("no call")
        };
        assert_eq!(fail(port, FailureReason::new("no such row")), Told::Caller);
        assert_eq!(
            answer.await,
            Err(NoReply::Failed(FailureReason::new("no such row"))),
            "{timeout:?}"
        );
    }
    // Stock's own way to wait has no ear for it.
    let (port, answer) = call(None);
    assert_eq!(fail(port, FailureReason::new("unheard")), Told::Nobody);
    assert!(answer.await.is_err());
}

#[derive(ractor_host_derive::RactorClusterMessage)]
enum Bytes {
    #[rpc]
    Read(RpcReplyPort<Vec<u8>>),
}

/// The port with which a call for bytes arrives at its actor, and where its caller waits.
fn call_for_bytes(timeout: Option<Duration>) -> (RpcReplyPort<Vec<u8>>, OneshotReceiver<Vec<u8>>) {
    let (sender, answer) = oneshot();
    let port = match timeout {
        Some(timeout) => (sender, timeout).into(),
        None => sender.into(),
    };
    match Bytes::Read(port).serialize().and_then(Bytes::deserialize) {
        Ok(Bytes::Read(port)) => (port, answer),
        Err(_) => panic!("no call"),
    }
}

#[tokio::test]
async fn a_reply_of_bytes_needs_no_port_between() {
    for timeout in [None, LATE] {
        let (port, answer) = call_for_bytes(timeout);
        assert_eq!(port.get_timeout(), timeout);
        port.send(vec![1, 2]).expect("somebody waits");
        assert_eq!(answer.await, Ok(vec![1, 2]));
    }
    let (port, answer) = call_for_bytes(None);
    drop(answer);
    assert!(port.is_closed(), "that the caller left shows at once");
}

#[tokio::test]
async fn a_call_for_bytes_ends_with_its_timeout_too() {
    let (port, answer) = call_for_bytes(SOON);
    assert!(answer.await.is_err());
    assert!(port.is_closed());
}

#[tokio::test]
async fn the_timeout_travels_with_the_port() {
    for timeout in [None, SOON] {
        assert_eq!(call(timeout).0.get_timeout(), timeout);
        assert_eq!(receive(timeout).0.get_timeout(), timeout);
    }
}

#[tokio::test]
async fn a_port_dropped_unanswered_ends_the_call_at_once() {
    for timeout in [None, LATE] {
        let (port, answer) = call(timeout);
        drop(port);
        assert!(answer.await.is_err());

        let (port, answer) = receive(timeout);
        drop(port);
        assert!(answer.await.is_err());
    }
}

#[tokio::test]
async fn a_call_ends_with_its_timeout_while_the_port_is_still_held() {
    let (port, answer) = call(SOON);
    assert!(answer.await.is_err());
    assert!(port.is_closed(), "a late reply finds nobody");
    assert!(port.send(vec![0; 8]).is_err());

    let (port, answer) = receive(SOON);
    assert!(answer.await.is_err());
    assert!(port.is_closed());
}

/// Passes while the port's timer can't run, because it and this are one thread.
fn let_the_time_pass() {
    std::thread::sleep(Duration::from_millis(40));
}

#[tokio::test]
async fn a_late_reply_does_not_arrive_even_where_the_timer_is_late_too() {
    let (port, mut answer) = call(SOON);
    let_the_time_pass();
    drop(port.send(vec![0; 8]));
    assert!(answer.try_recv().is_err());
    assert!(answer.await.is_err());

    let (port, mut answer) = receive(SOON);
    let_the_time_pass();
    drop(port.send(1));
    assert!(answer.try_recv().is_err());
    assert!(answer.await.is_err());

    let (port, mut answer) = call_for_bytes(SOON);
    let_the_time_pass();
    drop(port.send(vec![1]));
    assert!(answer.try_recv().is_err());
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn a_port_closes_with_its_time_limit_while_its_caller_waits_on() {
    let (to_bytes, mut value) = call(SOON);
    let (to_value, mut bytes) = receive(SOON);
    while !to_bytes.is_closed() || !to_value.is_closed() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Whoever called is to be the first to give up.
    assert_eq!(value.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(bytes.try_recv(), Err(TryRecvError::Empty));
    assert!(to_bytes.send(vec![0; 8]).is_err());
    assert!(to_value.send(1).is_err());
    assert!(value.await.is_err());
    assert!(bytes.await.is_err());
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_ends_the_call() {
    let (port, answer) = call(None);
    port.send(vec![1, 2, 3]).expect("somebody waits");
    assert!(answer.await.is_err());
}

/// Whether no task is left, once every one that can run has run.
async fn no_task_is_left() -> bool {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0
}

#[tokio::test]
async fn a_call_without_a_time_limit_takes_no_task() {
    let (to_bytes, to_value) = (call(None), receive(None));
    assert!(no_task_is_left().await);
    drop((to_bytes, to_value));
}

#[tokio::test]
async fn a_reply_is_there_at_once_and_leaves_nothing_behind() {
    let (to_bytes, mut value) = call(LATE);
    let (to_value, mut bytes) = receive(None);
    to_bytes.send(vec![0, 0, 0, 0, 0, 0, 1, 2]).expect("somebody waits");
    assert_eq!(value.try_recv(), Ok(258));
    to_value.send(258).expect("somebody waits");
    assert_eq!(bytes.try_recv(), Ok(vec![0, 0, 0, 0, 0, 0, 1, 2]));
    assert!(no_task_is_left().await);
}

/// A port that outlives its runtime, as one in a program that ends with a call on its way.
fn outlive(runtime: tokio::runtime::Runtime) {
    let (port, answer) = runtime.block_on(async { receive(LATE) });
    drop(runtime);
    // Neither of these panics, nor did a thread of the runtime.
    drop(port.send(258));
    drop(answer);
}

#[test]
fn a_runtime_may_end_while_calls_wait() {
    outlive(
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("it is there"),
    );
    outlive(
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("it is there"),
    );
}

#[tokio::test]
async fn a_thread_of_no_runtime_may_answer_too_late() {
    let (port, answer) = receive(SOON);
    // This thread is the runtime's only one, so the timer is late, too.
    let sent = std::thread::spawn(move || {
        std::thread::sleep(SOON.expect("it is there") + SOON.expect("it is there"));
        port.send(258).is_ok()
    });
    assert!(sent.join().is_ok(), "it panicked");
    assert!(answer.await.is_err(), "it came too late");
}

#[tokio::test]
async fn a_call_whose_caller_left_leaves_nothing_behind() {
    let (port, answer) = call(None);
    drop(answer);
    assert!(!port.is_closed(), "it may still be used");
    port.send(vec![0; 8]).expect("the bytes are still taken");
    assert!(no_task_is_left().await);

    for timeout in [None, LATE] {
        let (port, answer) = receive(timeout);
        drop((port, answer));
        assert!(no_task_is_left().await);
    }
}

/// tokio then refuses to take anything from a channel until the task has yielded, and outside of its worker threads
/// wakes at once who asks.
#[tokio::test(flavor = "multi_thread")]
async fn replies_pass_where_a_task_has_had_its_share_of_the_thread() {
    while tokio::task::coop::has_budget_remaining() {
        let (sender, mut receiver) = oneshot();
        sender.send(()).expect("somebody waits");
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        drop(std::pin::Pin::new(&mut receiver).poll(&mut context));
    }
    let (sent, value) = call(None);
    let (dropped, nothing) = call(LATE);
    let (late, missed) = call(SOON);
    sent.send(vec![0; 8]).expect("somebody waits");
    drop(dropped);
    assert_eq!(value.await, Ok(0));
    assert!(nothing.await.is_err());
    assert!(missed.await.is_err());
    assert!(late.is_closed());
}

#[tokio::test]
async fn a_call_with_wrong_arguments_ends_at_once() {
    let (sender, answer) = oneshot();
    let message = SerializedMessage::Call {
        variant: "Get".to_owned(),
        args: vec![1],
        reply: sender.into(),
        metadata: None,
    };
    assert!(Rich::deserialize(message).is_err());
    assert!(answer.await.is_err());
}
