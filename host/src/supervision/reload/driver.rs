//! Does what a rollout decides: actor by actor, several at a time; and back again.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

use super::report::{ActorReport, Outcome, ReloadReport};
use super::rollout::{Rollout, RolloutCommand};
use super::{Reload, behind};
use crate::guest::{Aftermath, GuestRef, Mode, Module, Modules, NotReloaded, Proof, Step, Swap, Swapped, Versions};

/// Who is reloaded, and how.
type Swaps = Vec<(GuestRef, Mode)>;

/// What came of something that took its time.
enum TaskOutcome {
    Swapped(u64, Result<Swapped, NotReloaded>),
    /// With the proof that it was not waited for any more.
    Proven(u64, Result<(), NotReloaded>, Option<Proof>),
    Returned(u64, Result<(), NotReloaded>),
}

/// What a task does, so that this is known if the task itself fails.
#[derive(Clone, Copy)]
enum TaskKind {
    Swap(u64),
    Proof(u64),
    Return(u64),
}

/// Reloads all, and makes the new version current unless that failed.
pub(super) async fn run(
    modules: &Modules,
    old: &Module,
    new: &Module,
    swaps: Swaps,
    reload: &Reload,
    report: &mut ReloadReport,
) {
    let actors = swaps.iter().map(|(guest, mode)| (guest.pid(), *mode));
    let mut rollout = Rollout::new(reload.on_failure, reload.concurrency, actors);
    let mut driver = Driver {
        before: modules.versions(old.name()),
        modules,
        old,
        new,
        reload,
        known: swaps
            .into_iter()
            .map(|(guest, _)| (guest.pid(), ActorProgress::of(guest)))
            .collect(),
        tasks: JoinSet::new(),
        at: HashMap::new(),
    };
    loop {
        while let Some(command) = rollout.poll() {
            driver.begin(command, &mut rollout);
        }
        match driver.tasks.join_next_with_id().await {
            Some(task_ended) => driver.task_ended(task_ended, &mut rollout),
            None => break,
        }
    }
    report.verdict = rollout.verdict();
    let outcomes = rollout.into_outcomes();
    report.actors = outcomes
        .filter_map(|(pid, outcome)| Some(driver.known.remove(&pid)?.report(outcome)))
        .collect();
}

struct Driver<'a> {
    modules: &'a Modules,
    old: &'a Module,
    new: &'a Module,
    reload: &'a Reload,
    /// What the module was, to be gone back to.
    before: Option<Versions>,
    known: HashMap<u64, ActorProgress>,
    tasks: JoinSet<TaskOutcome>,
    at: HashMap<Id, TaskKind>,
}

/// An actor, and what is known of its reload besides its outcome.
struct ActorProgress {
    guest: GuestRef,
    swapped: Option<ActorReport>,
    /// The trial goes on though nobody waits for its end.
    pending_proof: Option<Proof>,
}

impl ActorProgress {
    fn of(guest: GuestRef) -> Self {
        Self {
            guest,
            swapped: None,
            pending_proof: None,
        }
    }

    fn report(self, outcome: Outcome) -> ActorReport {
        let report = self
            .swapped
            .unwrap_or_else(|| ActorReport::new(&self.guest, outcome.clone()));
        ActorReport { outcome, ..report }
    }
}

