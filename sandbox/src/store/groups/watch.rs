//! Hears of changes in process groups on behalf of one instance.
//!
//! ractor would put each change straight into the guest's supervision port, which has no limit, and a scope can be monitored
//! as a whole only. So a native actor stands between, which never waits: it passes on what the guest asked for, as long as
//! not too much is on its way.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent, pg};

use super::membership::{Group, Groups};
use crate::accounting::family::Share;
use crate::accounting::label::Label;
use crate::accounting::telemetry;

/// See the module. What it monitors ends when it is dropped.
pub(crate) struct GroupWatch {
    watcher: ActorCell,
    watched: Watched,
}

/// Each with its part of what the family may monitor.
type Watched = Arc<Mutex<HashMap<Group, Share>>>;

/// Whom a watcher watches for, and for what.
pub(crate) struct WatchingActor {
    pub(crate) actor: ActorCell,
    pub(crate) label: Label,
    pub(crate) groups: Arc<Groups>,
    /// Changes that may be on their way to the actor. Those beyond it are counted as dead letters.
    pub(crate) limit: usize,
}

impl GroupWatch {
    pub(crate) async fn start(client: WatchingActor) -> Result<Self, SpawnErr> {
        let watched = Watched::default();
        let guest = client.actor.clone();
        let watching = Watching {
            client,
            watched: watched.clone(),
            left_out: 0,
        };
        let (watcher, _) = Actor::spawn(None, Watcher, watching).await?;
        let watcher = watcher.get_cell();
        // So that what the watcher tells its monitors is the guest's to hear; nobody else monitors it.
        guest.monitor(watcher.clone());
        Ok(Self { watcher, watched })
    }

    /// How many groups are watched.
    pub(crate) fn len(&self) -> usize {
        self.watched.lock().len()
    }

    pub(crate) fn watches(&self, group: &Group) -> bool {
        self.watched.lock().contains_key(group)
    }

    pub(crate) fn begin(&self, group: Group, share: Share) {
        let watcher = self.watcher.clone();
        // Before ractor is told, or the first change would come to a watcher that doesn't know the group.
        self.watched.lock().insert(group.clone(), share);
        match group.scope {
            Some(scope) => pg::monitor_scope(scope, watcher),
            None => pg::monitor(group.name, watcher),
        }
    }

    pub(crate) fn end(&self, group: Group) {
        let mut watched = self.watched.lock();
        watched.remove(&group);
        // ractor knows whole scopes only, which the other groups of this one still need.
        let scope_is_watched = watched.keys().any(|other| other.scope == group.scope);
        // ractor has locks of its own, and none is taken under this one.
        drop(watched);
        match group.scope {
            Some(_) if scope_is_watched => {}
            Some(scope) => pg::demonitor_scope(scope, self.watcher.get_id()),
            None => pg::demonitor(group.name, self.watcher.get_id()),
        }
    }
}

impl Drop for GroupWatch {
    fn drop(&mut self) {
        // It leaves ractor's lists as it ends.
        self.watcher.stop(None);
    }
}

/// The group that changed.
pub(crate) fn changed(change: &pg::GroupChangeMessage) -> Group {
    Group::new(Some(change.get_scope()), change.get_group())
}

struct Watcher;

struct Watching {
    client: WatchingActor,
    watched: Watched,
    /// Changes that were left out since the last one that was not.
    left_out: usize,
}

/// The watcher is never sent anything.
enum Nothing {}

impl Message for Nothing {}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Watcher {
    type Msg = Nothing;
    type State = Watching;
    type Arguments = Watching;

    async fn pre_start(&self, _: ActorRef<Nothing>, watching: Watching) -> Result<Watching, ActorProcessingErr> {
        Ok(watching)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Nothing>,
        event: SupervisionEvent,
        watching: &mut Watching,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ProcessGroupChanged(change) = &event
            && watching.watched.lock().contains_key(&changed(change))
        {
            let client = &watching.client;
            // Counted before it is sent: it may have come before this returns, and would take off what was never put
            // on.
            if client.groups.change_sent(client.limit) {
                telemetry::dead_letters(&client.label, "group_changes", std::mem::take(&mut watching.left_out));
                // Its one monitor is the guest.
                myself.get_cell().notify_supervisor(event);
            } else {
                watching.left_out += 1;
            }
        }
        Ok(())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        telemetry::dead_letters(&self.client.label, "group_changes", self.left_out);
    }
}
