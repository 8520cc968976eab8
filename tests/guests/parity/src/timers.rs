//! Time.

use ractor::concurrency::{Duration, Instant, JoinHandle, sleep as wait};
use ractor::{ActorRef, MessagingErr, time};

use crate::ParityMsg;

/// Sets timers that add notes, and some that don't because they are ended at once.
pub(crate) async fn time(myself: &ActorRef<ParityMsg>, millis: &str) -> String {
    let period = Duration::from_millis(millis.parse().unwrap_or(1));
    let _once: JoinHandle<Result<(), MessagingErr<ParityMsg>>> =
        time::send_after(period, myself.get_cell(), || ParityMsg::Note("once".to_owned()));
    let _again: JoinHandle<()> = time::send_interval(period, myself.get_cell(), || ParityMsg::Note("again".to_owned()));
    myself
        .send_after(period, || ParityMsg::Note("never".to_owned()))
        .abort();
    myself
        .send_interval(period, || ParityMsg::Note("never".to_owned()))
        .abort();
    time::exit_after(period, myself.get_cell()).abort();
    String::new()
}

pub(crate) fn exit_after(myself: &ActorRef<ParityMsg>, millis: &str) -> String {
    myself.exit_after(Duration::from_millis(millis.parse().unwrap_or(1)));
    String::new()
}

pub(crate) async fn sleep(millis: &str) -> String {
    let period = Duration::from_millis(millis.parse().unwrap_or(1));
    let before = Instant::now();
    wait(period).await;
    (before.elapsed() >= period).to_string()
}
