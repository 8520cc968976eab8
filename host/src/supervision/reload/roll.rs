//! Does what a rollout decides: actor by actor, several at a time; and back again.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

use super::report::{ActorReport, Outcome, ReloadReport};
use super::rollout::{Rollout, Todo};
use super::{Reload, behind};
use crate::guest::{Aftermath, GuestRef, Mode, Module, Modules, NotReloaded, Proof, Step, Swap, Swapped, Versions};

/// Who is reloaded, and how.
type Jobs = Vec<(GuestRef, Mode)>;

/// What came of something that took its time.
enum Came {
    Swapped(u64, Result<Swapped, NotReloaded>),
    /// With the proof that it was not waited for any more.
    Proven(u64, Result<(), NotReloaded>, Option<Proof>),
    Returned(u64, Result<(), NotReloaded>),
}

/// What an actor is at, so that it is known of one whose task fails.
#[derive(Clone, Copy)]
enum At {
    Swap(u64),
    Proof(u64),
    Return(u64),
}

/// Reloads all, and makes the new version current unless that failed.
pub(super) async fn all(
    modules: &Modules,
    old: &Module,
    new: &Module,
    jobs: Jobs,
    reload: &Reload,
    report: &mut ReloadReport,
) {
    let actors = jobs.iter().map(|(guest, mode)| (guest.pid(), *mode));
    let mut rollout = Rollout::new(reload.on_failure, reload.concurrency, actors);
    let mut roll = Roll {
        before: modules.versions(old.name()),
        modules,
        old,
        new,
        reload,
        known: jobs
            .into_iter()
            .map(|(guest, _)| (guest.pid(), Known::of(guest)))
            .collect(),
        tasks: JoinSet::new(),
        at: HashMap::new(),
    };
    loop {
        while let Some(todo) = rollout.poll() {
            roll.begin(todo, &mut rollout);
        }
        match roll.tasks.join_next_with_id().await {
            Some(came) => roll.came(came, &mut rollout),
            None => break,
        }
    }
    report.verdict = rollout.verdict();
    let outcomes = rollout.into_outcomes();
    report.actors = outcomes
        .filter_map(|(pid, outcome)| Some(roll.known.remove(&pid)?.report(outcome)))
        .collect();
}

struct Roll<'a> {
    modules: &'a Modules,
    old: &'a Module,
    new: &'a Module,
    reload: &'a Reload,
    /// What the module was, to be gone back to.
    before: Option<Versions>,
    known: HashMap<u64, Known>,
    tasks: JoinSet<Came>,
    at: HashMap<Id, At>,
}

/// An actor, and what is known of its reload besides its outcome.
struct Known {
    guest: GuestRef,
    swapped: Option<ActorReport>,
    /// The trial goes on though nobody waits for its end.
    unheard: Option<Proof>,
}

impl Known {
    fn of(guest: GuestRef) -> Self {
        Self {
            guest,
            swapped: None,
            unheard: None,
        }
    }

    fn report(self, outcome: Outcome) -> ActorReport {
        let report = self
            .swapped
            .unwrap_or_else(|| ActorReport::new(&self.guest, outcome.clone()));
        ActorReport { outcome, ..report }
    }
}

impl Roll<'_> {
    fn begin(&mut self, todo: Todo, rollout: &mut Rollout) {
        match todo {
            Todo::Swap(pid, mode) => {
                let Some(known) = self.known.get(&pid) else { return };
                let swapping = patiently(known.guest.clone(), self.swap(self.new, mode), self.reload.patience);
                self.spawn(At::Swap(pid), async move { Came::Swapped(pid, swapping.await) });
            }
            Todo::Advance => {
                // From here on actors start with the new version, so that those which are behind become no more.
                self.modules.insert(self.new.clone());
                let late = behind(self.modules, self.new);
                for (pid, known) in &mut self.known {
                    if let Some(Err(error)) = known.unheard.as_mut().and_then(Proof::heard) {
                        rollout.handle_relapsed(*pid, error);
                    }
                }
                rollout.handle_late(self.meet(late));
            }
            Todo::TakeBack => {
                let before = self.before.take();
                let strays = before.map(|before| self.modules.take_back(before)).unwrap_or_default();
                rollout.handle_strays(self.meet(strays));
            }
            Todo::Return(pid, mode) => {
                let Some(known) = self.known.get(&pid) else { return };
                let mut swap = self.swap(self.old, mode);
                swap.probation = 0;
                let swapping = patiently(known.guest.clone(), swap, self.reload.patience);
                self.spawn(
                    At::Return(pid),
                    async move { Came::Returned(pid, swapping.await.map(drop)) },
                );
            }
            Todo::Confirm(pid) => {
                if let Some(known) = self.known.get(&pid) {
                    known.guest.confirm();
                }
            }
        }
    }

    fn came(&mut self, came: Result<(Id, Came), JoinError>, rollout: &mut Rollout) {
        let (id, came) = match came {
            Ok((id, came)) => (id, Some(came)),
            // It ends early with the runtime, or by a fault of this code.
            Err(error) => (error.id(), None),
        };
        match (self.at.remove(&id), came) {
            (_, Some(Came::Swapped(pid, Ok(swapped)))) => {
                rollout.handle_swapped(pid, Ok(()));
                let proof = self.swapped(pid, swapped);
                let proving = proven(proof, self.reload.probation_time);
                self.spawn(At::Proof(pid), async move {
                    let (proven, unheard) = proving.await;
                    Came::Proven(pid, proven, unheard)
                });
            }
            (_, Some(Came::Swapped(pid, Err(error)))) => rollout.handle_swapped(pid, Err(error)),
            (_, Some(Came::Proven(pid, proven, unheard))) => {
                if let Some(known) = self.known.get_mut(&pid) {
                    known.unheard = unheard;
                }
                rollout.handle_proven(pid, proven);
            }
            (_, Some(Came::Returned(pid, returned))) => rollout.handle_returned(pid, returned),
            (Some(At::Swap(pid)), None) => rollout.handle_swapped(pid, Err(NotReloaded::Ended)),
            (Some(At::Proof(pid)), None) => rollout.handle_proven(pid, Err(NotReloaded::Ended)),
            (Some(At::Return(pid)), None) => rollout.handle_returned(pid, Err(NotReloaded::Ended)),
            (None, None) => {}
        }
    }

    fn spawn(&mut self, at: At, task: impl Future<Output = Came> + Send + 'static) {
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
    fn meet(&mut self, guests: Vec<GuestRef>) -> Vec<u64> {
        let pids = guests.iter().map(GuestRef::pid).collect();
        for guest in guests {
            self.known.entry(guest.pid()).or_insert_with(|| Known::of(guest));
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
    timeout(patience, guest.reload(swap)).await.unwrap_or_else(|_| {
        Err(NotReloaded::Failed {
            step: Step::Boundary,
            reason: format!("the actor has been handling one message for more than {patience:?}"),
            aftermath: Aftermath::Unharmed,
        })
    })
}