impl Driver<'_> {
    fn begin(&mut self, command: RolloutCommand, rollout: &mut Rollout) {
        match command {
            RolloutCommand::Swap(pid, mode) => {
                let Some(known) = self.known.get(&pid) else { return };
                let swapping = patiently(known.guest.clone(), self.swap(self.new, mode), self.reload.patience);
                self.spawn(
                    TaskKind::Swap(pid),
                    async move { TaskOutcome::Swapped(pid, swapping.await) },
                );
            }
            RolloutCommand::Advance => {
                // Current first, and then the search: from here on actors start with the new version, so none can fall behind after it.
                self.modules.insert(self.new.clone());
                let late = behind(self.modules, self.new);
                // Before the rollout is told of them: who has failed since decides whether it still goes forward.
                for (pid, known) in &mut self.known {
                    if let Some(Err(error)) = known.pending_proof.as_mut().and_then(Proof::heard) {
                        rollout.handle_relapsed(*pid, error);
                    }
                }
                rollout.handle_late(self.track(late));
            }
            RolloutCommand::TakeBack => {
                // `take_back` does both under one lock: an actor that starts now has the old version, or is among the strays.
                let before = self.before.take();
                let strays = before.map(|before| self.modules.take_back(before)).unwrap_or_default();
                rollout.handle_strays(self.track(strays));
            }
            RolloutCommand::Return(pid, mode) => {
                let Some(known) = self.known.get(&pid) else { return };
                let mut swap = self.swap(self.old, mode);
                // What ran before has nothing to prove, and there is nothing to go back to from it.
                swap.probation = 0;
                let swapping = patiently(known.guest.clone(), swap, self.reload.patience);
                self.spawn(TaskKind::Return(pid), async move {
                    TaskOutcome::Returned(pid, swapping.await.map(drop))
                });
            }
            RolloutCommand::Confirm(pid) => {
                // Only now: until all have proven themselves, the old instance is the way back.
                if let Some(known) = self.known.get(&pid) {
                    known.guest.confirm();
                }
            }
        }
    }

    fn task_ended(&mut self, task_ended: Result<(Id, TaskOutcome), JoinError>, rollout: &mut Rollout) {
        let (id, task_ended) = match task_ended {
            Ok((id, task_ended)) => (id, Some(task_ended)),
            // It ends early with the runtime, or by a fault of this code.
            Err(error) => (error.id(), None),
        };
        match (self.at.remove(&id), task_ended) {
            (_, Some(TaskOutcome::Swapped(pid, Ok(swapped)))) => {
                // First, so that another actor takes the place of this one, which from now on only waits for messages.
                rollout.handle_swapped(pid, Ok(()));
                let proof = self.swapped(pid, swapped);
                let proving = proven(proof, self.reload.probation_time);
                self.spawn(TaskKind::Proof(pid), async move {
                    let (proven, pending_proof) = proving.await;
                    TaskOutcome::Proven(pid, proven, pending_proof)
                });
            }
            (_, Some(TaskOutcome::Swapped(pid, Err(error)))) => rollout.handle_swapped(pid, Err(error)),
            (_, Some(TaskOutcome::Proven(pid, proven, pending_proof))) => {
                if let Some(known) = self.known.get_mut(&pid) {
                    known.pending_proof = pending_proof;
                }
                rollout.handle_proven(pid, proven);
            }
            (_, Some(TaskOutcome::Returned(pid, returned))) => rollout.handle_returned(pid, returned),
            // A task that left no answer has to be counted all the same, or the rollout would wait for it for ever.
            (Some(TaskKind::Swap(pid)), None) => rollout.handle_swapped(pid, Err(NotReloaded::Ended)),
            (Some(TaskKind::Proof(pid)), None) => rollout.handle_proven(pid, Err(NotReloaded::Ended)),
            (Some(TaskKind::Return(pid)), None) => rollout.handle_returned(pid, Err(NotReloaded::Ended)),
            (None, None) => {}
        }
    }

    fn spawn(&mut self, at: TaskKind, task: impl Future<Output = TaskOutcome> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.at.insert(id, at);
    }

    fn swap(&self, to: &Module, mode: Mode) -> Swap {
        Swap {
            module: to.clone(),
            mode,
            probation: self.reload.probation_messages,
        }
    }

    /// Makes actors known that were not.
    fn track(&mut self, guests: Vec<GuestRef>) -> Vec<u64> {
        let pids = guests.iter().map(GuestRef::pid).collect();
        for guest in guests {
            self.known
                .entry(guest.pid())
                .or_insert_with(|| ActorProgress::of(guest));
        }
        pids
    }

    fn swapped(&mut self, pid: u64, swapped: Swapped) -> Proof {
        let Swapped {
            pause,
            state_bytes,
            waiting,
            proof,
        } = swapped;
        if let Some(known) = self.known.get_mut(&pid) {
            known.swapped = Some(ActorReport {
                pause_us: Some(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX)),
                state_bytes: Some(state_bytes as u64),
                waiting: Some(waiting as u64),
                ..ActorReport::new(&known.guest, Outcome::Untouched)
            });
        }
        proof
    }
}

/// Those that had nothing to do for so long have failed at nothing.
async fn proven(mut proof: Proof, longest: Duration) -> (Result<(), NotReloaded>, Option<Proof>) {
    match timeout(longest, proof.proven()).await {
        Ok(proven) => (proven, None),
        Err(_) => (Ok(()), Some(proof)),
    }
}

async fn patiently(guest: GuestRef, swap: Swap, patience: Duration) -> Result<Swapped, NotReloaded> {
    guest.reload_within(swap, patience).await.unwrap_or_else(|| {
        Err(NotReloaded::Failed {
            step: Step::Boundary,
            reason: format!(
                "the actor has been handling one message, or starting with the new code, for more than {patience:?}"
            ),
            aftermath: Aftermath::Unharmed,
        })
    })
}
