//! Who waits for whom.

use super::*;
use crate::control::idle::Idle;

const OBSERVER: Asker = Asker::Elsewhere(Role::Observe);

fn worker() -> Arc<RequestWorker> {
    Arc::new(RequestWorker::new(Arc::new(Idle { node: "idle@localhost" }), None))
}

/// Asks what became of a request.
async fn outcome(worker: &RequestWorker, id: RequestId, asker: Asker) -> Answer {
    let place = worker.place(asker).unwrap();
    worker
        .carry_out(Request::Outcome { id }, &[], Role::Deploy, place)
        .await
}

#[tokio::test]
async fn observers_who_wait_keep_no_operator_from_waiting() {
    let (worker, id) = (worker(), RequestId::random());
    let pending = worker.ledger.begin(id).unwrap();
    let waiting: Vec<_> = (0..MOST_READERS)
        .map(|_| {
            let worker = worker.clone();
            tokio::spawn(async move { outcome(&worker, id, OBSERVER).await })
        })
        .collect();
    while worker.readers.left(OBSERVER) > 0 {
        tokio::task::yield_now().await;
    }
    let refused = outcome(&worker, id, OBSERVER).await;
    assert!(matches!(refused, Answer::Busy { .. }), "{refused:?}");
    for asker in [Asker::Here, Asker::Elsewhere(Role::Operate)] {
        let asks = tokio::spawn({
            let worker = worker.clone();
            async move { outcome(&worker, id, asker).await }
        });
        while worker.readers.left(asker) == MOST_READERS {
            assert!(!asks.is_finished(), "{asker:?} has a place of its own");
            tokio::task::yield_now().await;
        }
        asks.abort();
    }
    drop(pending);
    for waits in waiting {
        assert!(matches!(waits.await.unwrap(), Answer::BrokenOff { .. }));
    }
    assert_eq!(worker.readers.left(OBSERVER), MOST_READERS);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_the_outcome_of_a_request() {
    let (worker, id) = (worker(), RequestId::random());
    let _pending = worker.ledger.begin(id).unwrap();
    let answer = outcome(&worker, id, OBSERVER).await;
    assert!(
        matches!(&answer, Answer::Busy { reason } if reason.contains("still worked on")),
        "{answer:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_looks_at_the_cluster_while_a_node_of_it_hangs_takes_no_place_of_others() {
    let worker = worker();
    let looking: Vec<_> = (0..2 * MOST_REQUESTS)
        .map(|_| {
            let worker = worker.clone();
            tokio::spawn(async move {
                let place = worker.place_within(OBSERVER, Duration::from_millis(1)).await.unwrap();
                worker.carry_out(Request::ClusterLinks, &[], Role::Observe, place).await
            })
        })
        .collect();
    while worker.readers.left(OBSERVER) > MOST_READERS - looking.len() {
        tokio::task::yield_now().await;
    }
    assert!(worker.place(OBSERVER).is_ok());
    for looks in looking {
        assert!(matches!(looks.await.unwrap(), Answer::ClusterLinks { .. }));
    }
}
