//! What the host asks of an actor that ends: whoever asks hears of it, and waits no longer.

use std::time::Duration;

use ractor_host::guest::{Mode, NotReloaded, Swap};

use crate::reload_support::{Node, version};

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
