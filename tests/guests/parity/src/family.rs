//! Children, supervisors and monitors.

use ractor::module::{Child, Restart, SpawnError};
use ractor::pg::GroupChangeMessage;
use ractor::{ActorCell, ActorRef, SupervisionEvent, module};

use crate::{MODULE, ParityMsg, where_is};

/// Starts a child: `name`, `name restarted`, `name in GROUP`, or one that can't be.
pub(crate) async fn spawn(myself: &ActorRef<ParityMsg>, what: &str) -> String {
    let child = |name: &str| Child::of(MODULE).name(name).arguments("a child".to_owned());
    let child = match what.split_once(' ') {
        None => child(what),
        Some((name, "restarted")) => child(name).restart(Restart::Transient),
        Some((name, "failing")) => child(name).arguments("not today".to_owned()),
        Some((_, "unknown")) => Child::of("unknown"),
        Some((name, group)) => child(name).group(group),
    };
    let spawned: Result<ActorRef<ParityMsg>, SpawnError> = module::spawn(myself, child).await;
    match spawned {
        Ok(child) => child.get_name().unwrap_or_default(),
        Err(SpawnError::Failed(_)) => "it failed".to_owned(),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn children(myself: &ActorRef<ParityMsg>) -> String {
    myself.get_children().len().to_string()
}

pub(crate) fn supervisor(myself: &ActorRef<ParityMsg>) -> String {
    myself.try_get_supervisor().is_some().to_string()
}

pub(crate) fn stop(name: &str) -> String {
    with(name, |child| child.stop(Some("enough".to_owned())))
}

pub(crate) fn kill(name: &str) -> String {
    with(name, |child| child.kill())
}

pub(crate) fn stop_children(myself: &ActorRef<ParityMsg>) -> String {
    myself.stop_children(Some("all of you".to_owned()));
    String::new()
}

pub(crate) fn monitor(myself: &ActorRef<ParityMsg>, name: &str) -> String {
    with(name, |other| myself.monitor(other))
}

pub(crate) fn unmonitor(myself: &ActorRef<ParityMsg>, name: &str) -> String {
    with(name, |other| myself.unmonitor(other))
}

fn with(name: &str, action: impl FnOnce(ActorCell)) -> String {
    match where_is(name) {
        Some(actor) => {
            action(actor);
            "done".to_owned()
        }
        None => format!("nobody is called `{name}`"),
    }
}

/// An event as a note.
pub(crate) fn describe(event: &SupervisionEvent) -> String {
    let name = event.actor_cell().and_then(ActorCell::get_name).unwrap_or_default();
    assert_eq!(event.actor_id(), event.actor_cell().map(ActorCell::get_id));
    match event {
        SupervisionEvent::ActorStarted(_) => format!("{name} started"),
        SupervisionEvent::ActorTerminated(_, _, reason) => {
            format!("{name} ended: {}", reason.as_deref().unwrap_or("no reason"))
        }
        SupervisionEvent::ActorFailed(_, error) => format!("{name} failed: {error}"),
        SupervisionEvent::ProcessGroupChanged(change) => {
            let verb = match change {
                GroupChangeMessage::Join(_, _, actors) => format!("{} joined", actors.len()),
                GroupChangeMessage::Leave(_, _, actors) => format!("{} left", actors.len()),
            };
            format!("{verb} {}", change.get_group())
        }
        SupervisionEvent::PidLifecycleEvent(_) => "a pid".to_owned(),
    }
}
