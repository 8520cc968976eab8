//! Messages of other nodes for entities of this one.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use ractor_host_directory::{DESCRIBE_VARIANT, PROBE_VARIANT};
use ractor_host_placement::routing::{Receiver, Reply, SessionId, Verdict};
use ractor_host_placement::words::{Entity, EntityKey, Epoch, Incarnation, ShardId, ShardRow};

use super::frame::{Hello, Origin, Routed, Settled};
use super::outgoing::{LOST, NOT_HERE};
use super::{Cluster, ClusterFigures, Ownership, give_up, give_up_for};
use crate::node::{PutHere, find};

/// The most answers in one message.
const ANSWERS: usize = 10_000;

/// See the module.
pub(super) struct Incoming {
    receiver: Mutex<Receiver>,
    /// What the mark of a message begins with. Nobody else knows it, so nobody can make one.
    secret: [u8; 16],
    /// Where shards go that this node gives away.
    leaving: Mutex<HashMap<ShardId, (Epoch, Option<Incarnation>)>>,
    taken: AtomicU64,
    refused: AtomicU64,
}

impl Default for Incoming {
    fn default() -> Self {
        let mut secret = [0; 16];
        for half in secret.chunks_exact_mut(8) {
            // Each of these is keyed at random.
            half.copy_from_slice(&RandomState::new().hash_one(()).to_be_bytes());
        }
        Self {
            receiver: Mutex::default(),
            secret,
            leaving: Mutex::default(),
            taken: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }
}

impl Incoming {
    pub(super) fn figures(&self, figures: &mut ClusterFigures) {
        figures.taken = self.taken.load(Ordering::Relaxed);
        figures.refused = self.refused.load(Ordering::Relaxed);
    }

    pub(super) fn greeted(&self, hello: &Hello) {
        self.receiver.lock().handle_session(hello.from, hello.session);
    }

    /// This session of a node is over, and those before it.
    pub(super) fn gone(&self, from: Incarnation, session: SessionId) {
        self.receiver.lock().handle_gone(from, session);
    }

    /// The shard goes to another node.
    pub(super) fn leaves(&self, shard: ShardId, epoch: Epoch, to: Option<Incarnation>) {
        // Whoever has it next has it at a later epoch.
        self.leaving.lock().insert(shard, (Epoch(epoch.0 + 1), to));
    }

    /// The shard is this node's again, or somebody else's for all to see.
    pub(super) fn left(&self, shard: ShardId) {
        self.leaving.lock().remove(&shard);
    }

    /// At which epoch a shard that this node gives away goes on, and to whom, as long as nothing newer is known: until somebody has taken it, or
    /// whoever was to is gone.
    fn goes_to(
        &self,
        ownership: &dyn Ownership,
        shard: ShardId,
        row: Option<ShardRow>,
    ) -> Option<(Epoch, Option<Incarnation>)> {
        let (epoch, to) = self.leaving.lock().get(&shard).copied()?;
        let is_there = to.is_none_or(|to| ownership.node_name(to).is_some());
        let is_newest = row.is_none_or(|row| row.epoch < epoch);
        (is_there && is_newest).then_some((epoch, to))
    }

    /// To whom this node has given a shard that it has no right to any more, and at which epoch that node has it.
    pub(super) fn given(&self, ownership: &dyn Ownership, row: ShardRow) -> Option<(Epoch, Incarnation)> {
        let (epoch, to) = self.goes_to(ownership, row.shard, Some(row))?;
        let is_given = ownership.may_release(row.shard).is_none();
        Some((epoch, to.filter(|_| is_given)?))
    }

    /// Which epoch of a shard is known here, and who should have it.
    fn known(&self, cluster: &Cluster, shard: ShardId) -> (Epoch, Option<Incarnation>) {
        let Some(ownership) = cluster.ownership() else {
            return (Epoch(0), None);
        };
        let row = ownership.row(shard);
        if let Some(known) = self.goes_to(ownership, shard, row) {
            return known;
        }
        let others = row.and_then(|row| row.owner).filter(|owner| *owner != ownership.me());
        (row.map_or(Epoch(0), |row| row.epoch), others)
    }

    /// The answers that are to be sent, by session.
    pub(super) fn answers(&self, me: Incarnation) -> Vec<(Incarnation, Settled)> {
        let mut answers: BTreeMap<(Incarnation, SessionId), Vec<Reply>> = BTreeMap::new();
        {
            let mut receiver = self.receiver.lock();
            while let Some((to, session, reply)) = receiver.poll_reply() {
                answers.entry((to, session)).or_default().push(reply);
            }
        }
        let mut all = Vec::new();
        for ((to, session), replies) in answers {
            for replies in replies.chunks(ANSWERS) {
                let settled = Settled {
                    from: me,
                    session,
                    replies: replies.to_vec(),
                };
                all.push((to, settled));
            }
        }
        all
    }

