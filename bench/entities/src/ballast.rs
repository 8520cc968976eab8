//! What the messages of this benchmark are, and the native actor that takes them: it has a state of some bytes, and counts.

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_host::RactorClusterMessage;
use ractor_host::entities::NativeEntity;

use crate::settings::STATE;

/// What native actors and guests take, entities or not.
#[derive(Debug, RactorClusterMessage)]
pub(crate) enum BallastMsg {
    /// Counts.
    Add,
    /// Counts, and replies with nothing.
    #[rpc]
    Poke(RpcReplyPort<()>),
    /// Replies with the count.
    #[rpc]
    Count(RpcReplyPort<u64>),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ballast;

/// The count, and what makes it as large as states are.
pub(crate) struct Held {
    count: u64,
    ballast: Vec<u8>,
}

impl Held {
    /// What takes no memory beyond a count.
    fn empty() -> Self {
        Self {
            count: 0,
            ballast: Vec::new(),
        }
    }
}

impl Actor for Ballast {
    type Msg = BallastMsg;
    type State = Held;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<BallastMsg>, (): ()) -> Result<Held, ActorProcessingErr> {
        Ok(Held {
            ballast: vec![7; STATE as usize - size_of::<u64>()],
            ..Held::empty()
        })
    }

    async fn handle(
        &self,
        _: ActorRef<BallastMsg>,
        message: BallastMsg,
        held: &mut Held,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            BallastMsg::Add => held.count += 1,
            BallastMsg::Poke(reply) => {
                held.count += 1;
                // A caller that has given up is no fault of this actor.
                drop(reply.send(()));
            }
            BallastMsg::Count(reply) => drop(reply.send(held.count)),
        }
        Ok(())
    }
}

impl NativeEntity for Ballast {
    fn snapshot(&self, held: &Held) -> Result<Vec<u8>, ActorProcessingErr> {
        Ok([&held.count.to_be_bytes(), &held.ballast[..]].concat())
    }

    fn restore(&self, state: &[u8], _: u32) -> Result<Held, ActorProcessingErr> {
        let (count, ballast) = state.split_first_chunk().ok_or("the state is cut off")?;
        Ok(Held {
            count: u64::from_be_bytes(*count),
            ballast: ballast.to_vec(),
        })
    }
}
