//! Replacing code from elsewhere: the control actor of a node, and the client that asks it.
//!
//! A node has one only if its node.toml has a table `[control]`. The cookie lets a program join the cluster; to deploy it
//! must prove the control key besides, request by request (`seal`). What it uploads is kept by its content (`store`). What
//! is then done is the node's own affair (`service`).

mod actor;
mod applying;
mod body;
mod checkpoints;
mod client;
mod command_node;
mod entities;
mod figures;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod key;
mod keys;
mod ledger;
#[cfg(unix)]
mod local;
mod logs;
mod message;
mod request_id;
mod role;
mod rooms;
mod seal;
mod sending;
mod service;
mod sessions;
mod shorten;
mod spawning;
mod steering;
mod store;
mod target;
mod traces;
mod worker;

pub use key::{ControlKey, KeyError};
pub use role::Role;
pub use store::StoreLimits;

pub(crate) use actor::{ControlSetup, RestartGuard, start};
pub(crate) use applying::{
    ApplyOutcome, ApplyReport, ChangeAction, ChangedThing, ConfigChange, EXPORTS, RestartNeeded,
};
pub(crate) use checkpoints::{CheckpointRow, WentBack};
pub(crate) use client::{AskError, ControlClient, upload};
pub(crate) use command_node::{COMMAND_NODES, is_command};
pub(crate) use entities::{ClusterRow, EntityTypeRow, ListedEntities, MOST_LISTED, WriterRow};
pub(crate) use figures::{
    ActorDetail, ActorFigures, CacheFigures, CheckpointFigures, EndedLink, FailureDetail, FarLink, HandlerTimes,
    Lately, LimitFigure, LinkLately, LinkRow, LinkRowFigures, ModuleRow, NodeFigures, NodeLinks, OpenedBy, OwnShare,
    PeerVersion, ProcessFigures, ReloadDetail, ReminderRow, Traffic, WantedGroups, WantedMembers,
};
pub(crate) use keys::ControlKeys;
#[cfg(unix)]
pub(crate) use local::{LocalClient, LocalDoor, MAX_PATH, MAX_REQUEST, open};
pub(crate) use logs::{ActorLevel, LevelChange, LogLevel, LogLevels, LogLines, LogOrigin, LogQuery, LoggedLine};
pub(crate) use message::{
    ActorKind, ActorModule, ActorRow, ActorStatus, CONTROL, GivenUpStatus, GroupRow, MembersElsewhere, ModuleStatus,
    NodeStatus, OtherNode,
};
pub(crate) use message::{Answer, ControlRefusal, MAX_PIECE, Request};
pub(crate) use request_id::RequestId;
pub(crate) use rooms::Asker;
pub(crate) use sending::{Delivered, Delivery, DeliveryKind, Described, NotSent, Reply, SendFault, Sending};
pub(crate) use service::Service;
#[cfg(test)]
pub(crate) use service::idle;
pub(crate) use spawning::{SpawnedActor, Spawning};
pub(crate) use steering::{Steer, SteeredActor, StoppedActor};
pub(crate) use store::ComponentStore;
pub(crate) use target::Target;
pub(crate) use traces::{TraceBegun, TraceEnd, TraceQuery, TraceStart, TracedEvent, TracedEvents, TracedKind};
pub(crate) use worker::{RequestWorker, only_waits};
