//! Two nodes of one name, as two replicas of one configuration are. The one that was here first stays, and both are told who has
//! the name.
//!
//! A newcomer with a name that is taken goes on with its handshake, because only a node that proves the cookie is told where the
//! other node is. Then the other node is asked whether it is still there. If it doesn't answer, its link may be dead, and the
//! newcomer may be the same node after a restart: the usual election decides.

use std::time::Duration;

use ractor::{ActorId, ActorRef, RpcReplyPort};

use super::messages::NodeServerMessage;
use super::node_requests::{ElectionVerdict, NameContest, NodeRequest};
use super::operations::confirm;
use super::refusals::HandshakeRefusals;
use super::session_messages::{NodeSessionMessage, SessionRequest};
use super::sessions::Sessions;
use crate::session::CloseReason;
use crate::wire::{NameMessage, ServerStatus};

/// The time that a node has to answer when another node comes with its name. It is shorter than the time for which a session waits
/// for the verdict.
const INCUMBENT: Duration = Duration::from_secs(3);

/// Whether a session goes on whose peer has just said its name.
pub(super) fn admit(
    sessions: &Sessions,
    local: &NameMessage,
    refusals: &HandshakeRefusals,
    id: ActorId,
) -> ServerStatus {
    let Some(info) = sessions.info(id) else {
        return ServerStatus::NotOk;
    };
    if let Some(peer) = info.peer_name.as_ref().filter(|peer| peer.name == local.name) {
        let incarnation = |name: &NameMessage| name.flags.unwrap_or_default().incarnation;
        // A peer that isn't going to prove its incarnation has 0 here, so two zeros say nothing.
        if incarnation(peer) != 0 && incarnation(peer) == incarnation(local) {
            // It is this very node, if it proves that: the end of the handshake says so.
            return ServerStatus::Ok;
        }
        let why = CloseReason::SameName {
            name: peer.name.clone(),
            address: info.peer_addr.clone(),
        };
        refusals.refuse(&info.peer_addr, why.name(), &why);
        // It goes on so that it learns this node's name next, and with it who has the name.
        return ServerStatus::Ok;
    }
    // The decision waits until the newcomer has proved the cookie: nobody else is told who has the name.
    if sessions.rival(id).is_some() {
        return ServerStatus::Ok;
    }
    sessions.check(&local.name, id).into()
}

/// What becomes of a newcomer with the name of another node.
pub(super) enum Newcomer {
    /// The other node is gone, or doesn't answer: the usual election decides.
    Elect(ActorId, RpcReplyPort<ElectionVerdict>),
    /// The other node stays, and the newcomer was told so.
    TurnedAway,
}

/// Two nodes have one name. The one that was here first stays, if it still answers.
pub(super) fn decide(sessions: &mut Sessions, refusals: &HandshakeRefusals, contest: NameContest) -> Newcomer {
    let NameContest {
        newcomer,
        incumbent,
        incumbent_answers,
        verdict,
    } = contest;
    if !incumbent_answers && sessions.is_elected(incumbent) {
        // It is frozen, or gone without a word. It must be over before the election, which would otherwise choose at random between
        // it and its successor.
        sessions.over(incumbent, CloseReason::PeerSilent(INCUMBENT));
    }
    // Asked once more, because seconds may have passed since the incumbent was found.
    let is_there = incumbent_answers && sessions.is_elected(incumbent);
    let (Some(rival), Some(info), true) = (sessions.as_rival(incumbent), sessions.info(newcomer), is_there) else {
        return Newcomer::Elect(newcomer, verdict);
    };
    let name = info
        .peer_name
        .as_ref()
        .map(|peer| peer.name.clone())
        .unwrap_or_default();
    let peer_addr = info.peer_addr.clone();
    let why = CloseReason::NameTaken {
        name,
        rival: rival.clone(),
    };
    refusals.refuse(&peer_addr, why.name(), &why);
    if let (Some(newcomer), true) = (sessions.as_rival(newcomer), sessions.is_yet_to_be_told(incumbent))
        && let Some(info) = sessions.info(incumbent)
    {
        drop(info.actor.cast(SessionRequest::Contested(newcomer).into()));
    }
    // It takes part in no election, which would note this, and the end of its session is to say that it has the cookie.
    sessions.proved(newcomer);
    verdict.send(ElectionVerdict::NameTaken(rival)).ok();
    Newcomer::TurnedAway
}

/// True if the peer of this session has the name of this very node.
pub(super) fn is_namesake(sessions: &Sessions, local: &NameMessage, id: ActorId) -> bool {
    let peer = sessions.info(id).and_then(|info| info.peer_name.as_ref());
    peer.is_some_and(|peer| peer.name == local.name)
}

/// Finds out whether the node that has the name of a newcomer still answers, and tells this node.
pub(super) fn ask_incumbent(
    myself: &ActorRef<NodeServerMessage>,
    incumbent: ActorRef<NodeSessionMessage>,
    newcomer: ActorId,
    verdict: RpcReplyPort<ElectionVerdict>,
) {
    let myself = myself.clone();
    // The answer may take seconds, in which the node has other sessions to decide about.
    drop(ractor::concurrency::spawn(async move {
        let contest = NameContest {
            newcomer,
            incumbent: incumbent.get_id(),
            incumbent_answers: confirm(&incumbent, INCUMBENT).await,
            verdict,
        };
        drop(myself.cast(NodeRequest::Contested(contest).into()));
    }));
}
