//! What is asked of a parity actor, wherever it runs.
//!
//! It has been started with the argument `hello`, knows itself as the module [`MODULE`](crate::MODULE), and has the config
//! value `yes` under `parity`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Debug;
use std::pin::Pin;

use ractor::concurrency::{Duration, Instant, sleep};
use ractor::requests::{self, CallError};
use ractor::{ActorCell, ActorRef, MessagingErr, RactorErr, call_t, cast, pg};

use crate::{KNOWN, Parity, ParityMsg};

/// The longest wait for what is expected.
const PATIENCE: Duration = Duration::from_secs(20);
const CALL_MS: u64 = 20_000;

/// How an actor beside the one that is asked is found by its name: perhaps on another node.
pub type Find = Box<dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<ActorCell>> + Send>> + Send + Sync>;

/// The actor that is asked.
pub struct Subject {
    /// The actor.
    pub actor: ActorRef<ParityMsg>,
    /// Its name, which no other has.
    pub name: String,
    /// How those beside it are found.
    pub find: Find,
    /// Where it is.
    pub place: Place,
}

/// Where the actor that is asked is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In this process.
    Here,
    /// In another process, which is another node.
    OtherNode,
}

impl Subject {
    async fn run(&self, chapter: &str, argument: &str) -> String {
        call_t!(
            self.actor,
            ParityMsg::Run,
            CALL_MS,
            chapter.to_owned(),
            argument.to_owned()
        )
        .unwrap()
    }

