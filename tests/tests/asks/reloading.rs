//! New code, and a look at the state, while a handler is pending or asks are outstanding.

use std::time::Duration;

use ractor_host::guest::{GuestOptions, Mode, Modules, NotReloaded, Swap, Swapped, Tier};

use crate::support::{Guest, asked, baseline, module, options, start, until, within};

async fn swap(version: u8, probation: u32) -> Swap {
    Swap {
        module: module(version).await,
        mode: Mode::Snapshot,
        probation,
    }
}

/// Begins a reload in a task of its own.
async fn reload(guest: &Guest, swap: Swap) -> tokio::task::JoinHandle<Result<Swapped, NotReloaded>> {
    let live = guest.handle.live().clone();
    tokio::spawn(async move { live.reload(swap).await })
}

#[tokio::test]
async fn new_code_waits_until_no_handler_is_pending() {
    for mailbox in ["", "open;"] {
        let (asker, other) = (start().await, start().await);
        let answer = asker.ask("do", &format!("{mailbox}ask {} put-off; await; log done", other.pid()));
        asked(&other, 1).await;
        let reloaded = reload(&asker, swap(2, 0).await).await;
        let (before, waiting) = (asker.handle.live().module().digest(), asker.handle.live().waiting());
        // It looks at what is asked before this message, and then it may not be given it.
        let log = asker.ask("log", "");
        until("the message isn't kept", async || {
            asker.handle.live().waiting() > waiting
        })
        .await;
        assert_eq!(asker.handle.live().module().digest(), before);
        assert!(!reloaded.is_finished());
        other.call("answer", "x").await;
        within(reloaded).await.unwrap().unwrap();
        assert_eq!(answer.get().await.unwrap(), "x", "of the code before");
        assert_eq!(log.get().await.unwrap(), "done", "by the new code");
        assert_ne!(asker.handle.live().module().digest(), before);
    }
}

#[tokio::test]
async fn patience_over_leaves_the_actor_as_it_was() {
    for mailbox in ["", "open;"] {
        let (asker, other) = (start().await, start().await);
        let answer = asker.ask("do", &format!("{mailbox}ask {} put-off; await; log done", other.pid()));
        asked(&other, 1).await;
        let before = asker.handle.live().module().digest();
        let swap = swap(2, 0).await;
        let impatient = tokio::time::timeout(Duration::from_millis(20), asker.handle.live().reload(swap)).await;
        assert!(impatient.is_err());
        if mailbox == "open;" {
            // Nothing holds the mailbox any more.
            assert_eq!(asker.call("echo", "goes on").await.unwrap(), "goes on");
        }
        other.call("answer", "x").await;
        assert_eq!(answer.get().await.unwrap(), "x");
        assert_eq!(asker.log().await, "done");
        assert_eq!(asker.handle.live().module().digest(), before);
    }
}

#[tokio::test]
async fn the_state_is_not_asked_for_in_the_middle_of_a_handler() {
    let (asker, other) = (start().await, start().await);
    asker.cast(
        "do",
        &format!("log begun; ask {} put-off; await; log done", other.pid()),
    );
    asked(&other, 1).await;
    let live = asker.handle.live().clone();
    let snapshot = tokio::spawn(async move { live.snapshot().await });
    let impatient = tokio::time::timeout(Duration::from_millis(20), asker.handle.live().snapshot()).await;
    assert!(impatient.is_err());
    other.call("answer", "").await;
    let snapshot = within(snapshot).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(snapshot.state).unwrap(), "begun,done");
}

#[tokio::test]
async fn a_look_at_the_state_keeps_no_open_mailbox_waiting() {
    let (asker, other) = (start().await, start().await);
    asker.cast("do", &format!("open; ask {} put-off; await; log done", other.pid()));
    asked(&other, 1).await;
    let live = asker.handle.live().clone();
    let snapshot = tokio::spawn(async move { live.snapshot().await });
    for number in 0..10 {
        assert_eq!(
            asker.call("echo", &number.to_string()).await.unwrap(),
            number.to_string()
        );
    }
    assert!(!snapshot.is_finished());
    other.call("answer", "").await;
    let snapshot = within(snapshot).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(snapshot.state).unwrap(), "done");
}

#[tokio::test]
async fn asks_that_nobody_is_pending_for_go_along() {
    let (asker, other) = (start().await, start().await);
    asker.call("do", &format!("ask {} put-off; wake 30", other.pid())).await;
    asked(&other, 1).await;
    within(asker.handle.live().reload(swap(2, 0).await)).await.unwrap();
    other.call("answer", "to the new code").await;
    // It knows nothing of it, and goes on.
    assert_eq!(asker.call("echo", "lives").await.unwrap(), "lives");
}

#[tokio::test]
async fn code_on_trial_proves_itself_by_handlers_that_are_done() {
    let (asker, other) = (start().await, start().await);
    let mut proof = within(asker.handle.live().reload(swap(2, 1).await))
        .await
        .unwrap()
        .proof;
    let answer = asker.ask("do", &format!("ask {} put-off; await", other.pid()));
    asked(&other, 1).await;
    assert!(proof.heard().is_none(), "it isn't done");
    other.call("answer", "x").await;
    assert_eq!(answer.get().await.unwrap(), "x");
    within(proof.proven()).await.unwrap();
}

#[tokio::test]
async fn code_that_is_taken_back_leaves_no_caller_waiting() {
    let (asker, other) = (start().await, start().await);
    let before = asker.handle.live().module().digest();
    let mut proof = within(asker.handle.live().reload(swap(2, 5).await))
        .await
        .unwrap()
        .proof;
    let answer = asker.ask(
        "do",
        &format!("ask {0} put-off; ask {0} put-off; any; fail now", other.pid()),
    );
    asked(&other, 2).await;
    asker.cast("note", "kept");
    let log = asker.ask("log", "");
    other.call("answer", "x").await;
    assert_eq!(answer.get().await, None);
    within(proof.proven()).await.unwrap_err();
    assert_eq!(log.get().await.unwrap(), "kept", "by the code before");
    assert_eq!(asker.handle.live().module().digest(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn optimized_code_waits_for_a_pending_handler_and_keeps_no_message_waiting() {
    let (modules, module) = (Modules::default(), baseline().await);
    modules.insert(module.clone());
    let options = GuestOptions {
        modules: modules.clone(),
        ..options()
    };
    let (asker, other) = (Guest::of(&module, options).await, start().await);
    let answer = asker.ask("do", &format!("open; ask {} put-off; await; log done", other.pid()));
    asked(&other, 1).await;
    let tier_up = tokio::spawn({
        let modules = modules.clone();
        async move { modules.tier_up().await }
    });
    let is_ready = || modules.find("asker").map(|module| module.tier()) == Some(Tier::Optimized);
    until("no optimized code", async || is_ready()).await;
    // Each of these is handled although the guest is to go over.
    for _ in 0..20 {
        assert_eq!(asker.call("echo", "goes on").await.unwrap(), "goes on");
    }
    assert_eq!(asker.handle.live().module().tier(), Tier::Baseline);
    other.call("answer", "x").await;
    assert_eq!(answer.get().await.unwrap(), "x");
    until("it doesn't go over", async || {
        asker.handle.live().module().tier() == Tier::Optimized
    })
    .await;
    assert_eq!(asker.log().await, "done", "with its state");
    tier_up.abort();
}
