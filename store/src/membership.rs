//! A node in its cluster: the machine of `placement`, run against the store.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor_host_placement::node::{Event, Node, NodeConfig, Timing, plan};
use ractor_host_placement::statement::{Answer, StatementId};
use ractor_host_placement::words::{
    BootTime, Epoch, Incarnation, Labels, Member, ShardId, ShardRow, Standing, TypeSpec,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::clock;
use crate::error::{Fault, StoreError};
use crate::rights::Rights;
use crate::store::Store;

/// The time between two looks if nothing is due: a deadline that is told to the machine anew is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// The interval at which a node removes from the store what nobody needs any more.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// Answers that wait to be looked at. No more statements than that are ever on their way.
const ANSWERS: usize = 64;

/// What a node tells others of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name, which it has again after a restart.
    pub name: Arc<str>,
    /// Where others reach it: `HOST:PORT`.
    pub address: Arc<str>,
    /// What its share of shards is proportional to.
    pub weight: u32,
    /// Its labels.
    pub labels: Labels,
    /// The types of entities that it has code for.
    pub types: Vec<TypeSpec>,
    /// Other types of the store, whose entities it can send to.
    pub foreign: Vec<TypeSpec>,
}

impl Identity {
    fn all_types(&self) -> Vec<TypeSpec> {
        self.types.iter().chain(&self.foreign).cloned().collect()
    }
}

/// Told what happens to this node's shards. It is called while the node's machine waits, and so does nothing but note it.
pub type OnEvent = Arc<dyn Fn(Event) + Send + Sync>;

/// What a node knows of its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The present life of this node.
    pub me: Incarnation,
    /// The nodes that haven't ended, this one among them once it is listed. An outage of the store leaves them as they were.
    pub members: Vec<Member>,
    /// Whether the store answers, and what is wrong if it doesn't.
    pub trouble: Option<String>,
}

struct Shared {
    store: Store,
    identity: Identity,
    timing: Timing,
    machine: Mutex<Node>,
    rights: Rights,
    wake: Notify,
    seen: watch::Sender<Seen>,
    has_left: watch::Sender<bool>,
    on_event: OnEvent,
}

/// A node that is part of its cluster. Dropping it ends the task, as a crash would.
pub struct Membership {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Membership")
            .field("identity", &self.shared.identity)
            .finish_non_exhaustive()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Membership {
    /// Begins to join the cluster, and goes on until it is dropped. Whether the store can be reached does not matter for that. Must be
    /// called within a runtime.
    pub fn start(store: Store, identity: Identity, on_event: OnEvent) -> Self {
        let timing = Timing::of_lease(store.timing().lease);
        let machine = machine(&identity, timing);
        let rights = Rights::new(&identity.types);
        let seen = Seen {
            me: machine.incarnation(),
            members: Vec::new(),
            trouble: None,
        };
        let shared = Arc::new(Shared {
            store,
            identity,
            timing,
            machine: Mutex::new(machine),
            rights,
            wake: Notify::new(),
            seen: watch::Sender::new(seen),
            has_left: watch::Sender::new(false),
            on_event,
        });
        let task = tokio::spawn(shared.clone().run());
        Self { shared, task }
    }

    /// What the node knows of its cluster, and what it will know.
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.shared.seen.subscribe()
    }

    /// The present life of this node.
    pub fn me(&self) -> Incarnation {
        self.shared.seen.borrow().me
    }

    /// The time on the clock of leases.
    pub fn now(&self) -> BootTime {
        clock::now()
    }

    /// The epoch at which this node may take a message for the shard, if it may.
    pub fn may_take(&self, shard: ShardId) -> Option<Epoch> {
        self.shared.rights.may_take(shard, clock::now())
    }

    /// The epoch at which this node may release outputs of the shard's entities, if it may.
    pub fn may_release(&self, shard: ShardId) -> Option<Epoch> {
        self.shared.rights.may_release(shard, clock::now())
    }

    /// Who has a shard, as far as is known here. Nobody, if that node has ended.
    pub fn row(&self, shard: ShardId) -> Option<ShardRow> {
        let machine = self.shared.machine.lock();
        let view = machine.view();
        let row = view.row(shard)?;
        let owner = row.owner.filter(|owner| !view.is_ended(*owner));
        Some(ShardRow { owner, ..row })
    }

    /// The entities of a shard that is on its way to another node have written, or ended.
    pub fn stopped(&self, shard: ShardId, epoch: Epoch) {
        self.shared.machine.lock().handle_stopped(shard, epoch, clock::now());
        self.shared.wake.notify_one();
    }

    /// Gives away what the node owns, and leaves: others need not wait for its lease. False if that took longer.
    pub async fn leave(&self, patience: Duration) -> bool {
        self.shared.machine.lock().handle_drain(clock::now());
        self.shared.wake.notify_one();
        let mut left = self.shared.has_left.subscribe();
        timeout(patience, left.wait_for(|left| *left))
            .await
            .is_ok_and(|left| left.is_ok())
    }
}

/// A machine with a life of its own.
fn machine(identity: &Identity, timing: Timing) -> Node {
    let member = Member {
        incarnation: Incarnation(NonZeroU64::new(rand::random()).unwrap_or(NonZeroU64::MIN)),
        name: identity.name.clone(),
        address: identity.address.clone(),
        weight: identity.weight,
        labels: Arc::new(identity.labels.clone()),
        types: Arc::new(identity.types.iter().map(|of| of.type_id).collect()),
        standing: Standing::Live,
    };
    let config = NodeConfig {
        member,
        types: identity.all_types(),
        timing,
        planner: plan(),
    };
    Node::new(config, clock::now())
}

/// What came of a statement of a life of the node.
type Answered = (Incarnation, StatementId, Result<Answer, Fault>);

