//! The calls of one activation that bear keys: those that are being handled, and what came of others. Pure.

use std::collections::{BTreeMap, HashMap};

use super::{KEPT_BYTES, KEPT_FOR, Name, REPLY_BYTES};
use crate::reminders::whole_millis;
use crate::store::{KeptReply, ReplyChange};

/// What is kept of a call as long as it has no reply: it is what came of it if the entity ends before that.
pub(crate) const UNANSWERED: &str =
    "the entity had handled this call, and ended or failed before the reply came; it is not handled again";

/// What a row takes beside what it carries.
const ROW: usize = 128;

/// The most callers that wait for one call.
const JOINED: usize = 64;

/// The shortest time between two looks for what is too old, in milliseconds.
const LOOK_MS: u64 = 60_000;

/// Whether nothing is made of what is known of a key: so it is in a build that is broken on purpose.
const KEYS_ARE_IGNORED: bool = cfg!(feature = "broken-keys");

/// Why a call with a key isn't handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("this idempotency key was used for another message or other arguments; a new call needs a new key")]
    OtherCall,
    #[error(
        "overloaded: {KEPT_BYTES} bytes are kept of the entity's calls with idempotency keys, which is all that may be; the call was not \
         handled, and there is room again when the oldest are 10 minutes old"
    )]
    KeptTooMuch,
    #[error("overloaded: {JOINED} callers wait for the reply to this call already")]
    Joined,
}

/// A call that is being handled, and who waits for its reply.
#[derive(Debug)]
pub(crate) struct Call<Port> {
    id: u64,
    /// What is kept of it until it has a reply.
    row: KeptReply,
    pub(crate) ports: Vec<Port>,
}

/// What becomes of a call when its turn has come.
#[derive(Debug)]
pub(crate) enum Begun<Port> {
    /// It is handled.
    Handle,
    /// It is being handled, and whoever repeated it hears what comes of that.
    Joined,
    /// It was handled, and this came of it.
    Kept(Port, Result<Vec<u8>, String>),
    /// It is not handled.
    Refused(Port, KeyFault),
}

#[derive(Debug)]
struct Row {
    kept: KeptReply,
    /// The call, as long as it is being handled.
    call: Option<u64>,
}

/// See the module. `Port` is where the reply to a call goes.
#[derive(Debug)]
pub(crate) struct Replies<Port> {
    rows: BTreeMap<Name, Row>,
    bytes: usize,
    in_flight: HashMap<u64, Call<Port>>,
    /// What the rows were that have changed since the changes were last taken.
    before: BTreeMap<Name, Option<KeptReply>>,
    looked_ms: u64,
}

impl<Port> Default for Replies<Port> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            bytes: 0,
            in_flight: HashMap::new(),
            before: BTreeMap::new(),
            looked_ms: 0,
        }
    }
}

fn cost(kept: &KeptReply) -> usize {
    kept.bytes() + ROW
}

fn name(kept: &KeptReply) -> Name {
    (kept.scope.clone(), kept.key.clone())
}

#[cfg(test)]
impl<Port> Call<Port> {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn key(&self) -> &str {
        &self.row.key
    }
}

impl Row {
    fn is_over(&self, now_ms: u64) -> bool {
        self.call.is_none() && self.kept.at_ms.saturating_add(whole_millis(KEPT_FOR)) <= now_ms
    }
}

impl<Port> Replies<Port> {
    /// This is what the store has.
    pub(crate) fn handle_loaded(&mut self, kept: Vec<KeptReply>, now_ms: u64) {
        self.rows.clear();
        (self.bytes, self.looked_ms) = (0, now_ms);
        self.before.clear();
        for kept in kept {
            let row = Row { kept, call: None };
            if !row.is_over(now_ms) {
                self.bytes += cost(&row.kept);
                self.rows.insert(name(&row.kept), row);
            }
        }
        for call in self.in_flight.values() {
            if let Some(row) = self.rows.get_mut(&name(&call.row)) {
                row.call = Some(call.id);
            }
        }
    }

    /// The turn of a call has come. `id` is not used for any other.
    pub(crate) fn handle_call(&mut self, id: u64, call: (Name, [u8; 32]), port: Port, now_ms: u64) -> Begun<Port> {
        let ((scope, key), digest) = call;
        let kept = KeptReply {
            scope,
            key,
            digest,
            outcome: Err(UNANSWERED.to_owned()),
            at_ms: now_ms,
        };
        let name = name(&kept);
        // What isn't written yet is never too old.
        let is_known = |row: &&Row| !row.is_over(now_ms) || self.before.contains_key(&name);
        if let Some(row) = self.rows.get(&name).filter(is_known).filter(|_| !KEYS_ARE_IGNORED) {
            if row.kept.digest != digest {
                return Begun::Refused(port, KeyFault::OtherCall);
            }
            let Some(call) = row.call.and_then(|call| self.in_flight.get_mut(&call)) else {
                return Begun::Kept(port, row.kept.outcome.clone());
            };
            if call.ports.len() >= JOINED {
                return Begun::Refused(port, KeyFault::Joined);
            }
            call.ports.push(port);
            return Begun::Joined;
        }
        let is_full = |replies: &Self| replies.bytes + cost(&kept) > KEPT_BYTES;
        if is_full(self) || now_ms.saturating_sub(self.looked_ms) >= LOOK_MS {
            self.forget(now_ms);
        }
        if is_full(self) {
            return Begun::Refused(port, KeyFault::KeptTooMuch);
        }
        self.begin(Call {
            id,
            row: kept,
            ports: vec![port],
        });
        Begun::Handle
    }

