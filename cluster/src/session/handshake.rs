//! The handshake: one state a step, each consumed by the message that ends it.
//!
//! What a peer says of itself is a claim until the last step, and has no effect on anything but its own connection. Two nodes
//! that both announce it prove all that they have said (see [`proof`](super::proof)); with any other the cookie is all that is
//! proved, by the stock digest.

use super::digest::{digest, matches};
use super::proof::{Transcript, proves_identity};
use super::{CloseReason, Role, StockChallenge, StockPeers};
use crate::wire::{
    Auth, Challenge, ChallengeReply, CookieDigest, HandshakeNonce, MAX_NODE_NAME_BYTES, NameMessage, ServerStatus,
};

/// The longest part, in characters, of an address from a peer that is shown.
const LONGEST_ADDRESS: usize = 200;

/// What this end brings to a handshake.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Our own name; as initiator with the connection's nonce.
    pub(super) local: NameMessage,
    /// The shared secret.
    pub(super) cookie: String,
    /// Whether a peer may prove no more than the cookie.
    pub(super) stock_peers: StockPeers,
    /// Our random challenge to a stock peer.
    pub(super) challenge: StockChallenge,
    /// Our part of what a peer proves that is not a stock one.
    pub(super) nonce: HandshakeNonce,
}

/// The state of a handshake, named for what is due next.
#[derive(Debug)]
pub(super) enum Handshake {
    /// Initiator: the name is sent.
    Status,
    /// Initiator: the status is favourable.
    Challenge,
    /// Initiator: the node is deciding whether to go on with the peer that has introduced itself.
    Decision(Introduction),
    /// Initiator: our proof and our challenge are sent.
    Ack(CookieDigest, ClaimedNode),
    /// Acceptor: nothing has come yet.
    Name,
    /// Acceptor: the node is deciding about the peer's name.
    Admission(NameMessage),
    /// Acceptor: we said that there is a connection already, and the peer says next whether it insists.
    ClientStatus(NameMessage),
    /// Acceptor: our challenge is sent.
    Reply(NameMessage),
}

/// What the acceptor has said.
#[derive(Debug)]
pub(super) struct Introduction {
    peer: NameMessage,
    challenge: u32,
    nonce: Option<HandshakeNonce>,
}

/// Who the peer is, if it proves what it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimedNode {
    Another,
    ThisNode,
}

/// What a step leads to.
#[derive(Debug)]
pub(crate) enum HandshakeStep {
    /// Go on in this state.
    Continue(Handshake),
    /// The peer said who it is; go on in this state.
    PeerNamed(NameMessage, Handshake),
    /// Both ends proved the cookie.
    Authenticated,
}

impl Handshake {
    pub(super) fn new(role: Role) -> Self {
        match role {
            Role::Initiator => Self::Status,
            Role::Acceptor => Self::Name,
        }
    }