    /// A name of its own for an actor beside it.
    fn other(&self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    /// A native actor of this process, which it can find.
    async fn native(&self, part: &str) -> ActorRef<ParityMsg> {
        let name = self.other(part);
        let spawned = ractor::Actor::spawn(Some(name.clone()), Parity, "native".to_owned()).await;
        let (actor, _) = spawned.unwrap();
        pg::join(KNOWN.to_owned(), vec![actor.get_cell()]);
        eventually(
            "the native actor to be known",
            async || self.run("where is", &name).await,
            |id| !id.is_empty(),
        )
        .await;
        actor
    }

    /// Spawns a child and waits until the actor has heard of it.
    async fn spawn(&self, part: &str, how: &str) -> ActorRef<ParityMsg> {
        let name = self.other(part);
        assert_eq!(self.run("spawn", &format!("{name}{how}")).await, name);
        self.hears(&format!("{name} started")).await;
        self.find_child(&name).await
    }

    /// The child of this name. To others those of a guest are below it; on another node it is known a little later.
    async fn find_child(&self, name: &str) -> ActorRef<ParityMsg> {
        let below = format!("{}/{name}", self.name);
        let find = async || match (self.find)(name.to_owned()).await {
            Some(native) => Some(native),
            None => (self.find)(below.clone()).await,
        };
        eventually(name, find, Option::is_some).await.unwrap().into()
    }

    /// Waits until it has noted this.
    async fn hears(&self, note: &str) {
        self.hears_what(note, |each| each == note).await;
    }

    /// Waits until it has noted something like this.
    async fn hears_what(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        let heard = |notes: &Vec<String>| notes.iter().any(|note| is_it(note));
        eventually(what, async || notes(&self.actor).await, heard).await;
    }

    /// The note of the end of an actor of this process. Its reason doesn't travel between nodes.
    async fn hears_end_of_native(&self, part: &str, reason: &str) {
        let name = self.other(part);
        let note = format!("{name} ended: {reason}");
        let far = self.place == Place::OtherNode;
        self.hears_what(&note, |each| {
            each == note || far && each.starts_with(&format!("{name} ended: "))
        })
        .await;
    }
}

async fn notes(actor: &ActorRef<ParityMsg>) -> Vec<String> {
    let notes = call_t!(actor, ParityMsg::Notes, CALL_MS).unwrap();
    notes.lines().map(str::to_owned).collect()
}

/// Looks again and again until what is seen is accepted.
async fn eventually<T: Debug>(what: &str, mut look: impl AsyncFnMut() -> T, accept: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look().await;
        if accept(&seen) {
            return seen;
        }
        assert!(
            Instant::now() < deadline,
            "waited in vain for {what}; the last look saw {seen:?}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

/// Starts, remembers, and knows its name.
pub async fn remembers(subject: Subject) {
    cast!(subject.actor, ParityMsg::Note("more".to_owned())).unwrap();
    let started = format!("started {}", subject.name);
    assert_eq!(notes(&subject.actor).await, ["hello", &started, "more"]);
    assert_eq!(subject.run("name", "").await, subject.name);
    let id = subject.run("where is", &subject.name).await;
    assert!(id.ends_with(&format!(".{}", subject.actor.get_id().pid())), "{id}");
    assert_eq!(subject.run("where is", "nobody at all").await, "");
    assert_eq!(subject.run("supervisor", "").await, "true");
}

/// Handles what one sender sends in its order, calls among casts, and what it tells itself after that.
pub async fn keeps_order(subject: Subject) {
    for number in 0..300 {
        cast!(subject.actor, ParityMsg::Note(number.to_string())).unwrap();
        if number % 50 == 49 {
            let count = call_t!(subject.actor, ParityMsg::Count, CALL_MS).unwrap();
            assert_eq!(count, 2 + number + 1, "a call sees what was sent before");
        }
    }
    let expected: Vec<String> = (0..300).map(|number: u64| number.to_string()).collect();
    assert_eq!(notes(&subject.actor).await.split_off(2), expected);
}

/// Reads what it is told.
pub async fn reads_its_config(subject: Subject) {
    assert_eq!(subject.run("config", "parity").await, "yes");
    assert_eq!(subject.run("config", "nothing").await, "");
    assert!(subject.run("configs", "").await.contains("(\"parity\", \"yes\")"));
}

/// Casts and calls in every way there is.
pub async fn reaches_others(subject: Subject) {
    let other = subject.native("other").await;
    let name = subject.other("other");
    assert_eq!(subject.run("call", &name).await, "5");
    assert_eq!(subject.run("derived", &name).await, "7");
    let another = subject.native("another").await;
    let both = format!("{name},{}", subject.other("another"));
    assert_eq!(subject.run("many", &both).await, "2");
    assert_eq!(subject.run("address", &name).await, "found");
    another.stop(None);
    other.stop(None);
}

/// Gives up waiting, and hears that others have.
pub async fn gives_up_and_is_given_up(subject: Subject) {
    let other = subject.native("other").await;
    assert_eq!(subject.run("give up", &subject.other("other")).await, "timeout");
    let given_up = call_t!(subject.actor, ParityMsg::Later, 20);
    assert!(matches!(given_up, Err(RactorErr::Timeout)), "{given_up:?}");
    // Whatever is between them gives up a moment later.
    sleep(Duration::from_secs(1)).await;
    for actor in [&other, &subject.actor] {
        cast!(actor, ParityMsg::Answer(1)).unwrap();
        assert!(notes(actor).await.contains(&"nobody waits".to_owned()));
    }
    other.stop(None);
}

/// Fails calls for a reason, at once and later, and hears why its own fail. It goes on as if nothing had been.
pub async fn fails_calls(subject: Subject) {
    let patience = Some(PATIENCE);
    let before = notes(&subject.actor).await;
    let refuse = |reply| ParityMsg::Refuse("größer\nthan that".to_owned(), reply);
    let refused = requests::call(&subject.actor, refuse, patience).await;
    assert_eq!(refused, Err(CallError::Failed("größer\\nthan that".to_owned())));
    let unheard = call_t!(subject.actor, ParityMsg::Refuse, CALL_MS, "unheard".to_owned());
    assert!(
        matches!(unheard, Err(RactorErr::Messaging(MessagingErr::ChannelClosed))),
        "{unheard:?}"
    );

    let actor = subject.actor.clone();
    let kept = ractor::concurrency::spawn(async move { requests::call(&actor, ParityMsg::Later, patience).await });
    let refusals = async {
        loop {
            cast!(subject.actor, ParityMsg::RefuseKept("late".to_owned())).unwrap();
            sleep(Duration::from_millis(20)).await;
        }
    };
    let refusals = ractor::concurrency::timeout(PATIENCE, refusals);
    let refused = first(async { kept.await.unwrap() }, refusals).await;
    assert_eq!(refused, Some(Err(CallError::Failed("late".to_owned()))));

    let other = subject.native("other").await;
    assert_eq!(subject.run("refused", &subject.other("other")).await, "not today, true");
    other.stop(None);
    assert_eq!(notes(&subject.actor).await, before, "it was never restarted");
}

/// Answers a call while it handles a later message, or drops it.
pub async fn answers_later(subject: Subject) {
    let call = |actor: ActorRef<ParityMsg>| {
        ractor::concurrency::spawn(async move { call_t!(actor, ParityMsg::Later, CALL_MS) })
    };
    let kept = call(subject.actor.clone());
    // As soon as it is kept, the answer reaches it; before, it is noted.
    let answers = async {
        loop {
            cast!(subject.actor, ParityMsg::Answer(5)).unwrap();
            sleep(Duration::from_millis(20)).await;
        }
    };
    let answers = ractor::concurrency::timeout(PATIENCE, answers);
    let reply = async { kept.await.unwrap().unwrap() };
    assert_eq!(first(reply, answers).await, Some(5));

    let dropped = call(subject.actor.clone());
    let drops = async {
        loop {
            call_t!(subject.actor, ParityMsg::Drop, CALL_MS).unwrap();
            sleep(Duration::from_millis(20)).await;
        }
    };
    let drops = ractor::concurrency::timeout(PATIENCE, drops);
    let error = async { dropped.await.unwrap().unwrap_err() };
    let error = first(error, drops).await;
    assert!(matches!(error, Some(RactorErr::Messaging(_))), "{error:?}");
}

/// What the one comes to, if it ends before the other.
async fn first<T, U>(one: impl Future<Output = T>, other: impl Future<Output = U>) -> Option<T> {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    std::future::poll_fn(
        |context| match (one.as_mut().poll(context), other.as_mut().poll(context)) {
            (std::task::Poll::Ready(result), _) => std::task::Poll::Ready(Some(result)),
            (_, std::task::Poll::Ready(_)) => std::task::Poll::Ready(None),
            _ => std::task::Poll::Pending,
        },
    )
    .await
}

/// Joins, leaves and monitors groups.
pub async fn moves_between_groups(subject: Subject) {
    let group = subject.other("group");
    assert_eq!(subject.run("groups", &group).await, "false");
    subject.run("monitor group", &group).await;
    let other = subject.native("other").await;
    pg::join(group.clone(), vec![other.get_cell()]);
    subject.hears(&format!("1 joined {group}")).await;
    assert_eq!(subject.run("join", &group).await, "2");
    assert_eq!(subject.run("groups", &group).await, "true");
    let is_member = |members: &Vec<ActorCell>| members.contains(&subject.actor);
    eventually("it in the group", async || pg::get_members(&group), is_member).await;
    assert_eq!(subject.run("leave", &group).await, "1");
    other.stop(None);
    subject.hears(&format!("1 left {group}")).await;
    subject.run("demonitor group", &group).await;
}

/// Sets timers, and ends some.
pub async fn keeps_time(subject: Subject) {
    assert_eq!(subject.run("sleep", "5").await, "true");
    subject.run("time", "10").await;
    let count = |notes: &[String], note: &str| notes.iter().filter(|each| *each == note).count();
    let notes = eventually(
        "the timers",
        async || notes(&subject.actor).await,
        |notes| count(notes, "once") == 1 && count(notes, "again") >= 3,
    )
    .await;
    assert_eq!(count(&notes, "never"), 0);

    let child = subject.spawn("child", "").await;
    call_t!(child, ParityMsg::Run, CALL_MS, "exit after".to_owned(), "10".to_owned()).unwrap();
    let ended = format!("{} ended: ", subject.other("child"));
    eventually(
        "its end",
        async || super_notes(&subject).await,
        |notes| notes.contains(&ended),
    )
    .await;
}

async fn super_notes(subject: &Subject) -> String {
    notes(&subject.actor).await.join("\n")
}

/// Starts children, hears of their ends, and ends them.
pub async fn has_children(subject: Subject) {
    for (part, end, heard) in [
        ("stopped", "stop child", "ended: enough"),
        ("killed", "kill child", "ended: killed"),
    ] {
        let child = subject.spawn(part, "").await;
        assert_eq!(
            notes(&child).await,
            ["a child", &format!("started {}", subject.other(part))]
        );
        assert_eq!(subject.run("children", "").await, "1");
        assert_eq!(subject.run(end, &subject.other(part)).await, "done");
        subject.hears(&format!("{} {heard}", subject.other(part))).await;
        assert_eq!(subject.run("children", "").await, "0");
    }
    let first = subject.spawn("first", "").await;
    let second = subject.spawn("second", "").await;
    subject.run("stop children", "").await;
    for part in ["first", "second"] {
        subject
            .hears(&format!("{} ended: all of you", subject.other(part)))
            .await;
    }
    drop((first, second));
}

/// Hears how children fail, and why others don't start.
pub async fn hears_of_failures(subject: Subject) {
    for (part, message) in [
        ("one", ParityMsg::Fail("on purpose".to_owned())),
        ("two", ParityMsg::Exit("on purpose".to_owned())),
    ] {
        let child = subject.spawn(part, "").await;
        cast!(child, message).unwrap();
        let failed = format!("{} failed: ", subject.other(part));
        let notes = eventually(
            "the failure",
            async || notes(&subject.actor).await,
            |notes| notes.iter().any(|note| note.starts_with(&failed)),
        )
        .await;
        assert!(
            notes
                .iter()
                .any(|note| note.starts_with(&failed) && note.ends_with("on purpose")),
            "{notes:?}"
        );
    }
    let stopping = subject.spawn("three", "").await;
    cast!(stopping, ParityMsg::Stop("enough".to_owned())).unwrap();
    subject
        .hears(&format!("{} ended: enough", subject.other("three")))
        .await;

    assert_eq!(subject.run("spawn", "any failing").await, "it failed");
    assert_eq!(
        subject.run("spawn", "any unknown").await,
        "there is no module `unknown` to start an actor of"
    );
    let taken = subject.run("spawn", &subject.name).await;
    assert_eq!(taken, format!("the actor name `{}` is taken", subject.name));
}

/// RestartDecider children that fail, in place.
pub async fn restarts_children(subject: Subject) {
    let child = subject.spawn("child", " restarted").await;
    cast!(child, ParityMsg::Note("soon forgotten".to_owned())).unwrap();
    cast!(child, ParityMsg::Exit("on purpose".to_owned())).unwrap();
    cast!(child, ParityMsg::Note("after that".to_owned())).unwrap();
    let started = format!("started {}", subject.other("child"));
    assert_eq!(notes(&child).await, ["a child", &started, "after that"]);

    let group = subject.other("group");
    let grouped = subject
        .run("spawn", &format!("{} {group}", subject.other("grouped")))
        .await;
    let grouped = [subject.find_child(&grouped).await.get_cell()];
    eventually(
        "it in its group",
        async || pg::get_members(&group),
        |members| members.as_slice() == grouped,
    )
    .await;
}

/// Hears of the end of those that it monitors, until it doesn't want to.
pub async fn monitors_others(subject: Subject) {
    let other = subject.native("other").await;
    let unheard = subject.native("unheard").await;
    for (chapter, part) in [("monitor", "other"), ("monitor", "unheard"), ("unmonitor", "unheard")] {
        assert_eq!(subject.run(chapter, &subject.other(part)).await, "done");
    }
    unheard.stop_and_wait(None, None).await.unwrap();
    other.stop(Some("enough".to_owned()));
    subject.hears_end_of_native("other", "enough").await;
    // That it started may well have been heard: whoever is spawned says so once it runs, which may be after `monitor`.
    let ended = format!("{} ended", subject.other("unheard"));
    assert!(!super_notes(&subject).await.contains(&ended));
}

/// Runs its last callback when it is stopped.
pub async fn says_good_bye(subject: Subject) {
    let listener = subject.native("listener").await;
    let group = format!("last words of {}", subject.name);
    pg::join(group.clone(), vec![listener.get_cell()]);
    let known = async || subject.run("groups", &group).await;
    eventually("the listener to be known", known, |known| known == "true").await;
    cast!(subject.actor, ParityMsg::Stop("enough".to_owned())).unwrap();
    eventually(
        "its last words",
        async || notes(&listener).await,
        |notes| notes.contains(&"bye".to_owned()),
    )
    .await;
    listener.stop(None);
}

/// Makes a test of each behaviour, out of a function that makes the subject of a name.
#[macro_export]
macro_rules! each_behaviour {
    ($subject:path, $run:path) => {
        $crate::each_behaviour!(@each $subject, $run, [
            remembers,
            keeps_order,
            reads_its_config,
            reaches_others,
            gives_up_and_is_given_up,
            answers_later,
            fails_calls,
            moves_between_groups,
            keeps_time,
            has_children,
            hears_of_failures,
            restarts_children,
            monitors_others,
            says_good_bye,
        ]);
    };
    (@each $subject:path, $run:path, [$($behaviour:ident,)*]) => {$(
        #[test]
        fn $behaviour() {
            $run(async {
                let name = concat!(module_path!(), "-", stringify!($behaviour));
                $crate::behaviours::$behaviour($subject(name).await).await;
            });
        }
    )*};
}
