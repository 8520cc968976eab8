//! When the states of actors are kept: each again and again, at the end of the message that it is handling.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::collection::{AnswerOutcome, CheckpointActor, Collection, CollectionStep, StateAnswer};
use crate::guest::{Checkpoint, Checkpoints, Entry, GuestRef, Modules, NotReloaded, Snapshot, StateRoom};

/// The most actors that are asked for their states at once, and so the most states that are on their way to the writer.
const AT_ONCE: usize = 16;

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
    scheduled: Arc<[Scheduled]>,
    /// When each of them began to be asked.
    begun: Vec<Instant>,
    task: AbortHandle,
}

impl Schedule {
    /// Begins. Must be called within a runtime.
    pub fn start(modules: &Modules, scheduled: impl IntoIterator<Item = Scheduled>) -> Self {
        Self::begin(modules, scheduled.into_iter().collect(), |_| None)
    }

    /// Begins in place of this one, which goes on until it is dropped. Who is in both is asked when it would have been: otherwise a
    /// configuration that is changed again and again would put that off for ever.
    #[must_use]
    pub fn renewed(&self, scheduled: impl IntoIterator<Item = Scheduled>) -> Self {
        let known = || self.scheduled.iter().zip(&self.begun);
        Self::begin(&self.modules, scheduled.into_iter().collect(), |next| {
            let goes_on = |before: &Scheduled| {
                before.checkpoints.every == next.checkpoints.every && !before.names.is_disjoint(&next.names)
            };
            known().find(|(before, _)| goes_on(before)).map(|(_, begun)| *begun)
        })
    }

    /// True if the same actors are asked for their states, equally often.
    pub fn asks(&self, scheduled: &[Scheduled]) -> bool {
        let same = |(one, other): (&Scheduled, &Scheduled)| {
            one.module == other.module
                && one.names == other.names
                && one.checkpoints.every == other.checkpoints.every
                && one.checkpoints.keep == other.checkpoints.keep
        };
        self.scheduled.len() == scheduled.len() && self.scheduled.iter().zip(scheduled).all(same)
    }

    /// When this actor began to be asked.
    #[cfg(test)]
    pub(crate) fn since(&self, name: &str) -> Option<Instant> {
        let mut known = self.scheduled.iter().zip(&self.begun);
        known
            .find(|(scheduled, _)| scheduled.names.contains(name))
            .map(|(_, begun)| *begun)
    }

    fn begin(
        modules: &Modules,
        scheduled: Arc<[Scheduled]>,
        begun_before: impl Fn(&Scheduled) -> Option<Instant>,
    ) -> Self {
        let now = Instant::now();
        let begun: Vec<Instant> = scheduled.iter().map(|next| begun_before(next).unwrap_or(now)).collect();
        let every = scheduled.iter().map(|scheduled| scheduled.checkpoints.every);
        let sections = every.zip(begun.iter().map(|begun| begun.into_std()));
        let collection = Collection::since(AT_ONCE, sections, now.into_std());
        let rounds = Rounds::new(modules, &scheduled, collection);
        Self {
            modules: modules.clone(),
            scheduled,
            begun,
            task: tokio::spawn(rounds.run()).abort_handle(),
        }
    }

    /// Asks every actor that lives now for its state once more, which takes up to two seconds for those that are busy with one
    /// message. For those that are about to be killed at their work.
    pub async fn last_call(&self) {
        // Whatever was seen before may have been kept by somebody else, so nothing is known of any.
        let collection = Collection::once(AT_ONCE, self.scheduled.len(), Instant::now().into_std());
        Rounds::new(&self.modules, &self.scheduled, collection).run().await;
    }

    /// The actors that live now and whose states are kept, by name.
    pub fn living(&self) -> Vec<String> {
        let sections = self.scheduled.iter();
        let names = sections.flat_map(|scheduled| living(&self.modules, scheduled).map(|(name, _)| name));
        names.collect()
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl CheckpointActor for GuestRef {
    fn pid(&self) -> u64 {
        self.pid()
    }

    fn turns(&self) -> u64 {
        self.turns()
    }
}

/// The actors of an entry that live now.
fn living<'a>(modules: &Modules, scheduled: &'a Scheduled) -> impl Iterator<Item = (String, GuestRef)> + 'a {
    let guests = modules.guests(&scheduled.module).into_iter();
    let named = guests.filter_map(|guest| Some((guest.name()?, guest)));
    named.filter(|(name, _)| scheduled.names.contains(name))
}

/// What an actor answered.
enum Answered {
    State {
        snapshot: Snapshot,
        hash: u64,
        /// Kept until the state is the writer's.
        place: OwnedSemaphorePermit,
    },
    NoRoom,
    DatabaseFailure(NotReloaded),
}

