//! When the states of actors are kept: each again and again, at the end of the message that it is handling.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use crate::guest::{Checkpoint, Checkpoints, Entry, LiveGuest, Modules, NotReloaded, Snapshot, StateRoom};

/// How many actors are asked for their state at once, and so how many states are on their way to the writer at most.
const AT_ONCE: usize = 16;

/// How long an actor that has nothing to do takes to answer, at most. One that takes longer gives its place up until it answers.
const PROMPT: Duration = Duration::from_millis(50);

/// How long an actor may take to come to the end of its message. If it takes longer it is asked again the next time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Actors whose states are kept.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// The module that they run.
    pub module: String,
    /// Their names.
    pub names: BTreeSet<String>,
    /// How often, and where.
    pub checkpoints: Checkpoints,
}

/// Asks for states until it is dropped.
#[derive(Debug)]
pub struct Schedule {
    modules: Modules,
    tasks: Vec<(Arc<Scheduled>, AbortHandle)>,
}

impl Schedule {
    /// Begins. Must be called within a runtime.
    pub fn start(modules: &Modules, scheduled: impl IntoIterator<Item = Scheduled>) -> Self {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let tasks = scheduled.into_iter().map(|scheduled| {
            let scheduled = Arc::new(scheduled);
            let rounds = Rounds {
                scheduled: scheduled.clone(),
                modules: modules.clone(),
                room: room.clone(),
                known: Arc::default(),
            };
            (scheduled, tokio::spawn(rounds.run()).abort_handle())
        });
        Self {
            modules: modules.clone(),
            tasks: tasks.collect(),
        }
    }

    /// Asks every actor that lives now for its state once more, which takes up to two seconds for those that are busy with one
    /// message. For those that are about to be killed at their work.
    pub async fn last_call(&self) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut asked = JoinSet::new();
        for (scheduled, _) in &self.tasks {
            let rounds = Rounds {
                scheduled: scheduled.clone(),
                modules: self.modules.clone(),
                room: room.clone(),
                // Whatever was seen before may have been kept by somebody else.
                known: Arc::default(),
            };
            asked.spawn(async move { rounds.round().await.join_all().await });
        }
        asked.join_all().await;
    }

    /// The actors that live now and whose states are kept, by name.
    pub fn living(&self) -> Vec<String> {
        let names = self.tasks.iter().flat_map(|(scheduled, _)| {
            let guests = self.modules.guests(&scheduled.module);
            let names = guests.into_iter().filter_map(|guest| guest.name());
            names.filter(|name| scheduled.names.contains(name))
        });
        names.collect()
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        for (_, task) in &self.tasks {
            task.abort();
        }
    }
}

/// The actors of one entry.
struct Rounds {
    scheduled: Arc<Scheduled>,
    modules: Modules,
    room: Arc<Semaphore>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

/// What is known of the actor that has a name.
#[derive(Debug, Clone, Copy)]
struct Known {
    pid: u64,
    /// Its [`turns`](LiveGuest::turns) before it was asked.
    turns: u64,
    /// None until its state came.
    seen: Option<Seen>,
}

/// What is known of an actor's last state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It was handed to the writer, which keeps it until it is written; this is its hash.
    State(u64),
    /// There was none, which was said.
    Refused,
}

impl Rounds {
    async fn run(self) {
        let mut rounds = tokio::time::interval(self.scheduled.checkpoints.every);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first is at once, when nothing has happened yet.
        rounds.tick().await;
        loop {
            rounds.tick().await;
            // Those that are slow to answer don't hold up the next round.
            self.round().await.detach_all();
        }
    }

    /// Asks each actor, and gives the tasks that wait for their answers.
    async fn round(&self) -> JoinSet<()> {
        let mut asked = JoinSet::new();
        for guest in self.modules.guests(&self.scheduled.module) {
            let Some(name) = guest.name().filter(|name| self.scheduled.names.contains(name)) else {
                continue;
            };
            let Ok(permit) = self.room.clone().acquire_owned().await else {
                break;
            };
            let (checkpoints, known) = (self.scheduled.checkpoints.clone(), self.known.clone());
            let place = Place {
                room: self.room.clone(),
                permit,
            };
            asked.spawn(async move { keep(&guest, name, &checkpoints, &known, place).await });
        }
        asked
    }
}

