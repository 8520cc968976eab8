//! Actors whose handlers wait, on a host that writes down what it is asked for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::future::{pending, poll_fn};
use std::task::Poll;

use futures_util::future::{Either, join, join_all, select};

use super::executor::Arrived;
use super::live::Live;
use super::waiting_host::fake::{Asked, take};
use super::waits::{Arrival, Kind, kept, settle};
use super::{Entry, Running as _};
use crate::guest::bindings::ractor::actor::requests::CallError as HostError;
use crate::guest::concurrency::{Duration, Timeout, interval, sleep, timeout};
use crate::guest::message::{BoxedDowncastErr, SerializedMessage};
use crate::guest::requests::{CallError, call};
use crate::guest::rpc::{self, CallResult};
use crate::guest::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, BytesConvertable, Message, RpcReplyPort, SupervisionEvent,
};

/// A call to another actor. A host refuses those of the tag `Refused`.
struct Call(&'static str, RpcReplyPort<u64>);

impl Message for Call {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(SerializedMessage::Call {
            variant: self.0.to_owned(),
            args: Vec::new(),
            reply: self.1.map_reply(|bytes| u64::try_from_bytes(bytes).ok()),
            metadata: None,
        })
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Call { reply, .. } => {
                Ok(Self("Refused", reply.map_reply(|reply: u64| Some(reply.into_bytes()))))
            }
            _ => Err(BoxedDowncastErr),
        }
    }
}

fn other() -> ActorCell {
    ActorCell::from_pid(ActorId::Local(7).into())
}

async fn ask(tag: &'static str) -> Result<u64, CallError> {
    call(&other(), |reply| Call(tag, reply), None).await
}

/// Does what its messages say, and writes down in its state how far it came.
struct Script;

type Steps = Vec<String>;

impl Actor for Script {
    type Msg = String;
    type State = Steps;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<String>, (): ()) -> Result<Steps, ActorProcessingErr> {
        Ok(Steps::new())
    }

    async fn post_start(&self, _: ActorRef<String>, steps: &mut Steps) -> Result<(), ActorProcessingErr> {
        sleep(Duration::from_millis(1)).await;
        steps.push("started".to_owned());
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<String>,
        message: String,
        steps: &mut Steps,
    ) -> Result<(), ActorProcessingErr> {
        let came = match message.as_str() {
            "ask" => format!("{:?}", ask("Get").await),
            "ask twice" => format!("{:?} {:?}", ask("Get").await, ask("Get").await),
            "ask both" => format!("{:?}", join(ask("A"), ask("B")).await),
            "ask the first of two" => match select(Box::pin(ask("A")), Box::pin(ask("B"))).await {
                Either::Left((reply, _)) | Either::Right((reply, _)) => format!("{reply:?}"),
            },
            "ask many" => format!("{}", join_all((0..1_000).map(|_| ask("Get"))).await.len()),
            "ask all" => {
                let all = [ActorRef::from(other()), ActorRef::from(other())];
                let came = rpc::multi_call(&all, |reply| Call("Get", reply), None).await;
                let came: Vec<CallResult<u64>> = came.map_err(|error| error.to_string())?;
                format!("{came:?}")
            }
            "ask what is refused" => format!("{:?}", ask("Refused").await),
            "sleep" => {
                sleep(Duration::from_micros(1_500)).await;
                "slept".to_owned()
            }
            "ask for a while" => {
                let came: Result<_, Timeout> = timeout(Duration::from_millis(9), ask("Get")).await;
                format!("{came:?}")
            }
            "tick" => {
                let mut ticks = interval(Duration::from_secs(60));
                let first = ticks.tick().await;
                let second = ticks.tick().await;
                format!("{:?}", second - first)
            }
            "wake oneself" => {
                let mut polls = 0;
                poll_fn(|context| {
                    polls += 1;
                    context.waker().wake_by_ref();
                    if polls < 3 { Poll::Pending } else { Poll::Ready(()) }
                })
                .await;
                format!("{polls} polls")
            }
            "fail after a call" => {
                ask("Get").await.unwrap();
                return Err("it failed".into());
            }
            "stop and ask" => {
                myself.stop(Some("enough".to_owned()));
                format!("{:?}", ask("Get").await)
            }
            "wait for nothing" => pending().await,
            said => said.to_owned(),
        };
        steps.push(came);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<String>,
        event: SupervisionEvent,
        steps: &mut Steps,
    ) -> Result<(), ActorProcessingErr> {
        steps.push(format!("{:?}", event.actor_id().unwrap()));
        if event.actor_id() == Some(ActorId::Local(100)) {
            steps.push(format!("{:?}", ask("Event").await));
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<String>, steps: &mut Steps) -> Result<(), ActorProcessingErr> {
        steps.push("stopped".to_owned());
        Err(steps.join(", ").into())
    }
}

