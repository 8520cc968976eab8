//! The actor of a node that takes messages of other nodes for its entities, and their answers.
//!
//! It has no mailbox: whoever hands it a message has put it where the entity's own messages go. All gates are in one process group, by which
//! they find each other.

use std::sync::Arc;

use parking_lot::Mutex;
use ractor::message::SerializedMessage;
use ractor::pg::GroupChangeMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr, SupervisionEvent, pg};
use ractor_host_directory::{
    Audience, GATES, Hosted, Inbox, NotPut, Placed, is_ours, register_hosted, reserve_hosted_id,
};

use super::Cluster;
use super::frame::{
    BadFrame, CALL, CAST, CLOSE, Closing, DELETE, FAREWELL, HELLO, Hello, KEYED, LEAVES, MAY_CLOSE, OFFER, Routed,
    SETTLED, Settled,
};
use crate::keys::set_mark;
use crate::native::Opaque;

/// The gate of one node.
pub(super) struct Gate {
    door: Arc<Door>,
    hosted: Mutex<Option<Hosted>>,
}

struct Door(Arc<Cluster>);

impl Door {
    fn take(&self, message: SerializedMessage) -> Result<(), BadFrame> {
        match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => match &*variant {
                CAST => self
                    .0
                    .arrived(Routed::read(args)?, |variant, args| SerializedMessage::Cast {
                        variant,
                        args,
                        metadata,
                    }),
                SETTLED => self.0.settled(Settled::read(&args)?),
                HELLO => {
                    self.0.greeted(&Hello::read(&args)?);
                }
                MAY_CLOSE => self.0.asked_to_close(Closing::read(&args)?),
                CLOSE => self.0.told_to_close(Closing::read(&args)?),
                OFFER => self.0.wished_closed(Closing::read(&args)?),
                LEAVES => self.0.leaves(Closing::read(&args)?),
                FAREWELL => self.0.fared_well(Closing::read(&args)?),
                // Of a later version.
                _ => {}
            },
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => match &*variant {
                CALL | KEYED => {
                    let mut routed = Routed::read(args)?;
                    if variant == KEYED {
                        set_mark(&mut routed.args);
                    }
                    self.0.arrived(routed, |variant, args| SerializedMessage::Call {
                        variant,
                        args,
                        reply,
                        metadata,
                    });
                }
                DELETE => self.0.delete_arrived(Routed::read(args)?, reply),
                // A probe: all before it is where it belongs, and the end of its port says so. Or of a later version.
                _ => drop(reply),
            },
            SerializedMessage::CallReply(..) => {}
        }
        Ok(())
    }
}

impl Inbox for Door {
    fn put(&self, message: SerializedMessage) -> Result<Placed, NotPut> {
        if let Err(error) = self.take(message) {
            tracing::warn!(%error, "a message to this node's gate is dropped");
        }
        Ok(Placed::Nowhere)
    }
}

impl Gate {
    /// Other nodes reach this one's entities from now on.
    pub(super) async fn spawn(cluster: Arc<Cluster>, supervisor: ActorCell) -> Result<ActorCell, SpawnErr> {
        let gate = Self {
            door: Arc::new(Door(cluster)),
            hosted: Mutex::new(None),
        };
        let (gate, _) =
            ActorRuntime::<Self>::spawn_linked_remote(None, gate, reserve_hosted_id(), (), supervisor).await?;
        Ok(gate.get_cell())
    }

    fn came(&self, gates: &[ActorCell]) {
        for gate in gates.iter().filter(|gate| !is_ours(gate.get_id())) {
            self.door.0.link_up(gate.get_id());
        }
    }

    fn went(&self, gates: &[ActorCell]) {
        for gate in gates.iter().filter(|gate| !is_ours(gate.get_id())) {
            self.door.0.link_down(gate.get_id());
        }
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Gate {
    type Msg = Opaque;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Opaque>, (): ()) -> Result<(), ActorProcessingErr> {
        let cell = myself.get_cell();
        let inbox: Arc<dyn Inbox> = self.door.clone();
        *self.hosted.lock() = Some(register_hosted(cell.clone(), Some(inbox), Audience::Everyone)?);
        // Before the look, so that none is missed; one that is seen twice begins a session twice, which is no harm.
        pg::monitor(GATES.to_owned(), cell.clone());
        pg::join(GATES.to_owned(), vec![cell]);
        self.came(&pg::get_members(&GATES.to_owned()));
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Opaque>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ProcessGroupChanged(GroupChangeMessage::Join(_, _, gates)) => self.came(&gates),
            SupervisionEvent::ProcessGroupChanged(GroupChangeMessage::Leave(_, _, gates)) => self.went(&gates),
            _ => {}
        }
        Ok(())
    }

    async fn handle_serialized(
        &self,
        _: ActorRef<Opaque>,
        message: SerializedMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        // From whoever sends to the actor itself, and so past its door.
        drop(self.door.put(message));
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Opaque>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        *self.hosted.lock() = None;
        Ok(())
    }
}