/// What carries out what the machine decides.
struct Rounds {
    scheduled: Arc<[Scheduled]>,
    modules: Modules,
    collection: Collection<GuestRef>,
    /// Each asks one actor.
    answers: JoinSet<(u64, GuestRef, Answered)>,
    tasks: HashMap<u64, AbortHandle>,
}

impl Rounds {
    fn new(modules: &Modules, scheduled: &Arc<[Scheduled]>, collection: Collection<GuestRef>) -> Self {
        Self {
            scheduled: scheduled.clone(),
            modules: modules.clone(),
            collection,
            answers: JoinSet::new(),
            tasks: HashMap::new(),
        }
    }

    /// Returns when there is nothing more to ask.
    async fn run(mut self) {
        loop {
            let now = Instant::now().into_std();
            self.collection.handle_timeout(now);
            while let Some(step) = self.collection.poll_step(now) {
                self.take(step);
            }
            if self.collection.is_over() {
                return;
            }
            let next = self.collection.poll_timeout(now);
            let time = async {
                match next {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(answered) = self.answers.join_next() => {
                    // Those that are given up have no answer.
                    if let Ok((ask, guest, answered)) = answered {
                        self.tasks.remove(&ask);
                        self.answered(ask, &guest, answered);
                    }
                }
                () = time => {}
            }
        }
    }

    fn take(&mut self, step: CollectionStep<GuestRef>) {
        match step {
            CollectionStep::Round(section) => {
                if let Some(scheduled) = self.scheduled.get(section) {
                    self.collection.handle_living(section, living(&self.modules, scheduled));
                }
            }
            CollectionStep::Ask { ask, actor, room } => {
                let task = self.answers.spawn(async move {
                    let answered = answer(&actor, room).await;
                    (ask, actor, answered)
                });
                self.tasks.insert(ask, task);
            }
            CollectionStep::GiveUp { ask, name } => {
                if let Some(task) = self.tasks.remove(&ask) {
                    // The request stays with the actor, which finds nobody listening when it comes to it, and writes no state.
                    task.abort();
                }
                tracing::debug!(
                    actor = name,
                    "no checkpoint this time: the actor is busy with one message"
                );
            }
        }
    }

    fn answered(&mut self, ask: u64, guest: &GuestRef, answered: Answered) {
        let answer = match &answered {
            Answered::State { hash, .. } => StateAnswer::State(*hash),
            Answered::NoRoom => StateAnswer::NoRoom,
            Answered::DatabaseFailure(NotReloaded::Ended) => StateAnswer::Ended,
            Answered::DatabaseFailure(_) => StateAnswer::Refused,
        };
        match (self.collection.handle_answer(ask, answer), answered) {
            (AnswerOutcome::Write { section, name }, Answered::State { snapshot, place, .. }) => {
                // The place goes back only afterwards, so there are never more states on their way than places.
                self.write(section, &name, guest, snapshot);
                drop(place);
            }
            (AnswerOutcome::Refused { name }, Answered::DatabaseFailure(error)) => {
                tracing::warn!(actor = name, %error, "no checkpoint");
            }
            _ => {}
        }
    }

    fn write(&mut self, section: usize, name: &str, guest: &GuestRef, snapshot: Snapshot) {
        let Some(scheduled) = self.scheduled.get(section) else {
            return;
        };
        let checkpoint = Checkpoint {
            module: guest.module().name().to_owned(),
            // Of the code that wrote the state. The actor may have been reloaded since.
            digest: snapshot.digest,
            state_version: snapshot.state_version,
            taken: SystemTime::now(),
            state: snapshot.state,
        };
        let entry = Entry {
            actor: name.to_owned(),
            checkpoint: Arc::new(checkpoint),
            keep: scheduled.checkpoints.keep,
            hold: Vec::new(),
        };
        // Otherwise the machine would take the state for kept, and not ask again before the actor's next turn.
        if !scheduled.checkpoints.writer.put(entry, snapshot.moment) {
            self.collection.handle_left_out(section, name);
        }
    }
}

async fn answer(guest: &GuestRef, room: Arc<StateRoom>) -> Answered {
    match guest.snapshot_in(room).await {
        Ok(Some((snapshot, place))) => Answered::State {
            hash: hash(snapshot.state_version, &snapshot.state),
            snapshot,
            place,
        },
        Ok(None) => Answered::NoRoom,
        Err(error) => Answered::DatabaseFailure(error),
    }
}

/// Tells states apart. It need not be the same in the next process.
pub(crate) fn hash(state_version: u32, state: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    state_version.hash(&mut hasher);
    state.hash(&mut hasher);
    hasher.finish()
}