    /// What is due from the peer in this state.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Status => "ServerStatus",
            Self::Challenge => "Challenge",
            Self::Ack(..) => "ChallengeAck",
            Self::Name => "Name",
            Self::Admission(_) | Self::Decision(_) => "nothing",
            Self::ClientStatus(_) => "ClientStatus",
            Self::Reply(_) => "ChallengeReply",
        }
    }

    /// The reason for which the session ends if the peer closes the connection in this state. A network that fails is no refusal.
    pub(super) fn reason_if_closed(&self) -> CloseReason {
        match self {
            Self::Ack(..) => CloseReason::CookieRefused,
            _ => CloseReason::ConnectionClosed,
        }
    }

    /// Takes the peer's next step; what is to be sent goes to `out`.
    pub(super) fn step(
        self,
        ours: &Credentials,
        auth: Auth,
        out: &mut Vec<Auth>,
    ) -> Result<HandshakeStep, CloseReason> {
        let expected = self.expected();
        match (self, auth) {
            (Self::Status, Auth::ServerStatus(status)) => match status {
                ServerStatus::Ok | ServerStatus::OkSimultaneous => Ok(HandshakeStep::Continue(Self::Challenge)),
                ServerStatus::Alive => {
                    // The peer believes that we are connected; we know better, since we are asking.
                    out.push(Auth::ClientStatus(true));
                    Ok(HandshakeStep::Continue(Self::Challenge))
                }
                ServerStatus::NotOk | ServerStatus::NotAllowed => Err(CloseReason::Refused(status)),
            },
            (Self::Challenge, Auth::ServerChallenge(challenge)) => {
                let said = introduction(ours, challenge)?;
                Ok(HandshakeStep::PeerNamed(said.peer.clone(), Self::Decision(said)))
            }
            (Self::Ack(proof, peer), Auth::ServerAck { digest }) => {
                // The proof before anything that it would prove: whether the peer is this node, for instance.
                check(&proof, &digest)?;
                authenticated(peer)
            }
            (Self::Name, Auth::Name(name)) => {
                // A refusal is said before the end, so that the peer's log has more than a closed connection.
                let peer = introduced(ours, name).inspect_err(|_| {
                    out.push(Auth::ServerStatus(ServerStatus::NotAllowed));
                })?;
                Ok(HandshakeStep::PeerNamed(peer.clone(), Self::Admission(peer)))
            }
            (Self::ClientStatus(peer), Auth::ClientStatus(true)) => {
                Ok(HandshakeStep::Continue(challenge(ours, peer, out)))
            }
            (Self::ClientStatus(_), Auth::ClientStatus(false)) => Err(CloseReason::PeerGaveUp),
            (Self::Reply(peer), Auth::ClientChallenge(reply)) => {
                let digest = acknowledge(ours, &peer, &reply)?.to_vec();
                // Also if the peer turns out to be this very node: so the other end learns it, too.
                out.push(Auth::ServerAck { digest });
                authenticated(peer_is(ours, &peer))
            }
            (_, auth) => Err(CloseReason::OutOfOrder {
                expected,
                got: auth.kind(),
            }),
        }
    }

    /// As acceptor: the node's verdict about the peer's name. Nothing comes of it in another state.
    pub(super) fn admit(
        self,
        ours: &Credentials,
        status: ServerStatus,
        out: &mut Vec<Auth>,
    ) -> Result<Self, CloseReason> {
        let Self::Admission(peer) = self else { return Ok(self) };
        out.push(Auth::ServerStatus(status));
        match status {
            ServerStatus::Ok | ServerStatus::OkSimultaneous => Ok(challenge(ours, peer, out)),
            ServerStatus::Alive => Ok(Self::ClientStatus(peer)),
            ServerStatus::NotOk => Err(CloseReason::DuplicateConnection),
            ServerStatus::NotAllowed => Err(CloseReason::Refused(status)),
        }
    }

    /// As initiator: the node wants to go on with the peer that has introduced itself. Proves the cookie and asks for the acceptor's
    /// proof. Nothing comes of it in another state.
    pub(super) fn go_on(self, ours: &Credentials, out: &mut Vec<Auth>) -> Self {
        let Self::Decision(said) = self else { return self };
        let (nonce, digest, proof) = match said.nonce {
            Some(acceptor_nonce) => {
                let transcript = Transcript {
                    initiator: &ours.local,
                    acceptor: &said.peer,
                    initiator_nonce: ours.nonce,
                    acceptor_nonce,
                };
                // The peer's proof is computed along with our own, so what both have said need not be kept for the last step.
                let [own, theirs] = [Role::Initiator, Role::Acceptor].map(|by| transcript.proof(&ours.cookie, by));
                (Some(ours.nonce), own, theirs)
            }
            None => {
                let [own, theirs] = [said.challenge, ours.challenge.number()].map(|asked| digest(&ours.cookie, asked));
                (None, own, theirs)
            }
        };
        out.push(Auth::ClientChallenge(ChallengeReply {
            challenge: ours.challenge.number(),
            digest: digest.to_vec(),
            nonce,
        }));
        Self::Ack(proof, peer_is(ours, &said.peer))
    }
}

/// As acceptor: asks for proof of the cookie.
fn challenge(ours: &Credentials, peer: NameMessage, out: &mut Vec<Auth>) -> Handshake {
    out.push(Auth::ServerChallenge(Challenge {
        name: ours.local.name.clone(),
        flags: ours.local.flags,
        // Stock peers need the number. A peer that proves who it is gets it, too, and can do nothing with it.
        challenge: ours.challenge.number(),
        connection_string: ours.local.connection_string.clone(),
        nonce: prove_identity(ours, &peer).then_some(ours.nonce),
    }));
    Handshake::Reply(peer)
}

/// Refuses names that do harm: a peer's name is kept in many places for as long as the peer is connected, and it is in every line
/// of the log about it, in what commands print, and in the full names of its actors.
fn refuse_name(peer: &NameMessage) -> Result<(), CloseReason> {
    for (what, text) in [("name", &peer.name), ("connection string", &peer.connection_string)] {
        if text.len() > MAX_NODE_NAME_BYTES {
            return Err(CloseReason::NameTooLong {
                what,
                bytes: text.len(),
                limit: MAX_NODE_NAME_BYTES,
            });
        }
        if text.chars().any(char::is_control) {
            let problem = "has a control character";
            return Err(CloseReason::BadName { what, problem });
        }
    }
    // Otherwise the actor `a@b` of a node `c` would be taken for the actor `a` of the node `b@c`.
    if !peer.name.contains('@') {
        let (what, problem) = ("name", "is not of the form name@hostname");
        return Err(CloseReason::BadName { what, problem });
    }
    Ok(())
}