    /// The message as its entity waits for it, marked with where it comes from.
    fn marked(&self, origin: &Origin, message: SerializedMessage) -> SerializedMessage {
        self.with_metadata(message, |metadata| {
            let own = metadata.as_ref().map_or(0, Vec::len);
            let mut mark = Vec::with_capacity(self.secret.len() + Origin::BYTES + 1 + own);
            mark.extend_from_slice(&self.secret);
            origin.write(&mut mark);
            mark.push(u8::from(metadata.is_some()));
            mark.extend(metadata.unwrap_or_default());
            (Some(mark), ())
        })
        .0
    }

    /// The message without its mark, and what the mark says.
    fn unmarked(&self, message: SerializedMessage) -> (SerializedMessage, Option<Origin>) {
        let (message, origin) = self.with_metadata(message, |metadata| {
            let marked = metadata
                .as_deref()
                .and_then(|metadata| metadata.strip_prefix(&self.secret));
            let read = marked.and_then(|marked| {
                let (origin, rest) = marked.split_at_checked(Origin::BYTES)?;
                let (has_own, own) = rest.split_first()?;
                Some((Origin::read(origin).ok()?, (*has_own == 1).then(|| own.to_vec())))
            });
            match read {
                Some((origin, own)) => (own, Some(origin)),
                None => (metadata, None),
            }
        });
        (message, origin.flatten())
    }

    fn with_metadata<T>(
        &self,
        message: SerializedMessage,
        change: impl FnOnce(Option<Vec<u8>>) -> (Option<Vec<u8>>, T),
    ) -> (SerializedMessage, Option<T>) {
        match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => {
                let (metadata, told) = change(metadata);
                let message = SerializedMessage::Cast {
                    variant,
                    args,
                    metadata,
                };
                (message, Some(told))
            }
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => {
                let (metadata, told) = change(metadata);
                let message = SerializedMessage::Call {
                    variant,
                    args,
                    reply,
                    metadata,
                };
                (message, Some(told))
            }
            reply @ SerializedMessage::CallReply(..) => (reply, None),
        }
    }

    /// Where a message comes from, by its mark.
    pub(super) fn origin(&self, message: &SerializedMessage) -> Option<Origin> {
        let (SerializedMessage::Cast { metadata, .. } | SerializedMessage::Call { metadata, .. }) = message else {
            return None;
        };
        Origin::read(metadata.as_deref()?.strip_prefix(&self.secret)?).ok()
    }

    /// These were dropped by whoever had them: they keep nobody back.
    pub(super) fn settle(&self, cluster: &Cluster, dropped: Vec<Origin>) {
        if dropped.is_empty() {
            return;
        }
        {
            let mut receiver = self.receiver.lock();
            for Origin { from, session, header } in dropped {
                receiver.handle_begun(from, session, &header);
            }
        }
        cluster.wake.notify_one();
    }

    /// See [`Cluster::admit`].
    pub(super) fn begin(&self, cluster: &Cluster, message: SerializedMessage) -> Option<SerializedMessage> {
        let (message, origin) = self.unmarked(message);
        match origin {
            Some(origin) => self.begin_unmarked(cluster, &origin, message),
            None => Some(message),
        }
    }

    /// The same for one that has no mark, because it hasn't waited.
    fn begin_unmarked(
        &self,
        cluster: &Cluster,
        origin: &Origin,
        message: SerializedMessage,
    ) -> Option<SerializedMessage> {
        let Origin { from, session, header } = origin;
        let may_begin = self.receiver.lock().handle_begun(*from, *session, header);
        cluster.wake.notify_one();
        if may_begin {
            return Some(message);
        }
        // Its sender counts it as lost, and so its caller hears that, too.
        give_up(message, LOST);
        None
    }

    /// A message goes back to the node that it came from. If it came from this one, it is given back.
    pub(super) fn give_back(&self, cluster: &Cluster, message: SerializedMessage) -> Option<SerializedMessage> {
        let (message, origin) = self.unmarked(message);
        let Some(origin) = origin else {
            return Some(message);
        };
        self.give_back_unmarked(cluster, &origin, message);
        None
    }

