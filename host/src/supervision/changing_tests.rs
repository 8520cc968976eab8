//! What a running supervisor makes of children that a changed configuration adds and removes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};

use super::{ChildChange, ChildSpec, OnGiveUp, Root, SteerAction, Strategy, SupervisorSpec};
use crate::guest::{RestartIntensity, RestartType};

/// The longest wait for what has to come. With the time of tests it costs none.
const PATIENCE: Duration = Duration::from_secs(1000);

struct Idle;

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Idle {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// How often an actor was started.
type Starts = Arc<AtomicUsize>;

async fn spawn(name: Option<String>, above: ActorCell) -> Result<ActorCell, super::StartError> {
    let (actor, _) = Actor::spawn_linked(name, Idle, (), above).await?;
    Ok(actor.get_cell())
}

/// An actor without a name of its own, so that tests don't meet each other.
fn good(name: &str, starts: &Starts) -> ChildSpec {
    let starts = starts.clone();
    ChildSpec::native(name, RestartType::Permanent, move |above| {
        starts.fetch_add(1, Ordering::SeqCst);
        spawn(None, above)
    })
}

/// An actor without which the node exits, and that never starts.
fn bad(name: &str, starts: &Starts) -> ChildSpec {
    let starts = starts.clone();
    let child = ChildSpec::native(name, RestartType::Permanent, move |_| {
        starts.fetch_add(1, Ordering::SeqCst);
        async { Err("it never starts".into()) }
    });
    child.on_give_up(OnGiveUp::Exit)
}

/// An actor whose start never ends.
fn stuck(name: &str) -> ChildSpec {
    ChildSpec::native(name, RestartType::Permanent, |_| std::future::pending())
}

async fn root(strategy: Strategy, max_restarts: u32, children: Vec<ChildSpec>) -> Root {
    let spec = SupervisorSpec {
        name: "root".to_owned(),
        strategy,
        intensity: RestartIntensity {
            max_restarts,
            ..RestartIntensity::default()
        },
        children,
    };
    Root::start_with(spec).await.expect("the root starts")
}

async fn change(root: &Root, change: ChildChange) -> Result<(), String> {
    let outcomes = root.steering().change("root", vec![change]).await;
    outcomes.into_iter().next().expect("one outcome")
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_a_changed_file_adds_and_that_does_not_start_leaves_its_siblings_alone() {
    for strategy in [Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll] {
        for max_restarts in [0, 5] {
            let (old, new) = (Starts::default(), Starts::default());
            let root = root(strategy, max_restarts, vec![good("old", &old)]).await;
            let outcome = change(&root, ChildChange::Add(bad("new", &new))).await;
            assert_eq!(outcome, Err("`new` did not start: it never starts".to_owned()));
            // Whatever would be done about it is done by now.
            tokio::time::sleep(PATIENCE).await;
            let starts = (old.load(Ordering::SeqCst), new.load(Ordering::SeqCst));
            assert_eq!(starts, (1, 1), "{strategy}, {max_restarts} restarts");
            assert!(root.readiness().is_ready(), "{strategy}, {max_restarts} restarts");
            assert_eq!(change(&root, ChildChange::Remove("new".into())).await, Ok(()));
            // The place is free for it as it should be, and its failures count from then on.
            assert_eq!(change(&root, ChildChange::Add(good("new", &new))).await, Ok(()));
            assert_eq!(root.steering().stopped(), []);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_is_put_back_and_does_not_start_is_tried_again() {
    let starts = Starts::default();
    let root = root(Strategy::OneForOne, 1, Vec::new()).await;
    let outcome = change(&root, ChildChange::PutBack(bad("old", &starts))).await;
    assert!(outcome.is_err());
    let given_up = tokio::time::timeout(PATIENCE, root.essential_given_up()).await;
    assert_eq!(&*given_up.expect("it is given up").actor, "old");
    assert_eq!(starts.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn an_actor_whose_start_never_ends_keeps_no_change_waiting_for_ever() {
    let root = root(Strategy::OneForOne, 5, Vec::new()).await;
    let outcome = tokio::time::timeout(PATIENCE, change(&root, ChildChange::Add(stuck("new")))).await;
    assert_eq!(outcome, Ok(Err("that took longer than 60s".to_owned())));
    let outcome = tokio::time::timeout(PATIENCE, change(&root, ChildChange::Remove("new".into()))).await;
    assert_eq!(outcome, Ok(Err("that took longer than 60s".to_owned())));
    assert!(root.steering().find("new").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_moves_to_another_supervisor_waits_for_its_name() {
    let root = root(Strategy::OneForOne, 5, Vec::new()).await;
    let name = "changing-tests-moves";
    let (before, ended) = Actor::spawn(Some(name.to_owned()), Idle, ()).await.expect("it starts");
    let child = ChildSpec::native(name, RestartType::Permanent, move |above| {
        spawn(Some(name.to_owned()), above)
    });
    let ends = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        before.stop(None);
        ended.await
    };
    let (outcome, _) = tokio::join!(change(&root, ChildChange::Add(child)), ends);
    assert_eq!(outcome, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_after_a_removal_does_not_bring_the_actor_back() {
    let starts = Starts::default();
    let root = root(Strategy::OneForOne, 5, vec![good("old", &starts)]).await;
    let found = root.steering().find("old").expect("it is there");
    assert_eq!(change(&root, ChildChange::Remove("old".into())).await, Ok(()));
    for action in [
        SteerAction::Start,
        SteerAction::Restart,
        SteerAction::Stop,
        SteerAction::Kill,
    ] {
        let refused = Err("it is no part of node.toml any more".to_owned());
        assert_eq!(found.steer(action).await, refused, "{action:?}");
    }
    assert_eq!(starts.load(Ordering::SeqCst), 1);
    assert_eq!(root.steering().stopped(), []);
}
