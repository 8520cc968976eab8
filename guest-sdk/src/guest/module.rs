//! Children: actors that this one starts and supervises.

pub use crate::common::child::{Child, Restart, SpawnError};

use crate::guest::actor::myself;
use crate::guest::bindings::ractor::actor::lifecycle as host;
use crate::guest::runtime::incoming;
use crate::guest::{ActorCell, ActorRef, Message};

/// Starts a child of this actor: a guest of another module of the node, or of this one. It is there when this returns,
/// and ends when this actor ends. Its end is heard in `handle_supervisor_evt`.
///
/// That the module's actor handles `TMessage` is not checked.
///
/// # Errors
/// There is no child, and why. `parent` must be this actor.
pub async fn spawn<TMessage: Message>(parent: &ActorCell, child: Child) -> Result<ActorRef<TMessage>, SpawnError> {
    if *parent != myself() {
        let reason = format!(
            "the parent is {}, but a guest can start children of its own only",
            parent.get_id()
        );
        return Err(SpawnError::Failed(reason));
    }
    incoming::flush();
    let Child {
        module,
        name,
        arguments,
        groups,
        restart,
    } = child;
    let child = host::Child {
        module: module.clone(),
        name: name.clone(),
        arguments,
        groups,
        restart: match restart {
            Restart::Temporary => host::Restart::Temporary,
            Restart::Transient => host::Restart::Transient,
            Restart::Permanent => host::Restart::Permanent,
        },
    };
    match host::spawn(&child) {
        Ok(pid) => Ok(match &name {
            Some(name) => ActorCell::named(pid, name),
            None => ActorCell::from_pid(pid),
        }
        .into()),
        Err(error) => Err(match error {
            host::SpawnError::Denied => SpawnError::Denied(module),
            host::SpawnError::UnknownModule => SpawnError::UnknownModule(module),
            host::SpawnError::NameTaken => SpawnError::NameTaken(name.unwrap_or_default()),
            host::SpawnError::TooMany => SpawnError::TooMany,
            host::SpawnError::Failed(reason) => SpawnError::Failed(reason),
        }),
    }
}
