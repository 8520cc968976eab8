//! Rollouts of every course against what has to be true at their end.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::super::OnFailure;
use super::super::report::{Outcome, Verdict};
use super::{Rollout, RolloutCommand};
use crate::guest::{Aftermath, Mode, NotReloaded, Step};

fn failed(step: Step) -> NotReloaded {
    NotReloaded::Failed {
        step,
        reason: "it traps".to_owned(),
        aftermath: Aftermath::Unharmed,
    }
}

fn of(on_failure: OnFailure, concurrency: usize, actors: u64) -> Rollout {
    Rollout::new(on_failure, concurrency, (1..=actors).map(|pid| (pid, Mode::Snapshot)))
}

fn commands(rollout: &mut Rollout) -> Vec<RolloutCommand> {
    std::iter::from_fn(|| rollout.poll()).collect()
}

fn outcomes(rollout: Rollout) -> Vec<Outcome> {
    rollout.into_outcomes().map(|(_, outcome)| outcome).collect()
}

const RELOADED: Outcome = Outcome::Reloaded { mode: Mode::Snapshot };

#[test]
fn so_many_are_reloaded_at_once_and_those_that_prove_themselves_hold_up_nobody() {
    let mut rollout = of(OnFailure::Rollback, 2, 3);
    let swap = |pid| RolloutCommand::Swap(pid, Mode::Snapshot);
    assert_eq!(commands(&mut rollout), [swap(1), swap(2)]);
    rollout.handle_swapped(2, Ok(()));
    assert_eq!(commands(&mut rollout), [swap(3)]);
    rollout.handle_swapped(1, Ok(()));
    rollout.handle_swapped(3, Ok(()));
    rollout.handle_proven(1, Ok(()));
    rollout.handle_proven(3, Ok(()));
    assert_eq!(commands(&mut rollout), [], "the second has still to prove itself");
    rollout.handle_proven(2, Ok(()));
    assert_eq!(commands(&mut rollout), [RolloutCommand::Advance]);
    rollout.handle_late([4]);
    assert_eq!(commands(&mut rollout), [swap(4)]);
    rollout.handle_swapped(4, Ok(()));
    rollout.handle_proven(4, Ok(()));
    assert_eq!(commands(&mut rollout), [RolloutCommand::Advance]);
    rollout.handle_late([]);
    assert_eq!(commands(&mut rollout), [1, 2, 3, 4].map(RolloutCommand::Confirm));
    assert_eq!(rollout.verdict(), Verdict::Reloaded);
    assert_eq!(outcomes(rollout), [RELOADED; 4]);
}

#[test]
fn after_one_failure_nobody_is_begun_with_and_those_that_were_reloaded_go_back() {
    let mut rollout = of(OnFailure::Rollback, 2, 4);
    commands(&mut rollout);
    rollout.handle_swapped(1, Ok(()));
    commands(&mut rollout);
    rollout.handle_swapped(2, Err(failed(Step::Restore)));
    rollout.handle_swapped(3, Ok(()));
    rollout.handle_proven(1, Ok(()));
    rollout.handle_proven(3, Err(NotReloaded::Ended));
    assert_eq!(commands(&mut rollout), [RolloutCommand::TakeBack]);
    rollout.handle_strays([1, 9]);
    assert_eq!(
        commands(&mut rollout),
        [1, 9].map(|pid| RolloutCommand::Return(pid, Mode::Snapshot))
    );
    rollout.handle_returned(1, Ok(()));
    rollout.handle_returned(9, Err(failed(Step::Boundary)));
    assert_eq!(commands(&mut rollout), []);
    assert_eq!(rollout.verdict(), Verdict::RolledBack);
    let expected = [
        Outcome::RolledBack,
        failed(Step::Restore).into(),
        Outcome::Ended,
        Outcome::Untouched,
        Outcome::NotRolledBack {
            step: Step::Boundary,
            reason: "it traps".to_owned(),
        },
    ];
    assert_eq!(outcomes(rollout), expected);
}

#[test]
fn an_actor_that_ended_is_no_failure() {
    let mut rollout = of(OnFailure::Rollback, 1, 2);
    commands(&mut rollout);
    rollout.handle_swapped(1, Err(NotReloaded::Ended));
    assert_eq!(commands(&mut rollout), [RolloutCommand::Swap(2, Mode::Snapshot)]);
    rollout.handle_swapped(2, Ok(()));
    rollout.handle_proven(2, Ok(()));
    assert_eq!(rollout.verdict(), Verdict::Reloaded);
}

#[test]
fn a_module_without_actors_is_reloaded() {
    let mut rollout = of(OnFailure::Rollback, 1, 0);
    assert_eq!(commands(&mut rollout), [RolloutCommand::Advance]);
    rollout.handle_late([]);
    assert_eq!(commands(&mut rollout), []);
    assert_eq!(rollout.verdict(), Verdict::Reloaded);
}