/// As acceptor: checks the initiator's proof, and gives this end's.
fn acknowledge(ours: &Credentials, peer: &NameMessage, reply: &ChallengeReply) -> Result<CookieDigest, CloseReason> {
    if !prove_identity(ours, peer) {
        check(&digest(&ours.cookie, ours.challenge.number()), &reply.digest)?;
        // Only a right answer spends the challenge, or anybody could spend it for an honest peer.
        if !ours.challenge.spend() {
            return Err(CloseReason::ChallengeSpent);
        }
        return Ok(digest(&ours.cookie, reply.challenge));
    }
    let transcript = Transcript {
        initiator: peer,
        acceptor: &ours.local,
        // The peer has announced a proof. If its nonce is missing, it took this node for a stock one: somebody in between has
        // changed what was said.
        initiator_nonce: reply.nonce.ok_or(CloseReason::Downgraded)?,
        acceptor_nonce: ours.nonce,
    };
    check(&transcript.proof(&ours.cookie, Role::Initiator), &reply.digest)?;
    Ok(transcript.proof(&ours.cookie, Role::Acceptor))
}

fn check(expected: &CookieDigest, got: &[u8]) -> Result<(), CloseReason> {
    if matches(expected, got) {
        Ok(())
    } else {
        Err(CloseReason::WrongCookie)
    }
}

/// The peer has proved what it says.
fn authenticated(peer: ClaimedNode) -> Result<HandshakeStep, CloseReason> {
    match peer {
        ClaimedNode::Another => Ok(HandshakeStep::Authenticated),
        ClaimedNode::ThisNode => Err(CloseReason::SelfConnection),
    }
}

/// Whether the two ends prove all that they have said, and not the cookie alone.
fn prove_identity(ours: &Credentials, peer: &NameMessage) -> bool {
    proves_identity(&ours.local) && proves_identity(peer)
}

/// As initiator: what the acceptor says, if there is a use in going on.
fn introduction(ours: &Credentials, theirs: Challenge) -> Result<Introduction, CloseReason> {
    let peer = introduced(
        ours,
        NameMessage {
            name: theirs.name,
            flags: theirs.flags,
            connection_string: theirs.connection_string,
            connection_id: ours.local.connection_id,
        },
    )?;
    // Before this end proves anything: a node of the same name gets no proof to use elsewhere.
    refuse_namesake(ours, &peer)?;
    let nonce = match (prove_identity(ours, &peer), theirs.nonce) {
        (true, None) => return Err(CloseReason::Downgraded),
        (true, nonce) => nonce,
        // A nonce that comes uninvited must not choose the kind of proof: what both have announced does.
        (false, _) => None,
    };
    Ok(Introduction {
        peer,
        challenge: theirs.challenge,
        nonce,
    })
}

/// What is believed of what a peer says of itself.
fn introduced(ours: &Credentials, mut peer: NameMessage) -> Result<NameMessage, CloseReason> {
    refuse_name(&peer)?;
    if prove_identity(ours, &peer) {
        return Ok(peer);
    }
    if ours.stock_peers == StockPeers::Refused {
        return Err(CloseReason::StockPeer);
    }
    // A number that isn't proved tells nobody apart.
    if let Some(flags) = &mut peer.flags {
        flags.incarnation = 0;
    }
    // A stock peer would take this for a connection to itself and leave without a word to this node. Peers of our own name are
    // refused elsewhere.
    if peer.name != ours.local.name && peer.connection_string == ours.local.connection_string {
        return Err(CloseReason::SameAddress {
            address: shown(&peer.connection_string),
        });
    }
    Ok(peer)
}

/// As initiator, which hears the peer's name last: two nodes can't have one name.
fn refuse_namesake(ours: &Credentials, peer: &NameMessage) -> Result<(), CloseReason> {
    if ours.local.name != peer.name || peer_is(ours, peer) == ClaimedNode::ThisNode {
        return Ok(());
    }
    Err(CloseReason::SameName {
        name: peer.name.clone(),
        address: shown(&peer.connection_string),
    })
}

/// The node that a peer claims to be. It counts as this node only if it will prove that, since every node that ever met this one
/// knows its number.
fn peer_is(ours: &Credentials, peer: &NameMessage) -> ClaimedNode {
    let incarnation = |name: &NameMessage| name.flags.unwrap_or_default().incarnation;
    if prove_identity(ours, peer) && incarnation(peer) != 0 && incarnation(peer) == incarnation(&ours.local) {
        ClaimedNode::ThisNode
    } else {
        ClaimedNode::Another
    }
}

/// An address in the words of a peer, made safe for logs.
pub(super) fn shown(address: &str) -> String {
    let start: String = address.chars().take(LONGEST_ADDRESS).collect();
    start.escape_debug().to_string()
}
