//! States of guests that are kept outside of them, so that one that fails, or is started anew, goes on from the last.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::component::source::Digest;

/// The state of an actor at one moment: what its `snapshot` returned between two messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the module that the actor ran.
    pub module: String,
    /// That module's code.
    pub digest: Digest,
    /// The version of the state, which `restore` is told.
    pub state_version: u32,
    /// When it was taken.
    pub taken: SystemTime,
    /// The bytes.
    pub state: Vec<u8>,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("module", &self.module)
            .field("digest", &self.digest)
            .field("state_version", &self.state_version)
            .field("taken", &self.taken)
            .field("bytes", &self.state.len())
            .finish()
    }
}

/// A checkpoint on its way into a store.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The actor's name.
    pub actor: String,
    /// Its state.
    pub checkpoint: Arc<Checkpoint>,
    /// How many of the actor's checkpoints are kept, this one included.
    pub keep: u32,
    /// Checkpoints of the actor that its code could not take over, by number. They are held: neither this one nor later ones
    /// count them, or take their places.
    pub hold: Vec<u64>,
}

/// When a state was taken, compared with other states of this process. A later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Now: after all before it.
    pub fn now() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Not a clock, which can be set back and could give two states the same time.
        Self(NEXT.fetch_add(1, Ordering::SeqCst))
    }
}

/// A checkpoint in a store, and its number: those of one actor are numbered upwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub number: u64,
    /// The state.
    pub checkpoint: Checkpoint,
}

/// What is known of a checkpoint besides its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptState {
    /// Its number.
    pub number: u64,
    /// The name of the module that the actor ran.
    pub module: String,
    /// That module's code.
    pub digest: Digest,
    /// The version of the state.
    pub state_version: u32,
    /// When it was taken.
    pub taken: SystemTime,
    /// Bytes of the state.
    pub bytes: usize,
}

impl KeptState {
    /// What is known of this one.
    pub fn of(Kept { number, checkpoint }: &Kept) -> Self {
        Self {
            number: *number,
            module: checkpoint.module.clone(),
            digest: checkpoint.digest,
            state_version: checkpoint.state_version,
            taken: checkpoint.taken,
            bytes: checkpoint.state.len(),
        }
    }
}

/// A store could not keep or read checkpoints.
#[derive(Debug, thiserror::Error)]
#[error("the store of checkpoints: {0}")]
pub struct StoreError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where checkpoints are kept. The methods block: they are called on threads that may.
pub trait CheckpointStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps these, all or none, each as its actor's newest, and gives up those of the same actors that are too many and not
    /// [held](Entry::hold). When this returns they outlive the process and the machine's power.
    ///
    /// # Errors
    /// They could not be written, or it is not certain that they were. What was kept before is still there. The same entries come
    /// again, alone and with others, until they are written or newer ones have taken their places: a store that has to be opened
    /// anew after an error opens itself.
    fn put(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// The newest checkpoint of an actor, of those with a smaller number than `before`. One that is not exactly what was
    /// put is never returned: the one before it is.
    ///
    /// # Errors
    /// The store could not be read.
    fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError>;

    /// Gives up all checkpoints of an actor but the newest `keep`, and with `keep` 0 those that are held, too.
    ///
    /// # Errors
    /// The store could not be written.
    fn prune(&self, actor: &str, keep: u32) -> Result<(), StoreError>;
}