#[test]
fn mixed_keeps_both_unless_nobody_could_be_reloaded() {
    let mut rollout = of(OnFailure::Mixed, 1, 2);
    commands(&mut rollout);
    rollout.handle_swapped(1, Err(failed(Step::Snapshot)));
    commands(&mut rollout);
    rollout.handle_swapped(2, Err(failed(Step::Snapshot)));
    assert_eq!(commands(&mut rollout), [RolloutCommand::TakeBack]);
    assert_eq!(rollout.verdict(), Verdict::RolledBack);

    let mut rollout = of(OnFailure::Mixed, 1, 2);
    commands(&mut rollout);
    rollout.handle_swapped(1, Err(failed(Step::Snapshot)));
    commands(&mut rollout);
    rollout.handle_swapped(2, Ok(()));
    rollout.handle_proven(2, Ok(()));
    assert_eq!(commands(&mut rollout), [RolloutCommand::Advance]);
    rollout.handle_late([1]);
    assert_eq!(
        commands(&mut rollout),
        [RolloutCommand::Confirm(2)],
        "those that failed are not tried again"
    );
    assert_eq!(rollout.verdict(), Verdict::Mixed);
}

#[test]
fn an_actor_that_failed_with_the_new_code_and_runs_it_nevertheless_goes_back() {
    let mut rollout = of(OnFailure::Rollback, 2, 2);
    commands(&mut rollout);
    rollout.handle_swapped(1, Ok(()));
    rollout.handle_swapped(2, Ok(()));
    rollout.handle_proven(1, Ok(()));
    rollout.handle_proven(2, Err(failed(Step::Probation)));
    assert_eq!(commands(&mut rollout), [RolloutCommand::TakeBack]);
    rollout.handle_strays([1, 2]);
    assert_eq!(
        commands(&mut rollout),
        [1, 2].map(|pid| RolloutCommand::Return(pid, Mode::Snapshot))
    );
    rollout.handle_returned(1, Ok(()));
    rollout.handle_returned(2, Ok(()));
    assert_eq!(outcomes(rollout), [Outcome::RolledBack, failed(Step::Probation).into()]);
}

#[test]
fn an_actor_that_fails_when_it_is_not_watched_any_more_is_a_failure() {
    for (on_failure, next, verdict) in [
        (OnFailure::Rollback, RolloutCommand::TakeBack, Verdict::RolledBack),
        (OnFailure::Mixed, RolloutCommand::Advance, Verdict::Mixed),
    ] {
        let mut rollout = of(on_failure, 2, 2);
        commands(&mut rollout);
        for pid in [1, 2] {
            rollout.handle_swapped(pid, Ok(()));
            rollout.handle_proven(pid, Ok(()));
        }
        assert_eq!(commands(&mut rollout), [RolloutCommand::Advance]);
        rollout.handle_relapsed(2, failed(Step::Probation));
        rollout.handle_late([2]);
        assert_eq!(commands(&mut rollout), [next]);
        assert_eq!(rollout.verdict(), verdict);
    }
    // If nobody is left with the new code, it isn't current either.
    let mut rollout = of(OnFailure::Mixed, 1, 1);
    commands(&mut rollout);
    rollout.handle_swapped(1, Ok(()));
    rollout.handle_proven(1, Ok(()));
    commands(&mut rollout);
    rollout.handle_relapsed(1, failed(Step::Probation));
    rollout.handle_late([1]);
    assert_eq!(commands(&mut rollout), [RolloutCommand::TakeBack]);
}

/// A module whose actors start, end and fail at any time.
struct Module {
    random: SmallRng,
    /// What each actor that lives runs; true for the new version.
    actors: BTreeMap<u64, bool>,
    is_new_current: bool,
    next_pid: u64,
    /// How many of a thousand swaps fail.
    bad: u32,
    /// Those that can't go back.
    stuck: BTreeSet<u64>,
}

impl Module {
    fn new(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let count = random.random_range(0..12);
        let bad = *[0, 0, 20, 200, 1_000].choose(&mut random).unwrap();
        Self {
            actors: (1..=count).map(|pid| (pid, false)).collect(),
            is_new_current: false,
            next_pid: count + 1,
            bad,
            stuck: BTreeSet::new(),
            random,
        }
    }

    fn not_running(&self, new: bool) -> Vec<u64> {
        let others = self.actors.iter().filter(|(_, runs)| **runs != new);
        others.map(|(pid, _)| *pid).collect()
    }

