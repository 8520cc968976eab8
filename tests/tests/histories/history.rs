//! What a run of senders and receivers has recorded.

/// Who received something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Receiver {
    /// The guest, whose states are kept.
    Ledger,
    /// The native actor, which has none.
    Recorder,
}

/// What became of a message, as far as its sender knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A cast that was taken.
    Sent,
    /// A cast or call that was refused at once.
    Refused,
    /// A call that was answered.
    Acknowledged,
    /// A call that ended without an answer.
    Unanswered,
    /// A cast that another actor is asked to send.
    Relayed,
}

/// Messages of one sender to one receiver with numbers that follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Burst {
    pub(crate) sender: u8,
    pub(crate) receiver: Receiver,
    /// The first number.
    pub(crate) from: u64,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Burst {
    /// The messages: numbers and outcomes.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (u64, Outcome)> + '_ {
        (self.from..).zip(self.outcomes.iter().copied())
    }
}

/// What went wrong in a step, or was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    Nothing,
    /// The node of the ledger doesn't run for a while, shorter than it takes to be held for dead.
    Pause,
    /// The code of the ledger is replaced.
    Reload,
    /// The disk with the states is full for a while.
    FullDisk,
    /// All connections are cut.
    Cut,
    /// The network is frozen until the nodes hold each other for dead.
    Partition,
    /// The ledger fails and goes on from its checkpoint.
    Trap,
    /// The node of the ledger is killed and started again.
    Kill,
    /// It is stopped in order and started again.
    Stop(Stopped),
}

/// What a node said when it was stopped in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// All states are kept.
    Kept,
    /// Some aren't.
    NotKept,
}

/// A step of a run: messages while something goes wrong, and what the receivers have when it is over and all that was under way
/// has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) disturbance: Disturbance,
    pub(crate) bursts: Vec<Burst>,
    pub(crate) reads: Vec<(Receiver, Vec<Entry>)>,
}

/// A message that was received: its sender and its number.
pub(crate) type Entry = (u8, u64);

/// What a disturbance may do to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Every message arrives.
    None,
    /// Messages that were under way may be lost, and what was received stays.
    Losses,
    /// What was received in this step, and what was not kept before, may be gone too.
    Rollback,
}

impl Disturbance {
    pub(crate) fn effect_on(self, receiver: Receiver) -> Effect {
        match (self, receiver) {
            (Self::Nothing | Self::Pause | Self::Reload | Self::FullDisk, _) => Effect::None,
            (Self::Cut | Self::Partition, _) => Effect::Losses,
            (_, Receiver::Recorder) => Effect::None,
            (Self::Stop(Stopped::Kept), Receiver::Ledger) => Effect::Losses,
            (Self::Trap | Self::Kill | Self::Stop(Stopped::NotKept), Receiver::Ledger) => Effect::Rollback,
        }
    }
}