    fn give_back_unmarked(&self, cluster: &Cluster, origin: &Origin, message: SerializedMessage) {
        let Origin { from, session, header } = origin;
        let (known, hint) = self.known(cluster, header.shard);
        self.receiver
            .lock()
            .handle_returned(*from, *session, header, known, hint);
        self.refused.fetch_add(1, Ordering::Relaxed);
        cluster.wake.notify_one();
        give_up(message, NOT_HERE);
    }
}

impl Cluster {
    /// A message of another node, with `message` as it would be for its entity.
    pub(super) fn arrived(
        self: &Arc<Self>,
        routed: Routed,
        message: impl FnOnce(String, Vec<u8>) -> SerializedMessage,
    ) {
        let Routed {
            origin,
            key,
            variant,
            args,
        } = routed;
        let message = message(variant, args);
        if let Some((entity, message)) = self.taken(&origin, key, message) {
            self.put(&entity, &origin, message);
        }
    }

    /// The state of an entity is to be given up.
    pub(super) fn delete_arrived(self: &Arc<Self>, routed: Routed, reply: RpcReplyPort<Vec<u8>>) {
        let Routed { origin, key, .. } = routed;
        let message = SerializedMessage::Call {
            variant: String::new(),
            args: Vec::new(),
            reply,
            metadata: None,
        };
        let Some((entity, message)) = self.taken(&origin, key, message) else {
            return;
        };
        let message = self.incoming.begin_unmarked(self, &origin, message);
        if let Some(SerializedMessage::Call { reply, .. }) = message
            && let Some(of) = find(&entity.entity_type)
        {
            self.runtime.spawn(of.delete_for(entity, reply));
        }
    }

    /// The message, with its entity, if this node takes it.
    fn taken(
        self: &Arc<Self>,
        origin: &Origin,
        key: EntityKey,
        message: SerializedMessage,
    ) -> Option<(Entity, SerializedMessage)> {
        let ownership = self.ownership()?;
        let shard = origin.header.shard;
        let entity = ownership
            .type_of(shard.type_id)
            .map(|entity_type| Entity { entity_type, key });
        let Some(entity) = entity.filter(|entity| ownership.shard(entity) == Some(shard)) else {
            tracing::warn!(
                ?shard,
                "a message of another node is for no entity of its shard: it is dropped"
            );
            // It keeps nobody back that comes behind it.
            {
                let mut receiver = self.incoming.receiver.lock();
                let Origin { from, session, header } = *origin;
                receiver.handle_message(from, session, header, Some(header.epoch), header.epoch, None);
                receiver.handle_begun(from, session, &header);
            }
            self.wake.notify_one();
            give_up(message, "the node that has the shard finds no such entity in it");
            return None;
        };
        let owned = ownership.may_take(shard);
        let (known, hint) = self.incoming.known(self, shard);
        let Origin { from, session, header } = *origin;
        let verdict = self
            .incoming
            .receiver
            .lock()
            .handle_message(from, session, header, owned, known, hint);
        match verdict {
            Verdict::Accepted => {
                self.incoming.taken.fetch_add(1, Ordering::Relaxed);
                Some((entity, message))
            }
            Verdict::Refused => {
                self.incoming.refused.fetch_add(1, Ordering::Relaxed);
                self.answer();
                give_up(message, NOT_HERE);
                None
            }
            // Its sender counts it as lost, or has had it handled.
            Verdict::Dropped => {
                give_up(message, LOST);
                None
            }
        }
    }

    /// Where the messages of the entity go.
    fn put(self: &Arc<Self>, entity: &Entity, origin: &Origin, message: SerializedMessage) {
        let Some(of) = find(&entity.entity_type) else {
            return self.incoming.give_back_unmarked(self, origin, message);
        };
        if let SerializedMessage::Call { variant, .. } = &message
            && [DESCRIBE_VARIANT, PROBE_VARIANT].contains(&&**variant)
        {
            // Answered without a turn, and so never begun.
            if let Some(SerializedMessage::Call {
                variant, args, reply, ..
            }) = self.incoming.begin_unmarked(self, origin, message)
                && variant == DESCRIBE_VARIANT
            {
                self.runtime.spawn(async move {
                    if let Some(answer) = of.describe(&args).await {
                        // Whoever asked may have given up.
                        reply.send(answer).ok();
                    }
                });
            }
            return;
        }
        match of.put_here(&entity.key, self.incoming.marked(origin, message)) {
            Ok(()) => {}
            Err(PutHere::Elsewhere(message)) => drop(self.incoming.give_back(self, message)),
            Err(PutHere::Refused(refused)) => {
                // Told at once: it keeps nobody back.
                if let Some(message) = self.incoming.begin(self, refused.message) {
                    give_up_for(entity, message, refused.reason);
                }
            }
        }
    }
}
