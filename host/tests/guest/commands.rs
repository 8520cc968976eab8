//! What is asked of an actor between two messages: whoever asks one that ends hears of that, and a stop that an instance has set a
//! timer for is its own.

use std::time::Duration;

use ractor_host::guest::{Mode, Module, NotReloaded, Step, Swap};

use crate::reload_support::{Fail, Node, Version, get, version};
use crate::support::{ENGINE, component, load};

/// How an actor ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Stopped,
    Drained,
    Killed,
    Failed,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_asks_something_of_an_actor_that_ends_hears_that_it_has_ended() {
    let node = Node::with(version(1)).await;
    let other = version(2).load().await;
    for round in 0..40_u64 {
        for end in [End::Stopped, End::Drained, End::Killed, End::Failed] {
            let guest = node.start().await;
            let mut asking = tokio::task::JoinSet::new();
            for asker in 0..3 {
                let (live, module) = (guest.live().clone(), other.clone());
                asking.spawn(async move {
                    loop {
                        let said = match asker {
                            0 => live.snapshot().await.map(drop),
                            1 => {
                                live.restart("again and again");
                                live.snapshot().await.map(drop)
                            }
                            _ => {
                                let swap = Swap {
                                    module: module.clone(),
                                    mode: Mode::Snapshot,
                                    probation: 0,
                                };
                                live.reload(swap).await.map(drop)
                            }
                        };
                        if said == Err(NotReloaded::Ended) {
                            break;
                        }
                    }
                });
            }
            // Each round at another moment.
            tokio::time::sleep(Duration::from_micros(round * 50)).await;
            match end {
                End::Stopped => guest.cell.stop(None),
                End::Drained => guest.cell.drain().unwrap(),
                End::Killed => guest.cell.kill(),
                End::Failed => guest.cast("add", &[]),
            }
            let all = async { while asking.join_next().await.is_some() {} };
            if let End::Failed = end {
                // If that was no failure, the actor would go on for ever.
                guest.cell.stop(None);
            }
            let heard = tokio::time::timeout(Duration::from_secs(60), all).await;
            assert!(heard.is_ok(), "{end:?} in round {round}");
        }
    }
}

/// A version that sets a timer for its own stop where `at` is in its text, and is busy until that has fired.
async fn stopping(version: Version, at: &str) -> Module {
    const BUSY: &str = "(call $set_stop)";
    let core = version.core();
    assert!(core.contains(at));
    let core = core
        .replacen("(import", "(import \"ractor:actor/timers@0.1.0\" \"stop-after\" (func $stop_after (param i64 i32)))\n  (import", 1)
        .replacen(
            "(func $ok",
            "(func $set_stop
              (local $n i32)
              (call $stop_after (i64.const 0) (i32.const 64))
              (loop $busy
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $busy (i32.lt_u (local.get $n) (i32.const 100000000)))))
            (func $ok",
            1,
        )
        .replacen(at, &format!("{at} {BUSY}"), 1)
        // A version that is to fail fails at its `post-start`, too.
        .replacen(
            &format!("{POST_START} {BUSY} (call $ok)"),
            &format!("{POST_START} {BUSY} (if (i32.eq (global.get $fail) (i32.const 8)) (then (return (call $err)))) (call $ok)"),
            1,
        );
    load(&ENGINE, &component(&core, "", "export ractor:actor/reload@0.1.0;"))
        .await
        .unwrap()
}

/// Code that is rejected as it starts leaves none of the groups that it has joined to the code before.
#[tokio::test]
async fn groups_of_code_that_does_not_start_are_left() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let joins_and_fails =
        "(call $join (i32.const 352) (i32.const 15) (i32.const 0) (i32.const 0) (i32.const 0)) (return (call $err))";
    let core = version(2)
        .core()
        .replacen(POST_START, &format!("{POST_START} {joins_and_fails}"), 1)
        .replace("reload-leftover", "start-leftovers");
    let module = load(&ENGINE, &component(&core, "", "export ractor:actor/reload@0.1.0;"))
        .await
        .unwrap();
    let swap = Swap {
        module,
        mode: Mode::Restart,
        probation: 0,
    };
    let refused = guest.live().reload(swap).await;
    assert!(
        matches!(refused, Err(NotReloaded::Failed { step: Step::Start, .. })),
        "{refused:?}"
    );
    assert_eq!(ractor::pg::get_members(&"start-leftovers".to_owned()), []);
    let says = get(&guest.cell).await.map(|says| (says.count, says.version));
    assert_eq!(says, Some((5, 1)));
}

const POST_START: &str = "#post-start\") (result i32)";
const POST_RELOAD: &str = "#post-reload\") (result i32)";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_that_new_code_sets_a_timer_for_as_it_starts_comes() {
    for (mode, at) in [(Mode::Restart, POST_START), (Mode::Snapshot, POST_RELOAD)] {
        let node = Node::with(version(1)).await;
        let mut guest = node.start().await;
        let module = stopping(version(2), at).await;
        let swap = Swap {
            module,
            mode,
            probation: 0,
        };
        guest.live().reload(swap).await.unwrap();
        assert!(guest.supervisor.end().await.starts_with("ended"), "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_that_rejected_code_set_a_timer_for_does_not_end_the_code_before() {
    for (mode, at, step) in [
        (Mode::Restart, POST_START, Step::Start),
        (Mode::Snapshot, POST_RELOAD, Step::PostReload),
    ] {
        let node = Node::with(version(1)).await;
        let guest = node.start().await;
        guest.cast("add", &[5]);
        let module = stopping(version(2).failing(Fail::PostReloadError), at).await;
        let swap = Swap {
            module,
            mode,
            probation: 0,
        };
        let refused = guest.live().reload(swap).await;
        assert!(
            matches!(refused, Err(NotReloaded::Failed { step: at, .. }) if at == step),
            "{refused:?}"
        );
        // The second is handled after all that was asked of the actor before the first.
        for _ in 0..2 {
            assert_eq!(
                // Not the count: the fixture adds to it by a timer of its own, which may have fired while the code was busy.
                get(&guest.cell).await.map(|says| says.version),
                Some(1),
                "{mode:?}"
            );
        }
    }
}