    /// What came of a call: who hears it. None if it is not one that is being handled.
    pub(crate) fn handle_outcome(
        &mut self,
        id: u64,
        outcome: &Result<Vec<u8>, String>,
        now_ms: u64,
    ) -> Option<Vec<Port>> {
        let call = self.in_flight.remove(&id)?;
        let name = name(&call.row);
        // None if the state was deleted meanwhile, and all that is beside it.
        if let Some(row) = self.rows.get_mut(&name) {
            let others = self.bytes - cost(&row.kept);
            let mut kept = KeptReply {
                outcome: kept_outcome(outcome),
                at_ms: now_ms,
                ..call.row
            };
            if others + cost(&kept) > KEPT_BYTES {
                kept.outcome = Err(
                    "the call was handled, and there was no room to keep its reply; it is not handled again".to_owned(),
                );
            }
            self.bytes = others + cost(&kept);
            let was = std::mem::replace(row, Row { kept, call: None });
            self.before.entry(name).or_insert(Some(was.kept));
        }
        Some(call.ports)
    }

    /// True for a call that is being handled.
    pub(crate) fn is_in_flight(&self, id: u64) -> bool {
        self.in_flight.contains_key(&id)
    }

    /// How many calls are known, with those that are being handled.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// What is written with the state of now.
    pub(crate) fn take(&mut self) -> Vec<ReplyChange> {
        let changed = std::mem::take(&mut self.before);
        let change = |name: Name| match self.rows.get(&name) {
            Some(row) => ReplyChange::Put(row.kept.clone()),
            None => ReplyChange::Remove(name.0, name.1),
        };
        changed.into_keys().map(change).collect()
    }

    /// What was done since the changes were last taken is lost. Gives the calls that were being handled, and forgets them.
    pub(crate) fn handle_failed(&mut self) -> Vec<Call<Port>> {
        let mut lost = Vec::new();
        for (name, was) in std::mem::take(&mut self.before) {
            let call = self.remove(&name);
            match was {
                Some(kept) => {
                    // It was begun with a state that is kept. If its reply came since, that is lost.
                    let call = call.filter(|call| self.in_flight.contains_key(call));
                    self.bytes += cost(&kept);
                    self.rows.insert(name, Row { kept, call });
                }
                None => lost.extend(call.and_then(|call| self.in_flight.remove(&call))),
            }
        }
        lost
    }

    /// One that was lost is handled once more, by other code.
    pub(crate) fn handle_again(&mut self, call: Call<Port>) {
        self.begin(call);
    }

    /// Nothing is handled any more. Gives the calls whose replies are owed.
    pub(crate) fn handle_over(&mut self) -> Vec<Call<Port>> {
        self.in_flight.drain().map(|(_, call)| call).collect()
    }

    /// The state is given up, and all that is beside it.
    pub(crate) fn handle_deleted(&mut self) {
        self.rows.clear();
        self.before.clear();
        self.bytes = 0;
    }

    fn begin(&mut self, call: Call<Port>) {
        let (name, kept) = (name(&call.row), call.row.clone());
        // One that was too old is not missed by anybody.
        self.remove(&name);
        self.before.insert(name.clone(), None);
        self.bytes += cost(&kept);
        let row = Row {
            kept,
            call: Some(call.id),
        };
        self.rows.insert(name, row);
        self.in_flight.insert(call.id, call);
    }

    /// Gives the number of the call that the row was of, if it was being handled.
    fn remove(&mut self, name: &Name) -> Option<u64> {
        let row = self.rows.remove(name)?;
        self.bytes -= cost(&row.kept);
        row.call
    }

    /// Forgets what is too old. The store does so by itself.
    fn forget(&mut self, now_ms: u64) {
        self.looked_ms = now_ms;
        let before = &self.before;
        self.rows
            .retain(|name, row| !row.is_over(now_ms) || before.contains_key(name));
        self.bytes = self.rows.values().map(|row| cost(&row.kept)).sum();
    }
}

/// What is kept of what came of a call.
fn kept_outcome(outcome: &Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
    match outcome {
        Ok(reply) if reply.len() > REPLY_BYTES => Err(format!(
            "the call was handled, and its reply of {} bytes was not kept, which it is up to {REPLY_BYTES}; it is not handled again",
            reply.len()
        )),
        outcome => outcome.clone(),
    }
}
