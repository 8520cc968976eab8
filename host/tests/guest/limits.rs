//! A guest at its limits: each is named to whoever hears of it.

use std::sync::Arc;
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::{ActorCell, pg};
use ractor_host::directory::{self, BoxFuture, FoundActor, Lent, Node, RemoteActors, SendRefused, WantedActor};
use ractor_host::guest::{Allocation, Engine, EngineConfig, GuestOptions, Limits};

use crate::support::{
    Native, SCRIPT, component, engine_config, load, options, pid_bytes, script, start, start_module, with_limits,
};

fn limited(change: impl FnOnce(&mut Limits)) -> GuestOptions {
    let mut limits = Limits::default();
    change(&mut limits);
    with_limits(limits)
}

#[tokio::test(flavor = "current_thread")]
async fn processor_time() {
    let mut guest = start(limited(|limits| {
        limits.cpu_per_message = Duration::from_millis(20);
    }))
    .await;
    assert_eq!(guest.call("work", b"").await, None);
    let event = guest.supervisor.end().await;
    assert!(
        event.contains("it reached its limit of 20ms of processor time for one message"),
        "{event}"
    );
}

#[tokio::test]
async fn memory() {
    let mut guest = start(limited(|limits| limits.memory_bytes = 4 << 20)).await;
    guest.cast("grow", b"");
    let event = guest.supervisor.end().await;
    assert!(
        event.contains("unreachable")
            && event.contains("after it reached its limit of 4194304 bytes of memory (memory_bytes)"),
        "{event}"
    );
}

#[tokio::test]
async fn memory_at_the_start() {
    let options = limited(|limits| limits.memory_bytes = 1000);
    let error = start_module(&script().await, options).await.err().unwrap();
    let text = error.to_string();
    assert!(text.contains("failed in instantiation"), "{text}");
    assert!(text.contains("its limit of 1000 bytes of memory"), "{text}");
}

#[tokio::test]
async fn core_instances_at_the_start() {
    let options = limited(|limits| limits.core_instances = 0);
    let error = start_module(&script().await, options).await.err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("failed in instantiation: it can't be made: it starts with")
            && text.contains("its limit of 0 core instances"),
        "{text}"
    );
}

#[tokio::test]
async fn messages_in() {
    let guest = start(limited(|limits| limits.message_bytes = 100)).await;
    assert_eq!(guest.call("echo", &[0; 97]).await, None);
    guest.cast("echo", &[0; 97]);
    assert_eq!(guest.call("echo", &[7; 96]).await, Some(vec![7; 96]));
}

#[tokio::test]
async fn messages_out() {
    const TOO_LARGE: u8 = 2;
    let native = Native::start(None).await;
    pg::join("too-large".to_owned(), vec![native.cell.clone()]);
    // `c` and the 9 bytes come in, `echo` and the 9 bytes go out, `native ` and the 9 bytes come back.
    let cases = [
        (9, 16, None),
        (12, 16, Some(vec![TOO_LARGE])),
        (13, 15, Some(vec![TOO_LARGE])),
        (13, 16, Some(b"native too-large".to_vec())),
    ];
    for (message_bytes, reply_bytes, expected) in cases {
        let guest = start(limited(|limits| {
            limits.message_bytes = message_bytes;
            limits.reply_bytes = reply_bytes;
        }))
        .await;
        assert_eq!(guest.call("c", b"too-large").await, expected, "{message_bytes}");
    }
}

#[tokio::test]
async fn replies() {
    const TOO_LARGE: u8 = 2;
    let mut options = limited(|limits| limits.reply_bytes = 20);
    options.name = Some("a-name-that-is-longer-than-20-bytes".to_owned());
    let guest = start(options).await;
    // Returned: dropped. Through the import: refused, and the call can still be answered.
    assert_eq!(guest.call("name", b"").await, None);
    assert_eq!(guest.call("x", b"").await, Some(vec![TOO_LARGE]));
    assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
}

