//! One end of a connection: a session, and the link with its outbox that ships.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;

use super::Time;
use super::dialling::Dialled;
use super::network::WINDOW;
use super::process::{Context, Effect};
use ractor_host_cluster::internals::Chunks;
use ractor_host_cluster::internals::wire;
use ractor_host_cluster::internals::{CloseReason, Role, Session};
use ractor_host_cluster::internals::{Link, SessionLimits};

/// The number of one end of a wire: both may be of one process, if it dials itself.
pub(super) fn end_of(wire: usize, side: Side) -> usize {
    2 * wire + side as usize
}

/// The wire, and which of its ends it is, whose number this is.
pub(super) fn wire_of(end: usize) -> (usize, Side) {
    let side = if end.is_multiple_of(2) {
        Side::Opened
    } else {
        Side::Accepted
    };
    (end / 2, side)
}

/// One of the two ends of a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Opened,
    Accepted,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Opened => Self::Accepted,
            Self::Accepted => Self::Opened,
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::Opened => Role::Initiator,
            Self::Accepted => Role::Acceptor,
        }
    }
}

/// See the module.
pub(super) struct End {
    pub(super) wire: usize,
    pub(super) side: Side,
    /// Since when it is there.
    pub(super) since: Time,
    /// The attempt that it came of.
    pub(super) dial: Option<Dialled>,
    /// The peer has proved what it can.
    pub(super) is_proved: bool,
    /// Both nodes have sent all that they had.
    pub(super) was_ready: bool,
    pub(super) session: Session,
    pub(super) link: Arc<Link>,
    /// What was read and is no whole frame yet.
    pub(super) read: BytesMut,
    /// What the peer calls itself.
    pub(super) peer: Option<String>,
    /// Which life of that node it says it is.
    pub(super) incarnation: u64,
    /// The peer's actors by name.
    pub(super) actors: BTreeMap<String, u64>,
    /// When it is woken next.
    pub(super) wake: Option<Time>,
    /// Why it is ending; what it has accepted is still written.
    pub(super) closed: Option<CloseReason>,
    writing: Chunks,
    /// A write is due.
    is_writing: bool,
    on_the_way: usize,
    /// The peer was told that there is nothing more.
    pub(super) is_finished: bool,
}

impl End {
    pub(super) fn new(wire: usize, dial: Option<Dialled>, session: Session, since: Time) -> Self {
        Self {
            wire,
            side: wire_of(wire).1,
            since,
            dial,
            is_proved: false,
            was_ready: false,
            session,
            link: Arc::new(Link::new(wire as u64 + 1, SessionLimits::default())),
            read: BytesMut::new(),
            peer: None,
            incarnation: 0,
            actors: BTreeMap::new(),
            wake: None,
            closed: None,
            writing: Chunks::default(),
            is_writing: false,
            on_the_way: 0,
            is_finished: false,
        }
    }

    /// Takes what the outbox has, if nothing else is being written. True if a write is to be made in a while.
    pub(super) fn has_to_write(&mut self) -> bool {
        if self.is_writing || self.is_finished || self.on_the_way >= WINDOW {
            return false;
        }
        if self.writing.is_empty() {
            self.link.outbox().drain_into(&mut self.writing);
        }
        self.is_writing = !self.writing.is_empty() || self.closed.is_some();
        self.is_writing
    }

    /// Writes a part of what was taken. True when an end that is closed has written all it had.
    pub(super) fn write(&mut self, context: &mut Context<'_>) -> bool {
        self.is_writing = false;
        let most = context.write.min(WINDOW - self.on_the_way.min(WINDOW));
        let mut bytes = Vec::new();
        for slice in self.writing.slices(16) {
            bytes.extend_from_slice(&slice[..slice.len().min(most - bytes.len())]);
        }
        if bytes.is_empty() {
            return self.closed.is_some() && self.writing.is_empty();
        }
        self.writing.advance(bytes.len());
        self.link.outbox().wrote(bytes.len());
        self.on_the_way += bytes.len();
        let wire = self.wire;
        context.effects.push(Effect::Write { wire, bytes });
        false
    }

    /// This many bytes have got through.
    pub(super) fn acknowledged(&mut self, bytes: usize) {
        self.on_the_way = self.on_the_way.saturating_sub(bytes);
    }

    /// The next whole message of what was read.
    pub(super) fn next_message(&mut self) -> Result<Option<wire::Message>, CloseReason> {
        match wire::split_frame(&mut self.read, u64::MAX)? {
            None => Ok(None),
            Some(frame) => Ok(Some(wire::decode(&frame)?)),
        }
    }
}
