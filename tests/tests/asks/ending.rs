//! A stop, a kill and a drain while a handler is pending.

use ractor_host::directory;

use crate::support::{Guest, asked, start, until, within};

/// A guest with a handler that waits for the other, and messages behind it.
async fn pending(other: &Guest) -> (Guest, crate::support::Answer) {
    let asker = start().await;
    let answer = asker.ask("do", &format!("ask {} put-off; await; log done", other.pid()));
    asked(other, 1).await;
    asker.cast("note", "kept");
    asker.cast_natively("note", "natively");
    (asker, answer)
}

#[tokio::test]
async fn a_stop_comes_at_once_and_callers_hear() {
    let other = start().await;
    let (mut asker, answer) = pending(&other).await;
    let kept = asker.ask("log", "");
    asker.cell().stop(Some("enough".to_owned()));
    assert_eq!(asker.end().await, "ended: enough");
    assert_eq!(answer.get().await, None);
    assert_eq!(kept.get().await, None);
    // Whoever was asked finds that nobody waits.
    assert_eq!(other.call("answer", "late").await.unwrap(), "");
}

#[tokio::test]
async fn a_kill_comes_at_once_and_callers_hear() {
    let other = start().await;
    let (mut asker, answer) = pending(&other).await;
    asker.cell().kill();
    assert_eq!(asker.end().await, "ended: killed");
    assert_eq!(answer.get().await, None);
}

#[tokio::test]
async fn a_restart_comes_at_once_and_what_was_kept_is_handled() {
    let other = start().await;
    let (asker, answer) = pending(&other).await;
    let log = asker.ask("log", "");
    asker.handle.restart("test");
    assert_eq!(answer.get().await, None);
    assert_eq!(log.get().await.unwrap(), "kept,natively");
    other.call("answer", "to the instance before").await;
    assert_eq!(asker.call("echo", "lives").await.unwrap(), "lives");
}

#[tokio::test]
async fn a_drain_waits_for_the_handler_and_handles_what_was_kept() {
    let other = start().await;
    let (mut asker, answer) = pending(&other).await;
    let log = asker.ask("log", "");
    directory::inbox(asker.cell().get_id()).unwrap().drains();
    let cell = asker.cell().clone();
    let drained = tokio::spawn(async move { cell.drain_and_wait(None).await });
    until("it doesn't drain", async || {
        asker.cell().get_status() >= ractor::ActorStatus::Stopping
    })
    .await;
    other.call("answer", "in time").await;
    assert_eq!(answer.get().await.unwrap(), "in time");
    assert_eq!(log.get().await.unwrap(), "done,kept,natively");
    within(drained).await.unwrap().unwrap();
    assert_eq!(asker.end().await, "ended: Drained");
}

#[tokio::test]
async fn a_guest_that_stops_itself_ends_when_its_handler_is_done() {
    let mut asker = start().await;
    let answer = asker.ask("do", "stop; sleep 1; log done");
    assert_eq!(answer.get().await.unwrap(), "");
    assert_eq!(asker.end().await, "ended: ");
}