#[tokio::test]
async fn calls_put_off() {
    let guest = start(limited(|limits| limits.deferred_replies = 2)).await;
    let first = guest.ask("defer", b"");
    let second = guest.ask("defer", b"");
    let third = guest.ask("defer", b"");
    assert!(third.await.is_err());
    drop(first);
    let fourth = guest.ask("defer", b"");
    guest.cast("answer", b"room again");
    assert_eq!(fourth.await, Ok(b"room again".to_vec()));
    drop(second);
}

/// A peer that reads nothing: whatever is sent to it waits.
struct Deaf;

impl RemoteActors for Deaf {
    fn stand_in(&self, _: u64) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(std::future::ready(None))
    }

    fn stand_in_named(&self, _: String) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(std::future::ready(None))
    }

    fn look(&self, _: WantedActor) -> BoxFuture<'_, Option<FoundActor>> {
        Box::pin(std::future::ready(None))
    }

    fn lend(&self, _: u64) -> BoxFuture<'_, Option<Lent>> {
        Box::pin(std::future::ready(None))
    }

    fn send(&self, _: u64, _: SerializedMessage) -> BoxFuture<'_, Result<(), SendRefused>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn the_wait_for_a_peer_that_reads_nothing() {
    const OVERLOADED: u8 = 6;
    const PEER: u64 = 4711;
    let name = "deaf@localhost".to_owned();
    directory::add_peer(PEER, Node { name, incarnation: 1 }, Arc::new(Deaf));
    let guest = start(limited(|limits| limits.send_wait = Duration::from_millis(20))).await;
    assert_eq!(guest.call("pid", &pid_bytes(PEER, 1)).await, Some(vec![OVERLOADED]));
    directory::remove_peer(PEER);
}

#[tokio::test]
async fn the_wait_for_a_reply() {
    const TIMEOUT: u8 = 3;
    let silent = start(options()).await;
    let _open = silent.ask("work", b"");
    let guest = start(limited(|limits| limits.call_wait = Duration::from_millis(20))).await;
    let pid = pid_bytes(0, silent.cell.get_id().pid());
    assert_eq!(guest.call("pid", &pid).await, Some(vec![TIMEOUT]));
    silent.cell.kill();
}

#[tokio::test]
async fn groups_and_names() {
    let mut guest = start(limited(|limits| limits.groups = 1)).await;
    guest.cast("join", b"limit-one");
    guest.cast("join", b"limit-one");
    guest.cast("join", b"limit-two");
    let event = guest.supervisor.end().await;
    assert!(event.contains("its limit of 1 process groups"), "{event}");

    let mut guest = start(options()).await;
    guest.cast("join", &[b'x'; 300]);
    let event = guest.supervisor.end().await;
    assert!(event.contains("its limit of 255 bytes for a name"), "{event}");

    for name in [String::new(), "x".repeat(300)] {
        let options = GuestOptions {
            name: Some(name),
            ..options()
        };
        let error = start_module(&script().await, options).await.err().unwrap();
        assert!(error.to_string().contains("must have 1 to 255 bytes"), "{error}");
    }
}

#[tokio::test]
async fn places_in_the_pool() {
    let engine = Engine::new(EngineConfig {
        allocation: Allocation::Pool { guests: 1 },
        ..engine_config()
    })
    .unwrap();
    let module = load(&engine, &component(SCRIPT, "", "")).await.unwrap();
    let first = start_module(&module, options()).await.unwrap();
    let error = start_module(&module, options()).await.err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("failed in instantiation: it could not be made:"),
        "{text}"
    );
    assert!(
        text.contains("1 guests live, as many as there may be (max_guests)"),
        "{text}"
    );
    // The place is free as soon as the first has ended, in whatever way.
    first.cast("trap", b"");
    first.guest.ended.await.unwrap();
    let second = start_module(&module, options()).await.unwrap();
    let busy = second.ask("work", b"");
    second.cell.kill();
    second.guest.ended.await.unwrap();
    assert!(busy.await.is_err());
    let third = start_module(&module, options()).await.unwrap();
    assert_eq!(third.call("echo", b"room").await, Some(b"room".to_vec()));
}
