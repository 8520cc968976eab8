//! One counter, one list of behaviours: native, as a guest in this process, native on another node, and as a guest on
//! another node, the guest in Rust and in other languages. Every behaviour is asked through a plain `ActorRef<CounterMsg>`,
//! which is all that a user holds.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bench_guests::Supervisor;
use counter::{Counter, CounterMsg};
use ractor::{Actor, ActorRef, call_t, cast, pg};
use ractor_host::guest::{Engine, EngineConfig, Grants, GuestOptions, Module, ModuleSource, Profile};
use ractor_host_tests::host::{HostNode, counter_of};
use ractor_host_tests::languages::Language;
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::programs;

use crate::here::{self, RUNTIME, eventually};

/// The count that every counter starts with.
const START: u64 = 100;
/// The longest time for a call, in milliseconds.
const CALL_MS: u64 = 20_000;

/// Makes a test of each behaviour for each place.
macro_rules! behaviours {
    ($($behaviour:ident),* $(,)?) => {
        behaviours!(@place native_here, Place::NativeHere, [$($behaviour),*]);
        behaviours!(@place guest_here, Place::GuestHere, [$($behaviour),*]);
        behaviours!(@place native_there, Place::NativeThere, [$($behaviour),*]);
        behaviours!(@place guest_there, Place::GuestThere, [$($behaviour),*]);
        behaviours!(@place c_here, Place::Here(Language::C), [$($behaviour),*]);
        behaviours!(@place c_there, Place::There(Language::C), [$($behaviour),*]);
        behaviours!(@place javascript_here, Place::Here(Language::JavaScript), [$($behaviour),*]);
        behaviours!(@place javascript_there, Place::There(Language::JavaScript), [$($behaviour),*]);
        behaviours!(@place python_here, Place::Here(Language::Python), [$($behaviour),*]);
        behaviours!(@place python_there, Place::There(Language::Python), [$($behaviour),*]);
    };
    (@place $module:ident, $place:expr, [$($behaviour:ident),*]) => {
        mod $module {
            use super::*;
            $(
                #[test]
                fn $behaviour() {
                    let name = concat!(stringify!($module), "-", stringify!($behaviour));
                    RUNTIME.block_on(async {
                        // None where the tools of a language are missing, which was said.
                        if let Some(subject) = Subject::start($place, name).await {
                            super::$behaviour(subject).await;
                        }
                    });
                }
            )*
        }
    };
}

behaviours!(
    starts_with_its_argument,
    adds_in_order,
    answers_each_of_many_calls_at_once,
    stays_at_the_highest_count,
    knows_its_name,
    sums_the_others_of_its_group,
    adds_to_the_others_of_its_group,
    sums_a_group_of_nobody_to_nothing,
    leaves_its_group_when_it_fails,
);

/// Where a counter runs.
#[derive(Clone, Copy, Debug)]
enum Place {
    NativeHere,
    GuestHere,
    NativeThere,
    GuestThere,
    Here(Language),
    There(Language),
}

/// A counter under test, alone in its group.
struct Subject {
    counter: ActorRef<CounterMsg>,
    /// Its name, and the name of its group.
    name: &'static str,
    /// The node that it runs on, if it isn't this process.
    _node: Option<Node>,
}

/// Keeps another node alive.
enum Node {
    Native { _peer: Peer },
    Guest { _node: HostNode },
}

impl Subject {
    async fn start(place: Place, name: &'static str) -> Option<Self> {
        let (counter, node) = match place {
            Place::NativeHere => (native(name, name).await, None),
            Place::GuestHere => (guest(&programs::guest("counter"), name).await, None),
            Place::NativeThere => {
                let actor = format!("{name}:{name}:{START}");
                let peer = Peer::start(Kind::Stock, name, &["--actor", &actor]);
                (
                    member_at(peer.address(), name).await,
                    Some(Node::Native { _peer: peer }),
                )
            }
            Place::GuestThere => guest_there(&programs::guest("counter"), name).await,
            Place::Here(language) => (guest(&language.counter()?, name).await, None),
            Place::There(language) => guest_there(&language.counter()?, name).await,
        };
        Some(Self {
            counter,
            name,
            _node: node,
        })
    }

    async fn get(&self) -> u64 {
        call_t!(self.counter, CounterMsg::Get, CALL_MS).expect("Get is answered")
    }
}

async fn starts_with_its_argument(subject: Subject) {
    assert_eq!(subject.get().await, START);
}

async fn adds_in_order(subject: Subject) {
    for n in 1..=100 {
        cast!(subject.counter, CounterMsg::Add(n)).expect("Add is sent");
    }
    assert_eq!(subject.get().await, START + 100 * 101 / 2);
    assert_eq!(
        call_t!(subject.counter, CounterMsg::AddAndGet, CALL_MS, 1).expect("an answer"),
        START + 5051
    );
}

