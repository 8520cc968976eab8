//! What an operator reads of a guest is what it did and what it holds.

use std::time::Duration;

use ractor_host::guest::{GuestOptions, Limits, Modules, RestartIntensity, RestartPolicy, RestartType};
use rustix::time::{ClockId, clock_gettime};

use crate::support::{named, script, start, start_module, with_limits};

fn restarted(name: &str, limits: Limits) -> GuestOptions {
    GuestOptions {
        name: Some(name.to_owned()),
        restarting: RestartPolicy::new(RestartType::Permanent, RestartIntensity::default()),
        ..with_limits(limits)
    }
}

#[tokio::test]
async fn messages_and_the_ends_of_calls_are_counted() {
    let guest = start(named("counted")).await;
    for _ in 0..3 {
        assert_eq!(guest.call("echo", b"fine").await, Some(b"fine".to_vec()));
    }
    guest.cast("other", b"");
    let open = guest.ask("defer", b"");
    assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
    let figures = guest.live().figures();
    assert_eq!(figures.done.messages, 6);
    assert_eq!((figures.done.calls_answered, figures.done.calls_failed), (4, 0));
    assert_eq!(figures.open_calls, 1);
    guest.cast("answer", b"late");
    assert_eq!(open.await.ok(), Some(b"late".to_vec()));
    let figures = guest.live().figures();
    assert_eq!((figures.done.calls_answered, figures.open_calls), (5, 0));
}

#[tokio::test]
async fn a_failure_is_shown_with_its_reason_and_backtrace_and_counts_go_on_after_it() {
    let guest = start(restarted("clumsy", Limits::default())).await;
    assert_eq!(guest.live().last_failure(), None);
    assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
    assert_eq!(guest.call("trap", b"").await, None);
    assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
    let done = guest.live().figures().done;
    assert_eq!((done.messages, done.failures, done.restarts), (3, 1, 1));
    assert_eq!((done.calls_answered, done.calls_failed), (2, 1));
    let failure = guest.live().last_failure().unwrap();
    assert_eq!(failure.during, "handle-call `trap`");
    assert!(failure.reason.contains("unreachable"), "{failure:?}");
    assert!(!failure.reason.contains("(at "), "{failure:?}");
    assert_eq!(failure.backtrace[0], "handle_call");
}

#[tokio::test]
async fn memory_is_what_the_instance_has_grown_to_and_goes_with_it() {
    let limits = Limits {
        memory_bytes: 4 << 20,
        ..Limits::default()
    };
    let guest = start(restarted("grower", limits)).await;
    let before = guest.live().figures().memory_bytes;
    assert!((64 << 10..1 << 20).contains(&before), "{before}");
    // It never frees what it was sent.
    let large = vec![0; 1 << 20];
    assert!(guest.call("echo", &large).await.is_some());
    let grown = guest.live().figures().memory_bytes;
    assert!((before + (1 << 20)..=4 << 20).contains(&grown), "{grown}");
    guest.cast("trap", b"");
    assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
    assert_eq!(guest.live().figures().memory_bytes, before);
}

/// Everything runs on the thread of the test, so what the thread had of the processor is the guest's, but for a little.
#[tokio::test(flavor = "current_thread")]
async fn the_processor_time_of_a_guest_is_what_its_thread_had() {
    // Long enough that the end of the instance, and the next one, are little beside it.
    let limits = Limits {
        cpu_per_message: Duration::from_secs(3),
        ..Limits::default()
    };
    let guest = start(restarted("busy", limits)).await;
    let mut seen = Vec::new();
    // More than once if need be: what held the whole process up for longer than the clock of guests makes up for is not counted.
    while seen.len() < 3 {
        assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
        let (before, busy_before) = (thread_time(), guest.live().figures().done.busy);
        // It works until it has used up what it may.
        assert_eq!(guest.call("work", b"").await, None);
        let (took, busy) = (thread_time() - before, guest.live().figures().done.busy - busy_before);
        if (took.mul_f64(0.9)..=took.mul_f64(1.1)).contains(&busy) {
            return;
        }
        seen.push((busy, took));
    }
    panic!("{seen:?}");
}

#[tokio::test]
async fn what_waits_is_shown_while_the_guest_is_busy() {
    let limits = Limits {
        cpu_per_message: Duration::from_secs(60),
        ..Limits::default()
    };
    let guest = start(restarted("full", limits)).await;
    let inbox = ractor_host::directory::inbox(guest.cell.get_id()).unwrap();
    guest.cast("work", b"");
    for _ in 0..5 {
        let message = ractor::message::SerializedMessage::Cast {
            variant: "other".to_owned(),
            args: vec![0; 100],
            metadata: None,
        };
        inbox.put(message).unwrap();
    }
    let figures = guest.live().figures();
    assert_eq!(figures.waiting, 5);
    assert!(figures.waiting_bytes >= 500, "{figures:?}");
    guest.cell.kill();
}

#[tokio::test]
async fn a_module_keeps_what_its_ended_guests_did_and_times_its_handlers() {
    let modules = Modules::default();
    let module = script().await;
    modules.insert(module.clone());
    let figures = || modules.figures().pop().unwrap();
    let before = figures();
    let options = || GuestOptions {
        modules: modules.clone(),
        ..with_limits(Limits::default())
    };
    let (one, other) = (
        start_module(&module, options()).await.unwrap(),
        start_module(&module, options()).await.unwrap(),
    );
    for _ in 0..200 {
        assert_eq!(one.call("echo", b"").await, Some(Vec::new()));
        assert_eq!(other.call("echo", b"").await, Some(Vec::new()));
    }
    assert_eq!(figures().guests, 2);
    one.cell.stop(None);
    one.guest.ended.await.unwrap();
    let now = figures();
    assert_eq!(now.guests, 1);
    // Other tests run guests of this module at the same time.
    assert!(now.done.messages - before.done.messages >= 400);
    assert!(now.handler_times.count > before.handler_times.count);
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}
