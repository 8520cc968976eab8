//! The counter as a native actor: the tests of an actor need no WebAssembly.

#![expect(clippy::unwrap_used, reason = "a test")]

use counter::{Counter, CounterMsg};
use ractor::concurrency::{Duration, JoinHandle, timeout};
use ractor::{Actor, ActorProcessingErr, ActorRef, RactorErr, SupervisionEvent, call, call_t, cast, pg};

async fn start(count: u64) -> (ActorRef<CounterMsg>, JoinHandle<()>) {
    Actor::spawn(None, Counter, count).await.unwrap()
}

/// Counters of the given counts in a group of their own.
async fn start_group(group: &str, counts: &[u64]) -> Vec<ActorRef<CounterMsg>> {
    let mut counters = Vec::new();
    for &count in counts {
        counters.push(start(count).await.0);
    }
    pg::join(group.to_owned(), counters.iter().map(ActorRef::get_cell).collect());
    counters
}

#[tokio::test]
async fn counts_up_from_its_start_argument() {
    let (counter, _) = start(5).await;
    assert_eq!(call!(counter, CounterMsg::Get).unwrap(), 5);
    cast!(counter, CounterMsg::Add(2)).unwrap();
    assert_eq!(call!(counter, CounterMsg::Get).unwrap(), 7);
    assert_eq!(call_t!(counter, CounterMsg::AddAndGet, 10_000, 3).unwrap(), 10);
}

#[tokio::test]
async fn stays_at_the_largest_number() {
    let (counter, _) = start(u64::MAX - 1).await;
    assert_eq!(call!(counter, CounterMsg::AddAndGet, 2).unwrap(), u64::MAX);
}

#[tokio::test]
async fn sums_up_the_others_of_a_group() {
    let [first, _, _] = start_group("sum", &[1, 20, 300]).await.try_into().unwrap();
    assert_eq!(call!(first, CounterMsg::SumOf, "sum".to_owned()).unwrap(), 320);
    assert_eq!(call!(first, CounterMsg::SumOf, "nobody".to_owned()).unwrap(), 0);
}

#[tokio::test]
async fn adds_to_the_others_of_a_group() {
    let [first, second, third] = start_group("add", &[1, 20, 300]).await.try_into().unwrap();
    cast!(first, CounterMsg::AddTo("add".to_owned(), 5)).unwrap();
    assert_eq!(call!(first, CounterMsg::Get).unwrap(), 1);
    assert_eq!(call!(second, CounterMsg::Get).unwrap(), 25);
    assert_eq!(call!(third, CounterMsg::Get).unwrap(), 305);
}

#[tokio::test]
async fn knows_its_name() {
    let (named, _) = Actor::spawn(Some("ada".to_owned()), Counter, 0).await.unwrap();
    assert_eq!(call!(named, CounterMsg::Name).unwrap(), "ada");
    let (nameless, _) = start(0).await;
    assert_eq!(call!(nameless, CounterMsg::Name).unwrap(), "");
}

#[tokio::test]
async fn a_dropped_call_is_an_error_and_the_counter_carries_on() {
    struct Silent;
    impl Actor for Silent {
        type Msg = CounterMsg;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<CounterMsg>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }

    let (silent, _) = Actor::spawn(None, Silent, ()).await.unwrap();
    let (counter, _) = start(1).await;
    pg::join("silent".to_owned(), vec![silent.get_cell(), counter.get_cell()]);
    let refused = call!(counter, CounterMsg::SumOf, "silent".to_owned());
    assert!(matches!(refused, Err(RactorErr::Messaging(_))), "{refused:?}");
    assert_eq!(call!(counter, CounterMsg::Get).unwrap(), 1);
}

#[tokio::test]
async fn a_crash_reaches_the_supervisor_with_its_reason() {
    struct Supervisor;
    impl Actor for Supervisor {
        type Msg = ();
        type State = Option<tokio::sync::oneshot::Sender<String>>;
        type Arguments = tokio::sync::oneshot::Sender<String>;

        async fn pre_start(
            &self,
            _: ActorRef<()>,
            reasons: Self::Arguments,
        ) -> Result<Self::State, ActorProcessingErr> {
            Ok(Some(reasons))
        }

        async fn handle_supervisor_evt(
            &self,
            _: ActorRef<()>,
            event: SupervisionEvent,
            reasons: &mut Self::State,
        ) -> Result<(), ActorProcessingErr> {
            if let SupervisionEvent::ActorFailed(_, reason) = event
                && let Some(reasons) = reasons.take()
            {
                reasons.send(reason.to_string())?;
            }
            Ok(())
        }
    }

    let (reasons, reason) = tokio::sync::oneshot::channel();
    let (supervisor, _) = Actor::spawn(None, Supervisor, reasons).await.unwrap();
    let (counter, _) = Actor::spawn_linked(None, Counter, 0, supervisor.get_cell())
        .await
        .unwrap();
    cast!(counter, CounterMsg::Crash("on purpose".to_owned())).unwrap();
    let reason = timeout(Duration::from_secs(10), reason).await.unwrap().unwrap();
    assert_eq!(reason, "on purpose");
}