async fn answers_each_of_many_calls_at_once(subject: Subject) {
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let counter = subject.counter.clone();
            tokio::spawn(async move { call_t!(counter, CounterMsg::AddAndGet, CALL_MS, 1) })
        })
        .collect();
    let mut answers = BTreeSet::new();
    for call in calls {
        answers.insert(call.await.expect("the call ran").expect("the call is answered"));
    }
    assert_eq!(
        answers,
        (START + 1..=START + 100).collect(),
        "one answer for each, and no two alike"
    );
}

async fn stays_at_the_highest_count(subject: Subject) {
    let most = call_t!(subject.counter, CounterMsg::AddAndGet, CALL_MS, u64::MAX).expect("an answer");
    assert_eq!(most, u64::MAX);
    assert_eq!(subject.get().await, u64::MAX);
}

async fn knows_its_name(subject: Subject) {
    assert_eq!(
        call_t!(subject.counter, CounterMsg::Name, CALL_MS).expect("an answer"),
        subject.name
    );
}

async fn sums_the_others_of_its_group(subject: Subject) {
    let others = [native("", subject.name).await, native("", subject.name).await];
    cast!(others.first().expect("two"), CounterMsg::Add(11)).expect("Add is sent");
    // Another node hears of the new members a little later.
    let sum = async || call_t!(subject.counter, CounterMsg::SumOf, CALL_MS, subject.name.to_owned()).ok();
    eventually("the sum of the two others", sum, |sum| *sum == Some(2 * START + 11)).await;
    assert_eq!(subject.get().await, START);
}

async fn adds_to_the_others_of_its_group(subject: Subject) {
    let other = native("", subject.name).await;
    let sum = async || call_t!(subject.counter, CounterMsg::SumOf, CALL_MS, subject.name.to_owned()).ok();
    eventually("the other to be known", sum, |sum| *sum == Some(START)).await;
    cast!(subject.counter, CounterMsg::AddTo(subject.name.to_owned(), 11)).expect("AddTo is sent");
    let get = async || call_t!(other, CounterMsg::Get, CALL_MS).ok();
    eventually("the other to be added to", get, |count| *count == Some(START + 11)).await;
    assert_eq!(subject.get().await, START, "it isn't one of the others");
}

async fn sums_a_group_of_nobody_to_nothing(subject: Subject) {
    let nobody = "a group without members".to_owned();
    assert_eq!(
        call_t!(subject.counter, CounterMsg::SumOf, CALL_MS, nobody).expect("an answer"),
        0
    );
}

async fn leaves_its_group_when_it_fails(subject: Subject) {
    let bystander = native("", "bystanders").await;
    cast!(subject.counter, CounterMsg::Crash("the test wants it".to_owned())).expect("Crash is sent");
    let group = subject.name.to_owned();
    eventually("it to leave its group", async || pg::get_members(&group), Vec::is_empty).await;
    assert_eq!(call_t!(bystander, CounterMsg::Get, CALL_MS).expect("an answer"), START);
}

/// A native counter of this process. An empty name is none.
async fn native(name: &str, group: &str) -> ActorRef<CounterMsg> {
    let name = (!name.is_empty()).then(|| name.to_owned());
    let (counter, _) = Actor::spawn(name, Counter, START)
        .await
        .expect("a native counter starts");
    pg::join(group.to_owned(), vec![counter.get_cell()]);
    counter
}

/// A guest counter on another node, from this component.
async fn guest_there(component: &Path, name: &str) -> (ActorRef<CounterMsg>, Option<Node>) {
    let node = HostNode::start(name, &counter_of(component, name, name, START));
    (member_at(node.address(), name).await, Some(Node::Guest { _node: node }))
}

/// A guest counter of this process, from this component.
async fn guest(component: &Path, name: &str) -> ActorRef<CounterMsg> {
    let module = load(component).await;
    let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await.expect("a supervisor starts");
    let options = GuestOptions {
        name: Some(name.to_owned()),
        arguments: START.to_be_bytes().to_vec(),
        groups: vec![name.to_owned()],
        profile: Arc::new(Profile {
            grants: Arc::new(Grants::of_actors()),
            ..Profile::default()
        }),
        ..GuestOptions::default()
    };
    let spawned = ractor_host::guest::spawn(&module, options, supervisor.get_cell()).await;
    spawned.expect("a guest counter starts").cell.into()
}

/// What is loaded already is not loaded again.
async fn load(component: &Path) -> Module {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let config = EngineConfig {
            cache_dir: Some(programs::compiled_guests()),
            cache_key: Some(programs::key_of_compiled_guests()),
            ..EngineConfig::default()
        };
        Engine::new(config).expect("an engine")
    });
    let source = ModuleSource {
        name: "counter".to_owned(),
        path: component.to_owned(),
        digest: None,
        source: None,
    };
    ENGINE.load(&source).await.expect("the counter loads")
}

/// The only member of the group, which is on the node at this address.
async fn member_at(address: &str, group: &str) -> ActorRef<CounterMsg> {
    here::connect(address).await;
    let group = group.to_owned();
    let members = eventually(
        "the counter to appear",
        async || pg::get_members(&group),
        |seen| seen.len() == 1,
    )
    .await;
    members.into_iter().next().expect("one").into()
}