impl Shared {
    async fn run(self: Arc<Self>) {
        let (tell, mut told) = mpsc::channel::<Answered>(ANSWERS);
        let mut tidy_at = clock::now().after(TIDY_EVERY.mul_f64(rand::random_range(0.5..1.5)));
        loop {
            self.send_statements(&tell);
            if self.tell_events() {
                return;
            }
            self.publish();
            if clock::now() >= tidy_at {
                tidy_at = clock::now().after(TIDY_EVERY.mul_f64(rand::random_range(0.5..1.5)));
                tokio::spawn(tidy(self.store.clone()));
            }
            let wait = self.until_timeout();
            tokio::select! {
                // Answers first: what a timeout makes of them may be wrong a moment later.
                biased;
                answered = told.recv() => {
                    if let Some(answered) = answered {
                        self.answered(answered);
                    }
                }
                () = self.wake.notified() => {}
                () = sleep(wait) => self.machine.lock().handle_timeout(clock::now()),
            }
        }
    }

    fn until_timeout(&self) -> Duration {
        let due = self.machine.lock().poll_timeout();
        due.map_or(LONGEST_SLEEP, |at: BootTime| at.since(clock::now()))
            .min(LONGEST_SLEEP)
    }

    fn send_statements(&self, tell: &mpsc::Sender<Answered>) {
        let mut machine = self.machine.lock();
        let me = machine.incarnation();
        while let Some((id, statement)) = machine.poll_statement(clock::now()) {
            let (store, tell) = (self.store.clone(), tell.clone());
            tokio::spawn(async move {
                let result = store.ask(&statement).await;
                // Whoever asked may be gone.
                tell.send((me, id, result)).await.ok();
            });
        }
    }

    fn answered(&self, (me, id, result): Answered) {
        let trouble = result.as_ref().err().map(|fault| &fault.error);
        self.note_trouble(trouble);
        let mut machine = self.machine.lock();
        if machine.incarnation() == me {
            let result = result.map_err(|fault| fault.fault);
            machine.handle_outcome(id, result, clock::now());
        }
    }

    /// Says once that the store is away, and once that it is back.
    fn note_trouble(&self, error: Option<&StoreError>) {
        // Nothing that a person has to do anything about.
        if matches!(error, Some(StoreError::Contended(_))) {
            return;
        }
        let address = self.store.address();
        self.seen.send_if_modified(|seen| {
            let was = seen.trouble.is_some();
            let now = error.map(ToString::to_string);
            // What passes by itself is said once, whatever it is; what somebody has to mend each time that it is something else.
            let is_news = |error: &StoreError| !was || (error.is_to_be_mended() && seen.trouble != now);
            match error {
                Some(error) if is_news(error) => {
                    tracing::warn!(store = %address, %error, "the store of the cluster can't be asked; nodes and links stay as they are");
                }
                None if was => tracing::info!(store = %address, "the store of the cluster answers again"),
                // The same trouble, said in a pause: the first words say more.
                Some(StoreError::Paused { .. }) => return false,
                _ => {}
            }
            let is_other = seen.trouble != now;
            seen.trouble = now;
            is_other
        });
    }

    /// The name of a node that was listed when that was last looked at.
    fn name_of(&self, of: Incarnation) -> Option<Arc<str>> {
        let seen = self.seen.borrow();
        let member = seen.members.iter().find(|member| member.incarnation == of);
        member.map(|member| member.name.clone())
    }

    /// Tells what has happened. True if the node has left, and there is nothing more to do.
    fn tell_events(&self) -> bool {
        let (events, deadline): (Vec<Event>, _) = {
            let mut machine = self.machine.lock();
            let events = std::iter::from_fn(|| machine.poll_event()).collect();
            (events, machine.deadline())
        };
        for event in &events {
            self.rights.handle_event(*event);
        }
        // After what was lost by then: that is not allowed again by a later deadline.
        self.rights.set_deadline(deadline);
        for event in events {
            match event {
                Event::Joined => tracing::info!(name = %self.identity.name, "joined the cluster"),
                Event::NodeEnded(of) => {
                    let node = self.name_of(of);
                    tracing::info!(node = node.as_deref(), "a node of the cluster has ended or left");
                }
                Event::GenerationChanged => {
                    tracing::warn!(
                        "the store of the cluster is another one, or a standby took over: everything is read again"
                    );
                }
                Event::Ended => {
                    tracing::warn!("others ended this node while it could not renew its lease; it joins anew");
                    let next = machine(&self.identity, self.timing);
                    let me = next.incarnation();
                    *self.machine.lock() = next;
                    self.seen.send_modify(|seen| seen.me = me);
                }
                Event::Left
                | Event::Acquired { .. }
                | Event::Stop { .. }
                | Event::Released { .. }
                | Event::Lost { .. } => {}
            }
            (self.on_event)(event);
            if event == Event::Left {
                self.has_left.send_replace(true);
                return true;
            }
            if event == Event::Ended {
                // Statements of the new life.
                self.wake.notify_one();
                return false;
            }
        }
        false
    }

    /// Publishes the view, if this node is in it. One that isn't has yet to be read, or is of a store that has lost this node.
    fn publish(&self) {
        let machine = self.machine.lock();
        let (me, view) = (machine.incarnation(), machine.view());
        if view.member(me).is_none() {
            return;
        }
        self.seen.send_if_modified(|seen| {
            if seen.me == me && seen.members.iter().eq(view.members()) {
                return false;
            }
            seen.me = me;
            seen.members = view.members().cloned().collect();
            true
        });
    }
}

async fn tidy(store: Store) {
    if let Err(error) = store.tidy().await {
        tracing::debug!(%error, "the store of the cluster was not tidied");
    }
}