/// The actor, and what its host is asked for.
struct Alive(Live<Script>);

impl Alive {
    fn new() -> Self {
        Self(Live::new(Script, Steps::new()))
    }

    fn tell(&mut self, message: &str) -> Result<(), ActorProcessingErr> {
        let args = message.to_owned().into_bytes_of_ractor();
        self.0.handle(SerializedMessage::Cast {
            variant: String::new(),
            args,
            metadata: None,
        })
    }

    /// Tells it something at which it waits. Returns what the host was asked for before it was to hold the mailbox.
    fn waits_at(&mut self, message: &str) -> Vec<Asked> {
        self.tell(message).unwrap();
        held()
    }

    fn bring(&mut self, kind: Kind, number: u64, outcome: Arrived) {
        settle(kind, number, outcome);
        self.0.enter(Entry::Arrival).unwrap();
    }

    fn reply(&mut self, token: u64, reply: u64) {
        self.bring(Kind::Reply, token, Ok(reply.into_bytes_of_ractor()));
    }

    fn event(&mut self, pid: u64) {
        let child = ActorCell::from_pid(ActorId::Local(pid).into());
        self.0
            .enter(Entry::Event(SupervisionEvent::ActorStarted(child)))
            .unwrap();
    }

    /// What it has written down when it has stopped.
    fn steps(mut self) -> String {
        self.0.enter(Entry::PostStop).unwrap_err().to_string()
    }
}

/// `into_bytes` of the trait, which strings have a method of the same name beside.
trait IntoBytes {
    fn into_bytes_of_ractor(self) -> Vec<u8>;
}

impl<T: BytesConvertable> IntoBytes for T {
    fn into_bytes_of_ractor(self) -> Vec<u8> {
        <T as BytesConvertable>::into_bytes(self)
    }
}

/// What the host was asked for before it was to hold the mailbox, which it was.
#[track_caller]
fn held() -> Vec<Asked> {
    let mut asked = take();
    assert_eq!(asked.pop(), Some(Asked::Hold), "after {asked:?}");
    asked
}

fn asked(tag: &str) -> Asked {
    Asked::Ask(tag.to_owned())
}

#[test]
fn a_handler_goes_on_when_its_reply_has_come() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("ask"), [asked("Get")]);
    // Of something else: it waits on.
    actor.reply(99, 0);
    assert_eq!(held(), []);
    actor.reply(1, 5);
    assert_eq!(take(), [], "the mailbox is free");
    actor.tell("next").unwrap();
    assert_eq!(actor.steps(), "Ok(5), next, stopped");
}

#[test]
fn a_handler_waits_as_often_as_it_likes() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("ask twice"), [asked("Get")]);
    actor.reply(1, 5);
    assert_eq!(held(), [asked("Get")]);
    actor.reply(2, 6);
    assert_eq!(actor.steps(), "Ok(5) Ok(6), stopped");
}

#[test]
fn calls_are_under_way_side_by_side_and_replies_come_in_any_order() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("ask both"), [asked("A"), asked("B")]);
    actor.reply(2, 20);
    held();
    actor.reply(1, 10);
    assert_eq!(actor.steps(), "(Ok(10), Ok(20)), stopped");
}

#[test]
fn a_thousand_calls_are_under_way_at_once() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("ask many").len(), 1_000);
    for token in (1..=1_000).rev() {
        actor.reply(token, token);
    }
    assert_eq!(actor.steps(), "1000, stopped");
}

#[test]
fn the_same_call_to_several_is_under_way_at_once() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("ask all"), [asked("Get"), asked("Get")]);
    actor.reply(2, 20);
    actor.bring(Kind::Reply, 1, Err(HostError::Timeout));
    assert_eq!(actor.steps(), "[Timeout, Success(20)], stopped");
}

#[test]
fn a_call_that_nobody_awaits_any_more_is_given_up() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("ask the first of two"), [asked("A"), asked("B")]);
    actor.reply(2, 20);
    assert_eq!(take(), [Asked::CancelAsk(1)]);
    // One that had come before it was given up.
    actor.reply(1, 10);
    assert_eq!(actor.steps(), "Ok(20), stopped");
}

#[test]
fn a_handler_hears_why_there_is_no_reply() {
    let mut actor = Alive::new();
    actor.tell("ask what is refused").unwrap();
    assert_eq!(take(), []);
    actor.waits_at("ask");
    actor.bring(Kind::Reply, 1, Err(HostError::Failed("no soup".to_owned())));
    actor.waits_at("ask");
    actor.bring(Kind::Reply, 2, Err(HostError::WouldDeadlock));
    assert_eq!(
        actor.steps(),
        "Err(Denied), Err(Failed(\"no soup\")), Err(WouldDeadlock), stopped"
    );
}

