//! Actor by actor, several at a time; and back again.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::report::{ActorReport, Outcome, ReloadReport, Verdict};
use super::{OnFailure, Reload, behind};
use crate::guest::{Aftermath, LiveGuest, Mode, Module, Modules, NotReloaded, Step, Swap, Swapped};

/// Who is reloaded, and how.
type Jobs = Vec<(LiveGuest, Mode)>;

/// How often it is looked for actors that started meanwhile. Those that start after the new version is current have it.
const SWEEPS: usize = 3;

/// One actor after its turn.
struct Done {
    index: usize,
    guest: LiveGuest,
    mode: Mode,
    report: ActorReport,
}

impl Done {
    fn is_reloaded(&self) -> bool {
        matches!(self.report.outcome, Outcome::Reloaded { .. })
    }

    fn has_failed(&self) -> bool {
        matches!(self.report.outcome, Outcome::Failed { .. })
    }
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
    let before = modules.versions(old.name());
    let mut done = forward(new, jobs, reload).await;
    report.verdict = verdict(&done, reload.on_failure);
    if report.verdict != Verdict::RolledBack {
        // From here on actors start with the new version, so that those which are behind become no more.
        modules.insert(new.clone());
        for _ in 0..SWEEPS {
            let late = late(modules, new, &done);
            if late.is_empty() {
                break;
            }
            let mut more = forward(new, late, reload).await;
            done.append(&mut more);
            report.verdict = verdict(&done, reload.on_failure);
        }
    }
    if report.verdict == Verdict::RolledBack {
        // First of all, so that nobody starts with the rejected version any more: those who did are known then.
        let strays = before.map(|before| modules.take_back(before)).unwrap_or_default();
        let mode = done.first().map_or(Mode::Snapshot, |done| done.mode);
        done.extend(started_meanwhile(strays, &done, mode));
        done = back(old, done, reload).await;
    } else {
        done.iter()
            .filter(|done| done.is_reloaded())
            .for_each(|done| done.guest.confirm());
    }
    report.actors = done.into_iter().map(|done| done.report).collect();
}

fn verdict(done: &[Done], on_failure: OnFailure) -> Verdict {
    let failed = done.iter().any(Done::has_failed);
    match on_failure {
        _ if !failed => Verdict::Reloaded,
        OnFailure::Mixed if done.iter().any(Done::is_reloaded) => Verdict::Mixed,
        OnFailure::Mixed | OnFailure::Rollback => Verdict::RolledBack,
    }
}

/// Actors that started with the old version while others were reloaded. They are of the same code, so what was decided for
/// the others holds for them.
fn late(modules: &Modules, new: &Module, done: &[Done]) -> Jobs {
    let known: HashSet<u64> = done.iter().map(|done| done.guest.pid()).collect();
    let mode = done.first().map_or(Mode::Snapshot, |done| done.mode);
    let late = behind(modules, new).into_iter();
    late.filter(|guest| !known.contains(&guest.pid()))
        .map(|guest| (guest, mode))
        .collect()
}

/// Actors that started with the new version before it was rejected. They go back like those that were reloaded.
fn started_meanwhile(strays: Vec<LiveGuest>, done: &[Done], mode: Mode) -> Vec<Done> {
    let known: HashSet<u64> = done.iter().map(|done| done.guest.pid()).collect();
    let strays = strays.into_iter().filter(|guest| !known.contains(&guest.pid()));
    let strays = strays.map(|guest| Done {
        index: 0,
        report: ActorReport::new(&guest, Outcome::Reloaded { mode }),
        guest,
        mode,
    });
    strays.collect()
}

async fn forward(new: &Module, jobs: Jobs, reload: &Reload) -> Vec<Done> {
    let turns = Arc::new(Semaphore::new(reload.concurrency.max(1)));
    let failing = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for (index, (guest, mode)) in jobs.into_iter().enumerate() {
        let swap = Swap {
            module: new.clone(),
            mode,
            probation: reload.probation_messages,
        };
        let (turns, failing, reload) = (turns.clone(), failing.clone(), reload.clone());
        tasks.spawn(async move {
            let report = one(&guest, swap, &turns, &failing, &reload).await;
            Done {
                index,
                guest,
                mode,
                report,
            }
        });
    }
    ended(tasks).await
}

async fn ended(mut tasks: JoinSet<Done>) -> Vec<Done> {
    let mut done = Vec::with_capacity(tasks.len());
    // A task ends early with the runtime only.
    while let Some(ended) = tasks.join_next().await {
        done.extend(ended);
    }
    done.sort_by_key(|done| done.index);
    done
}

async fn one(guest: &LiveGuest, swap: Swap, turns: &Semaphore, failing: &AtomicBool, reload: &Reload) -> ActorReport {
    let mode = swap.mode;
    let turn = turns.acquire().await;
    if failing.load(Ordering::Relaxed) {
        return ActorReport::new(guest, Outcome::Untouched);
    }
    let swapped = patiently(guest, swap, reload).await;
    drop(turn);
    let failed = |error: NotReloaded| {
        if error != NotReloaded::Ended && reload.on_failure == OnFailure::Rollback {
            failing.store(true, Ordering::Relaxed);
        }
        Outcome::from(error)
    };
    let Swapped {
        pause,
        state_bytes,
        waiting,
        mut proof,
    } = match swapped {
        Ok(swapped) => swapped,
        Err(error) => return ActorReport::new(guest, failed(error)),
    };
    let outcome = match timeout(reload.probation_time, proof.proven()).await {
        Ok(Err(error)) => failed(error),
        // Those that had nothing to do have failed at nothing.
        Ok(Ok(())) | Err(_) => Outcome::Reloaded { mode },
    };
    ActorReport {
        pause_us: Some(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX)),
        state_bytes: Some(state_bytes as u64),
        waiting: Some(waiting as u64),
        ..ActorReport::new(guest, outcome)
    }
}

async fn patiently(guest: &LiveGuest, swap: Swap, reload: &Reload) -> Result<Swapped, NotReloaded> {
    let patience = reload.patience;
    timeout(patience, guest.reload(swap)).await.unwrap_or_else(|_| {
        Err(NotReloaded::Failed {
            step: Step::Boundary,
            reason: format!("the actor has been handling one message for more than {patience:?}"),
            aftermath: Aftermath::Unharmed,
        })
    })
}

/// Those that were reloaded go back: as they were if nothing was handled since, else with their state.
async fn back(old: &Module, done: Vec<Done>, reload: &Reload) -> Vec<Done> {
    let turns = Arc::new(Semaphore::new(reload.concurrency.max(1)));
    let mut tasks = JoinSet::new();
    for (index, mut done) in done.into_iter().enumerate() {
        done.index = index;
        let swap = Swap {
            module: old.clone(),
            mode: done.mode,
            probation: 0,
        };
        let (turns, reload) = (turns.clone(), reload.clone());
        tasks.spawn(async move {
            if done.is_reloaded() {
                let _turn = turns.acquire().await;
                done.report.outcome = match patiently(&done.guest, swap, &reload).await {
                    Ok(_) => Outcome::RolledBack,
                    Err(NotReloaded::Ended) => Outcome::Ended,
                    Err(NotReloaded::Failed { step, reason, .. }) => Outcome::NotRolledBack { step, reason },
                };
            }
            done
        });
    }
    ended(tasks).await
}