/// A place among the actors that are asked at once.
struct Place {
    room: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
}

impl Place {
    /// Asks an actor for its state, which comes with a place. None if it is busy with one message for too long. While it is, it has
    /// no place: however many are busy, they keep nobody else from being asked.
    async fn ask(self, guest: &LiveGuest) -> Option<Result<(Snapshot, OwnedSemaphorePermit), NotReloaded>> {
        let Self {
            room: places,
            mut permit,
        } = self;
        let end = Instant::now() + PATIENCE;
        loop {
            let room = Arc::new(StateRoom::with(places.clone(), permit));
            let mut asking = pin!(guest.snapshot_in(room.clone()));
            let answer = match timeout(PROMPT, asking.as_mut()).await {
                Ok(answer) => answer,
                Err(_) => {
                    room.give_up();
                    timeout_at(end, asking).await.ok()?
                }
            };
            if let Some(answer) = answer.transpose() {
                return Some(answer);
            }
            // It is done with its message, but others have all places now.
            permit = timeout_at(end, places.clone().acquire_owned()).await.ok()?.ok()?;
        }
    }
}

async fn keep(
    guest: &LiveGuest,
    name: String,
    checkpoints: &Checkpoints,
    known: &Mutex<HashMap<String, Known>>,
    place: Place,
) {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    // Before the state, so that a turn in between is seen the next time.
    let (pid, turns) = (guest.pid(), guest.turns());
    let before = {
        let mut known = lock();
        let last = known.get(&name).copied();
        if last.is_some_and(|last| (last.pid, last.turns) == (pid, turns)) {
            return;
        }
        let before = last.and_then(|last| last.seen);
        known.insert(
            name.clone(),
            Known {
                pid,
                turns,
                seen: before,
            },
        );
        before
    };
    let Some(snapshot) = place.ask(guest).await else {
        lock().remove(&name);
        tracing::debug!(
            actor = name,
            "no checkpoint this time: the actor is busy with one message"
        );
        return;
    };
    // The place is kept until the state is the writer's.
    let (snapshot, _permit) = match snapshot {
        Ok((snapshot, permit)) => (Ok(snapshot), Some(permit)),
        Err(error) => (Err(error), None),
    };
    let now = match &snapshot {
        Ok(snapshot) => Seen::State(hash(snapshot)),
        Err(_) => Seen::Refused,
    };
    if let Some(known) = lock().get_mut(&name) {
        known.seen = Some(now);
    }
    match snapshot {
        Ok(snapshot) if before != Some(now) => {
            let module = guest.module();
            let checkpoint = Checkpoint {
                module: module.name().to_owned(),
                digest: module.digest(),
                state_version: snapshot.state_version,
                taken: SystemTime::now(),
                state: snapshot.state,
            };
            let entry = Entry {
                actor: name.clone(),
                checkpoint: Arc::new(checkpoint),
                keep: checkpoints.keep,
                hold: Vec::new(),
            };
            if !checkpoints.writer.put(entry, snapshot.moment) {
                lock().remove(&name);
            }
        }
        // Nothing has changed since the last.
        Ok(_) => {}
        // Its last state is kept by itself.
        Err(NotReloaded::Ended) => {}
        Err(error) if before != Some(Seen::Refused) => tracing::warn!(actor = name, %error, "no checkpoint"),
        Err(_) => {}
    }
}

/// Tells states apart. It need not be the same in the next process.
fn hash(snapshot: &Snapshot) -> u64 {
    let mut hasher = DefaultHasher::new();
    snapshot.state_version.hash(&mut hasher);
    snapshot.state.hash(&mut hasher);
    hasher.finish()
}
