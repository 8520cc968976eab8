//! The handshake: one state a step, each consumed by the message that ends it.

use super::digest::{digest, matches};
use super::{CloseReason, Role};
use crate::wire::{Auth, Challenge, ChallengeReply, Digest, MAX_NODE_NAME_BYTES, NameMessage, ServerStatus};

/// What this end brings to a handshake.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Our own name; as initiator with the connection's nonce.
    pub(super) local: NameMessage,
    /// The shared secret.
    pub(super) cookie: String,
    /// Our random challenge to the peer.
    pub(super) challenge: u32,
}

/// Where a handshake stands: named for what is due next.
#[derive(Debug)]
pub(super) enum Handshake {
    /// Initiator: the name is sent.
    Status,
    /// Initiator: the status is favourable.
    Challenge,
    /// Initiator: our proof and our challenge are sent.
    Ack(Digest),
    /// Acceptor: nothing has come yet.
    Name,
    /// Acceptor: the node is deciding about the peer's name.
    Admission,
    /// Acceptor: we said that a connection is alive and wait whether the peer insists.
    ClientStatus,
    /// Acceptor: our challenge is sent.
    Reply(Digest),
}

/// What a step leads to.
#[derive(Debug)]
pub(super) enum Step {
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
            Self::Ack(_) => "ChallengeAck",
            Self::Name => "Name",
            Self::Admission => "nothing",
            Self::ClientStatus => "ClientStatus",
            Self::Reply(_) => "ChallengeReply",
        }
    }

    /// Why the session ends if the peer closes the connection in this state. A network that fails is no verdict.
    pub(super) fn reason_if_closed(&self) -> CloseReason {
        match self {
            Self::Ack(_) => CloseReason::CookieRefused,
            _ => CloseReason::ConnectionClosed,
        }
    }

    /// Takes the peer's next step; what is to be sent goes to `out`.
    pub(super) fn step(self, ours: &Credentials, auth: Auth, out: &mut Vec<Auth>) -> Result<Step, CloseReason> {
        let expected = self.expected();
        match (self, auth) {
            (Self::Status, Auth::ServerStatus(status)) => match status {
                ServerStatus::Ok | ServerStatus::OkSimultaneous => Ok(Step::Continue(Self::Challenge)),
                ServerStatus::Alive => {
                    // The peer believes that we are connected; we know better, since we are asking.
                    out.push(Auth::ClientStatus(true));
                    Ok(Step::Continue(Self::Challenge))
                }
                ServerStatus::NotOk | ServerStatus::NotAllowed => Err(CloseReason::Refused(status)),
            },
            (Self::Challenge, Auth::ServerChallenge(challenge)) => answer(ours, challenge, out),
            (Self::Ack(proof), Auth::ServerAck { digest }) => {
                if matches(&proof, &digest) {
                    Ok(Step::Authenticated)
                } else {
                    Err(CloseReason::WrongCookie)
                }
            }
            (Self::Name, Auth::Name(name)) => {
                refuse_long(&name)?;
                refuse_self(ours, &name)?;
                Ok(Step::PeerNamed(name, Self::Admission))
            }
            (Self::ClientStatus, Auth::ClientStatus(true)) => Ok(Step::Continue(challenge(ours, out))),
            (Self::ClientStatus, Auth::ClientStatus(false)) => Err(CloseReason::PeerGaveUp),
            (Self::Reply(proof), Auth::ClientChallenge(reply)) => {
                if !matches(&proof, &reply.digest) {
                    return Err(CloseReason::WrongCookie);
                }
                out.push(Auth::ServerAck {
                    digest: digest(&ours.cookie, reply.challenge).to_vec(),
                });
                Ok(Step::Authenticated)
            }
            (_, auth) => Err(CloseReason::OutOfOrder {
                expected,
                got: auth.kind(),
            }),
        }
    }

    /// The node's verdict about the peer's name, in state [`Handshake::Admission`].
    pub(super) fn admit(ours: &Credentials, status: ServerStatus, out: &mut Vec<Auth>) -> Result<Self, CloseReason> {
        out.push(Auth::ServerStatus(status));
        match status {
            ServerStatus::Ok | ServerStatus::OkSimultaneous => Ok(challenge(ours, out)),
            ServerStatus::Alive => Ok(Self::ClientStatus),
            ServerStatus::NotOk => Err(CloseReason::DuplicateConnection),
            ServerStatus::NotAllowed => Err(CloseReason::Refused(status)),
        }
    }
}

/// As acceptor: asks for proof of the cookie.
fn challenge(ours: &Credentials, out: &mut Vec<Auth>) -> Handshake {
    out.push(Auth::ServerChallenge(Challenge {
        name: ours.local.name.clone(),
        flags: ours.local.flags,
        challenge: ours.challenge,
        connection_string: ours.local.connection_string.clone(),
    }));
    Handshake::Reply(digest(&ours.cookie, ours.challenge))
}

/// As initiator: proves the cookie and asks for the acceptor's proof.
fn answer(ours: &Credentials, theirs: Challenge, out: &mut Vec<Auth>) -> Result<Step, CloseReason> {
    let name = NameMessage {
        name: theirs.name,
        flags: theirs.flags,
        connection_string: theirs.connection_string,
        connection_id: ours.local.connection_id,
    };
    refuse_long(&name)?;
    refuse_self(ours, &name)?;
    refuse_namesake(ours, &name)?;
    out.push(Auth::ClientChallenge(ChallengeReply {
        challenge: ours.challenge,
        digest: digest(&ours.cookie, theirs.challenge).to_vec(),
    }));
    let proof = digest(&ours.cookie, ours.challenge);
    Ok(Step::PeerNamed(name, Handshake::Ack(proof)))
}

/// What a peer is called is kept in many places for as long as it is connected, and is in every line of the log about it.
fn refuse_long(peer: &NameMessage) -> Result<(), CloseReason> {
    let texts = [("name", &peer.name), ("connection string", &peer.connection_string)];
    match texts.into_iter().find(|(_, text)| text.len() > MAX_NODE_NAME_BYTES) {
        Some((what, text)) => Err(CloseReason::NameTooLong {
            what,
            bytes: text.len(),
            limit: MAX_NODE_NAME_BYTES,
        }),
        None => Ok(()),
    }
}

/// Two nodes that say when they were started are the same one if that is the same. A node that doesn't say is taken for this
/// one by its name or its address.
fn refuse_self(ours: &Credentials, peer: &NameMessage) -> Result<(), CloseReason> {
    let Credentials { local, .. } = ours;
    let is_self = match (incarnation(local), incarnation(peer)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => local.name == peer.name || local.connection_string == peer.connection_string,
    };
    if is_self {
        return Err(CloseReason::SelfConnection);
    }
    Ok(())
}

/// As initiator, which hears the peer's name last: two nodes can't have one.
fn refuse_namesake(ours: &Credentials, peer: &NameMessage) -> Result<(), CloseReason> {
    if ours.local.name != peer.name {
        return Ok(());
    }
    Err(CloseReason::SameName {
        name: peer.name.clone(),
        address: peer.connection_string.clone(),
    })
}

fn incarnation(name: &NameMessage) -> Option<u64> {
    let incarnation = name.flags.unwrap_or_default().incarnation;
    (incarnation != 0).then_some(incarnation)
}