#[test]
fn sleeps_and_timeouts_are_timers_that_are_given_up_when_nobody_needs_them() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("sleep"), [Asked::Wake(2)], "rounded up");
    actor.bring(Kind::Wake, 1, Ok(Vec::new()));
    assert_eq!(actor.waits_at("ask for a while"), [asked("Get"), Asked::Wake(9)]);
    actor.reply(2, 5);
    assert_eq!(take(), [Asked::CancelWake(3)]);
    actor.waits_at("ask for a while");
    actor.bring(Kind::Wake, 5, Ok(Vec::new()));
    assert_eq!(take(), [Asked::CancelAsk(4)]);
    assert_eq!(actor.steps(), "slept, Ok(Ok(5)), Err(Timeout), stopped");
}

#[test]
fn an_interval_ticks_at_once_and_then_after_each_period() {
    let mut actor = Alive::new();
    let [Asked::Wake(ms)] = actor.waits_at("tick")[..] else {
        panic!("one timer");
    };
    assert!(ms <= 60_000, "{ms}");
    actor.bring(Kind::Wake, 1, Ok(Vec::new()));
    assert_eq!(actor.steps(), "60s, stopped");
}

#[test]
fn news_of_others_wait_in_their_order_until_the_handler_is_done() {
    let mut actor = Alive::new();
    actor.waits_at("ask");
    actor.event(100);
    assert_eq!(held(), [], "the handler that waits is still waited for");
    actor.event(101);
    held();
    actor.reply(1, 5);
    assert_eq!(held(), [asked("Event")], "the handler of the event waits, too");
    actor.reply(2, 6);
    assert_eq!(take(), []);
    assert_eq!(actor.steps(), "Ok(5), Local(100), Ok(6), Local(101), stopped");
}

#[test]
fn a_stop_gives_up_the_handler_and_what_waits_for_it() {
    let mut actor = Alive::new();
    actor.waits_at("ask both");
    actor.event(101);
    take();
    assert_eq!(actor.steps(), "stopped");
    let mut given_up = take();
    given_up.sort_by_key(|asked| format!("{asked:?}"));
    assert_eq!(given_up, [Asked::CancelAsk(1), Asked::CancelAsk(2)]);
    assert_eq!(kept(), 0);
}

#[test]
fn an_actor_that_stops_itself_finishes_what_it_is_at() {
    let mut actor = Alive::new();
    assert_eq!(actor.waits_at("stop and ask"), [asked("Get")]);
    actor.event(101);
    held();
    actor.reply(1, 5);
    assert_eq!(take(), [Asked::Stop(Some("enough".to_owned()))]);
    assert_eq!(actor.steps(), "Ok(5), stopped");
}

#[test]
fn a_handler_that_fails_after_it_has_waited_fails_the_actor() {
    let mut actor = Alive::new();
    actor.waits_at("fail after a call");
    settle(Kind::Reply, 1, Ok(5_u64.into_bytes_of_ractor()));
    let failed = actor.0.enter(Entry::Arrival).unwrap_err();
    assert_eq!(failed.to_string(), "it failed");
}

#[test]
fn the_start_may_wait_and_messages_wait_for_it() {
    let mut actor = Alive::new();
    actor.0.enter(Entry::PostStart).unwrap();
    assert_eq!(held(), [Asked::Wake(1)]);
    // A host that does not hold the mailbox does no harm.
    actor.tell("early").unwrap();
    held();
    actor.bring(Kind::Wake, 1, Ok(Vec::new()));
    assert_eq!(actor.steps(), "started, early, stopped");
}

#[test]
fn a_handler_that_wakes_itself_goes_on_at_once() {
    let mut actor = Alive::new();
    actor.tell("wake oneself").unwrap();
    assert_eq!(take(), []);
    assert_eq!(actor.steps(), "3 polls, stopped");
}

#[test]
#[should_panic(expected = "awaits something that can never complete")]
fn a_handler_that_nothing_can_come_for_is_explained() {
    let _panics = Alive::new().tell("wait for nothing");
}

#[test]
fn nobody_sees_the_state_while_a_handler_has_it() {
    let mut actor = Alive::new();
    actor.waits_at("ask");
    let refused = actor.0.visit(|_, _| Ok(())).unwrap_err();
    assert_eq!(refused.to_string(), "a handler of the actor isn't done");
    actor.reply(1, 5);
    actor
        .0
        .visit(|_, steps| {
            assert_eq!(steps.join(", "), "Ok(5)");
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_wait_among_very_many_that_are_over_keeps_only_itself() {
    let long = Arrival::of(Kind::Reply, 1);
    for token in 2..100_000 {
        let short = Arrival::of(Kind::Reply, token);
        settle(Kind::Reply, token, Ok(Vec::new()));
        drop(short);
        assert!(kept() <= 2, "{} waits are kept", kept());
    }
    drop(long);
    assert_eq!(kept(), 0);
    assert_eq!(take(), [Asked::CancelAsk(1)]);
}
