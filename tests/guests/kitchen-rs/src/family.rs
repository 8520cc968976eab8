//! Groups, children, and what is heard of others.

use ractor::module::{self, Child, SpawnError};
use ractor::pg::GroupChangeMessage;
use ractor::{ActorCell, ActorRef, SupervisionEvent, pg, registry};

use crate::messages::KitchenMsg;
use crate::{Rest, State};

/// Handles the messages that are about these.
pub(crate) async fn handle(myself: &ActorRef<KitchenMsg>, message: KitchenMsg, state: &mut State) -> Rest {
    match message {
        KitchenMsg::Join { group } => pg::join(group, vec![myself.get_cell()]),
        KitchenMsg::Leave { group } => pg::leave(group, vec![myself.get_cell()]),
        KitchenMsg::MonitorGroup { group } => pg::monitor(group, myself.get_cell()),
        KitchenMsg::MonitorActor { name } => match registry::where_is(&name) {
            Some(other) => myself.monitor(other),
            None => state.kept.note = "error:not-found".to_owned(),
        },
        KitchenMsg::Forget { name } => {
            if let Some(other) = registry::where_is(&name) {
                myself.unmonitor(other);
            }
        }
        KitchenMsg::WhereIs { name, reply } => reply.send(registry::where_is(&name).is_some())?,
        KitchenMsg::Spawn {
            module,
            name,
            argument,
            reply,
        } => reply.send(spawn(myself, Child::of(module).name(name).arguments(argument)).await)?,
        KitchenMsg::Children { reply } => reply.send(u32::try_from(myself.get_children().len())?)?,
        KitchenMsg::StopChild { name, reply } => {
            let child = child(myself, &name);
            let found = child.map(|child| child.stop(None)).is_some();
            reply.send(found)?;
        }
        KitchenMsg::KillChild { name, reply } => {
            let child = child(myself, &name);
            let found = child.map(|child| child.kill()).is_some();
            reply.send(found)?;
        }
        other => return Ok(Some(other)),
    }
    Ok(None)
}

fn child(myself: &ActorRef<KitchenMsg>, name: &str) -> Option<ActorCell> {
    let mut children = myself.get_children().into_iter();
    children.find(|child| child.get_name().as_deref() == Some(name))
}

async fn spawn(myself: &ActorRef<KitchenMsg>, child: Child) -> String {
    let spawned: Result<ActorRef<KitchenMsg>, SpawnError> = module::spawn(myself, child).await;
    match spawned {
        Ok(_) => "ok".to_owned(),
        Err(SpawnError::Denied(_)) => "error:denied".to_owned(),
        Err(SpawnError::UnknownModule(_)) => "error:unknown-module".to_owned(),
        Err(SpawnError::NameTaken(_)) => "error:name-taken".to_owned(),
        Err(SpawnError::TooMany) => "error:too-many".to_owned(),
        Err(SpawnError::Failed(reason)) => format!("error:failed:{reason}"),
    }
}

/// An event as a text.
pub(crate) fn describe(event: &SupervisionEvent) -> String {
    let name = event.actor_cell().and_then(ActorCell::get_name);
    let name = name.unwrap_or_else(|| "?".to_owned());
    match event {
        SupervisionEvent::ActorStarted(_) => format!("started:{name}"),
        SupervisionEvent::ActorTerminated(_, _, reason) => {
            format!("terminated:{name}:{}", reason.as_deref().unwrap_or_default())
        }
        SupervisionEvent::ActorFailed(_, error) => format!("failed:{name}:{error}"),
        SupervisionEvent::ProcessGroupChanged(change) => {
            let (verb, actors) = match change {
                GroupChangeMessage::Join(_, _, actors) => ("joined", actors),
                GroupChangeMessage::Leave(_, _, actors) => ("left", actors),
            };
            format!("group:{}:{verb}:{}", change.get_group(), actors.len())
        }
        SupervisionEvent::PidLifecycleEvent(_) => "?".to_owned(),
    }
}