    fn outside(&mut self) {
        if self.random.random_ratio(1, 8) {
            self.actors.insert(self.next_pid, self.is_new_current);
            self.next_pid += 1;
        }
        if self.random.random_ratio(1, 12)
            && let Some(pid) = self.actors.keys().copied().collect::<Vec<_>>().choose(&mut self.random)
        {
            self.actors.remove(pid);
        }
    }

    fn change(&mut self, pid: u64, to_new: bool, bad: u32) -> Result<(), NotReloaded> {
        let fails = self.random.random_ratio(bad, 1_000);
        let runs = self.actors.get_mut(&pid).ok_or(NotReloaded::Ended)?;
        if fails {
            return Err(failed(Step::Restore));
        }
        *runs = to_new;
        Ok(())
    }
}

/// What is under way.
enum Under {
    Swap(u64),
    Proof(u64),
    Return(u64),
}

fn run(seed: u64) {
    let mut module = Module::new(seed);
    let on_failure = match module.random.random() {
        true => OnFailure::Rollback,
        false => OnFailure::Mixed,
    };
    let concurrency = module.random.random_range(1..5);
    let actors: Vec<_> = module.actors.keys().map(|pid| (*pid, Mode::Snapshot)).collect();
    let mut rollout = Rollout::new(on_failure, concurrency, actors);
    let mut under: Vec<Under> = Vec::new();
    loop {
        while let Some(command) = rollout.poll() {
            match command {
                RolloutCommand::Swap(pid, _) => under.push(Under::Swap(pid)),
                RolloutCommand::Return(pid, _) => under.push(Under::Return(pid)),
                RolloutCommand::Confirm(pid) => assert_ne!(
                    module.actors.get(&pid),
                    Some(&false),
                    "seed {seed}: {pid} is not reloaded"
                ),
                RolloutCommand::Advance => {
                    module.is_new_current = true;
                    rollout.handle_late(module.not_running(true));
                }
                RolloutCommand::TakeBack => {
                    module.is_new_current = false;
                    rollout.handle_strays(module.not_running(false));
                }
            }
            let busy = under.iter().filter(|under| !matches!(under, Under::Proof(_))).count();
            assert!(busy <= concurrency, "seed {seed}: {busy} at once");
        }
        module.outside();
        if under.is_empty() {
            break;
        }
        let at = module.random.random_range(0..under.len());
        match under.swap_remove(at) {
            Under::Swap(pid) => {
                let swapped = module.change(pid, true, module.bad);
                if swapped.is_ok() {
                    under.push(Under::Proof(pid));
                }
                rollout.handle_swapped(pid, swapped);
            }
            Under::Proof(pid) => {
                let fails = module.random.random_ratio(module.bad, 1_000);
                let proven = match module.actors.get_mut(&pid) {
                    None => Err(NotReloaded::Ended),
                    Some(runs) if fails => {
                        *runs = false;
                        Err(failed(Step::Probation))
                    }
                    Some(_) => Ok(()),
                };
                rollout.handle_proven(pid, proven);
            }
            Under::Return(pid) => {
                let returned = module.change(pid, false, 30);
                if returned.as_ref().is_err_and(|error| *error != NotReloaded::Ended) {
                    module.stuck.insert(pid);
                }
                rollout.handle_returned(pid, returned);
            }
        }
    }
    ended(&module, rollout, on_failure, seed);
}

/// What has to be true of a module whose rollout has ended.
fn ended(module: &Module, rollout: Rollout, on_failure: OnFailure, seed: u64) {
    let verdict = rollout.verdict();
    assert_eq!(module.is_new_current, verdict != Verdict::RolledBack, "seed {seed}");
    let outcomes: BTreeMap<u64, Outcome> = rollout.into_outcomes().collect();
    for (pid, runs_new) in &module.actors {
        let outcome = outcomes.get(pid);
        let expected = match (verdict, outcome) {
            (Verdict::Mixed, Some(Outcome::Failed { .. })) => false,
            (Verdict::RolledBack, Some(Outcome::NotRolledBack { .. })) => true,
            (Verdict::RolledBack, _) => false,
            _ => true,
        };
        assert_eq!(*runs_new, expected, "seed {seed}: {pid} {outcome:?} after {verdict:?}");
    }
    let has_failed = outcomes
        .values()
        .any(|outcome| matches!(outcome, Outcome::Failed { .. }));
    assert_eq!(has_failed, verdict != Verdict::Reloaded, "seed {seed}: {outcomes:?}");
    assert!(
        on_failure == OnFailure::Mixed || verdict != Verdict::Mixed,
        "seed {seed}"
    );
    for pid in &module.stuck {
        let outcome = &outcomes[pid];
        assert!(
            matches!(outcome, Outcome::NotRolledBack { .. }),
            "seed {seed}: {outcome:?}"
        );
    }
}

#[test]
fn at_the_end_all_run_what_the_verdict_says() {
    (0..20_000).for_each(run);
}
