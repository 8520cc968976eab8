//! Messages that were not taken.

use std::sync::Arc;

use ractor::message::SerializedMessage;
use ractor_host_directory::{BoxFuture, Local};

use crate::cluster::{Cluster, NotRouted};

/// A message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// This node has no such type.
    #[error("this node has no entities of that type")]
    UnknownType,
    /// As much waits for the entity already as may.
    #[error("as much waits for the entity as its limits allow")]
    Overloaded,
    /// The node isn't part of its cluster yet, and so doesn't know where entities are.
    #[error("this node hasn't reached the store of its cluster yet, which says where entities are")]
    NotJoined,
    /// The entity is another node's, and the message was for one of this node.
    #[error("the entity is on another node")]
    NotHere,
}

/// A message that was not taken, and why.
#[derive(Debug)]
pub struct Refused {
    /// The message. If it is a call, dropping it tells the caller.
    pub message: SerializedMessage,
    /// Why.
    pub reason: NotSent,
    /// Where there may be room soon.
    pub(super) full: Option<Full>,
}

/// What is full.
#[derive(Clone)]
pub(super) enum Full {
    /// The mailbox of the entity.
    Mailbox(Local),
    /// What may be on its way to other nodes.
    Cluster(Arc<Cluster>),
}

impl std::fmt::Debug for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mailbox(_) => "Mailbox",
            Self::Cluster(_) => "Cluster",
        })
    }
}

impl Full {
    /// Completes as soon as there may be room again. None if senders are not to wait.
    pub(super) fn room(&self) -> Option<BoxFuture<'_, ()>> {
        match self {
            Self::Mailbox(local) => local.inbox.as_ref()?.room(),
            Self::Cluster(cluster) => Some(Box::pin(cluster.room())),
        }
    }
}

impl Refused {
    /// Of a message that was to be sent to another node.
    pub(super) fn elsewhere(cluster: &Arc<Cluster>, (message, reason): NotRouted) -> Self {
        Self {
            message,
            reason,
            full: (reason == NotSent::Overloaded).then(|| Full::Cluster(cluster.clone())),
        }
    }
}
