//! Actors that fail too often, and what becomes of their node.

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::tests::config;
use super::*;
use crate::directory;
use crate::supervision::{OnGiveUp, Readiness};

/// Fails at every message.
struct Fragile;

impl Actor for Fragile {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        Err("it is fragile".into())
    }
}

async fn start(lines: &str) -> RunningHost {
    let builder = Host::builder().native("fragile", || Fragile);
    let config = config(&builder, lines);
    builder.start(config).await.unwrap()
}

fn fragile(name: &str, rest: &str) -> String {
    format!("[[actors]]\nname = \"{name}\"\nnative = \"fragile\"\n{rest}\n")
}

const NO_RESTARTS: &str = "[supervisors.root]\nmax_restarts = 0\n";

fn fail(name: &str) {
    let actor = ActorRef::<()>::from(directory::where_is(name).unwrap());
    actor.cast(()).unwrap();
}

/// The actors that are given up, once there are any.
async fn missing(host: &RunningHost) -> Vec<(String, OnGiveUp)> {
    let mut readiness = host.root().readiness_watch().clone();
    let readiness = readiness.until(|readiness| !readiness.is_ready()).await;
    let given_up = readiness.given_up().iter();
    given_up
        .map(|given_up| (given_up.actor.to_string(), given_up.then))
        .collect()
}

/// What becomes of the node when the actor is given up.
async fn after(name: &str, restart: &str, more: &str, node: &str) -> OnGiveUp {
    let rest = format!("restart = \"{restart}\"\n{more}");
    let host = start(&format!("{node}\n{NO_RESTARTS}{}", fragile(name, &rest))).await;
    assert!(host.readiness().is_ready());
    fail(name);
    let missing = missing(&host).await;
    host.shutdown().await;
    let [(actor, then)] = &missing[..] else {
        unreachable!("{missing:?}")
    };
    assert_eq!(actor, name);
    *then
}

#[tokio::test]
async fn a_native_permanent_actor_takes_the_node_with_it_unless_it_is_told_not_to() {
    let (exit, stay) = (OnGiveUp::Exit, OnGiveUp::Stay);
    assert_eq!(after("lost-1", "permanent", "", "").await, exit);
    assert_eq!(after("lost-2", "permanent", "", "on_give_up = \"stay\"").await, stay);
    assert_eq!(after("lost-3", "permanent", "essential = false", "").await, stay);
    assert_eq!(after("lost-4", "transient", "", "on_give_up = \"exit\"").await, stay);
    assert_eq!(after("lost-5", "transient", "essential = true", "").await, exit);
    let told = after("lost-6", "permanent", "essential = true", "on_give_up = \"stay\"").await;
    assert_eq!(told, exit, "the actor's own word counts");
}

#[tokio::test]
async fn the_reason_names_the_actor_its_supervisor_and_the_limit() {
    let lines = format!("{NO_RESTARTS}{}", fragile("lost-why", "essential = true"));
    let host = start(&lines).await;
    fail("lost-why");
    assert_eq!(
        host.essential_given_up().await.to_string(),
        "the actor `lost-why` was given up by the supervisor `root`: more than 0 restarts within 60s, the last one for \
         `lost-why`"
    );
    host.shutdown().await;
}

#[tokio::test]
async fn a_temporary_actor_is_not_missed() {
    let rest = "restart = \"temporary\"";
    let lines = format!(
        "{NO_RESTARTS}{}{}",
        fragile("lost-brief", rest),
        fragile("lost-after", "")
    );
    let host = start(&lines).await;
    fail("lost-brief");
    assert!(host.root().wait_until(|counts| counts.failed == 1).await);
    fail("lost-after");
    assert_eq!(missing(&host).await, [("lost-after".to_owned(), OnGiveUp::Stay)]);
    host.shutdown().await;
}

#[tokio::test]
async fn with_a_supervisor_that_is_given_up_go_all_its_actors() {
    let below = "supervisor = \"pair\"\nessential = false";
    let lines = format!(
        "{NO_RESTARTS}[supervisors.pair]\nstrategy = \"one-for-all\"\nmax_restarts = 0\n{}{}{}",
        fragile("lost-left", below),
        fragile("lost-right", below),
        fragile("lost-beside", ""),
    );
    let host = start(&lines).await;
    fail("lost-left");
    let names: Vec<_> = missing(&host).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["lost-left", "lost-right"]);
    host.shutdown().await;
}

#[tokio::test]
async fn a_root_whose_actors_share_their_fate_gives_them_all_up() {
    let lines = format!(
        "[supervisors.root]\nstrategy = \"one-for-all\"\nmax_restarts = 0\n{}{}",
        fragile("lost-one", "restart = \"permanent\""),
        fragile("lost-all", ""),
    );
    let host = start(&lines).await;
    fail("lost-all");
    // The one that failed would not end the node, but the one that goes with it does.
    assert_eq!(&*host.essential_given_up().await.actor, "lost-one");
    assert_eq!(missing(&host).await.len(), 2);
    host.shutdown().await;
}

#[tokio::test]
async fn an_actor_that_lives_again_is_not_missed_any_more() {
    let lines = format!(
        "[supervisors.outer]\nstrategy = \"one-for-all\"\n[supervisors.inner]\nsupervisor = \"outer\"\nmax_restarts = 0\n{}{}",
        fragile("lost-inner", "supervisor = \"inner\""),
        fragile("lost-outer", "supervisor = \"outer\""),
    );
    let host = start(&lines).await;
    fail("lost-inner");
    assert_eq!(missing(&host).await.len(), 1);
    // With it the supervisor beside it is started again.
    fail("lost-outer");
    let mut readiness = host.root().readiness_watch().clone();
    readiness.until(Readiness::is_ready).await;
    assert!(directory::where_is("lost-inner").is_some());
    host.shutdown().await;
}
