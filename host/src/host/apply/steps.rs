//! A plan carried out, step by step. If a step fails, those before it are taken back, the last first.

use std::collections::BTreeSet;

use super::super::tree::ActorTree;
use super::ApplierParts;
use super::plan::{ActorsOfEntry, ApplyPlan};
use crate::config::{ActorSection, Code, NodeConfig, PeerAddress};
use crate::guest::{Digest, InvalidDigest, Modules, Versions};
use crate::node::{add_peer, remove_peer};
use crate::supervision::reload::{Reload, ReloadReport, Verdict};
use crate::supervision::{ChildChange, ChildSpec};

/// The most actors that are added or removed at once. Those of one entry don't wait for each other.
const AT_ONCE: usize = 256;

/// The most reasons that are told of one step.
const TOLD: usize = 5;

/// What it takes. Both configurations say what actors are like: `running` those that go, and that come back if a step fails.
pub(super) struct Steps<'a> {
    pub(super) parts: &'a ApplierParts,
    pub(super) running: &'a NodeConfig,
    pub(super) reached: &'a NodeConfig,
    /// The modules as they will be.
    pub(super) loaded: Modules,
    /// What operators have stopped, which stays so.
    pub(super) held: BTreeSet<String>,
}

/// Something failed.
pub(super) struct Failed {
    pub(super) reason: String,
    /// What could not be taken back, and why.
    pub(super) not_undone: Vec<String>,
}

/// A step that was done.
enum Done {
    ModuleAdded(String),
    ModuleChanged {
        module: String,
        put: Digest,
        /// What there was of it before; none if that was not what was replaced, because somebody deployed at the same time.
        before: Option<Versions>,
    },
    /// These were to go, or to come; some may not have.
    ActorsRemoved(ActorsOfEntry),
    ActorsAdded(ActorsOfEntry),
}

impl Steps<'_> {
    /// Does all of it, or nothing.
    pub(super) async fn carry_out(&self, plan: &ApplyPlan) -> Result<(), Failed> {
        let mut done = Vec::new();
        let outcome = self.do_all(plan, &mut done).await;
        let Err(reason) = outcome else {
            self.finish(plan);
            return Ok(());
        };
        tracing::warn!(reason, "a change of node.toml has failed; what was done is taken back");
        self.parts.reloader.configure(self.running);
        let mut not_undone = Vec::new();
        while let Some(step) = done.pop() {
            if let Err(reason) = self.undo(step).await {
                not_undone.push(reason);
            }
        }
        Err(Failed { reason, not_undone })
    }

    async fn do_all(&self, plan: &ApplyPlan, done: &mut Vec<Done>) -> Result<(), String> {
        self.parts.reloader.configure(self.reached);
        for module in &plan.modules_added {
            if let Some(loaded) = self.loaded.find(module) {
                self.parts.modules.insert(loaded);
                done.push(Done::ModuleAdded(module.clone()));
            }
        }
        // Actors that end anyway need not be able to go over to the new code, and are no reason against it.
        let is_early = |actors: &ActorsOfEntry| self.runs_any(actors, &plan.modules_changed);
        // Those that were started last go first, as when the node stops.
        let changed = plan.actors_changed.iter().map(|(actors, _)| actors);
        for actors in plan
            .actors_removed
            .iter()
            .chain(changed)
            .rev()
            .filter(|actors| is_early(actors))
        {
            self.remove(actors, done).await?;
        }
        for (module, _) in &plan.modules_changed {
            self.reload(module, done).await?;
        }
        for actors in plan.actors_removed.iter().rev().filter(|actors| !is_early(actors)) {
            self.remove(actors, done).await?;
        }
        for (actors, _) in &plan.actors_changed {
            if !is_early(actors) {
                self.remove(actors, done).await?;
            }
            self.add(actors, done).await?;
        }
        for actors in &plan.actors_added {
            self.add(actors, done).await?;
        }
        Ok(())
    }

    /// Whether some of these actors run one of these modules now.
    fn runs_any(&self, actors: &ActorsOfEntry, modules: &[(String, Vec<String>)]) -> bool {
        let runs = |(section, _): &(&ActorSection, Vec<String>)| match &section.code {
            Code::Module(own) => modules.iter().any(|(module, _)| module == own),
            Code::Native(_) => false,
        };
        entries_of(&actors.names, self.running).iter().any(runs)
    }

    /// What can't fail, and is not to be done for nothing.
    fn finish(&self, plan: &ApplyPlan) {
        for module in &plan.modules_removed {
            self.parts.modules.remove(module);
        }
        let address = PeerAddress::to_string;
        for peer in &plan.peers_removed {
            // A node server that has ended by now is found out by whoever waits for it.
            drop(remove_peer(&self.parts.server, &address(peer)));
        }
        let dial = self.reached.node.dial();
        for peer in &plan.peers_added {
            drop(add_peer(&self.parts.server, dial.peer(peer)));
        }
    }

    async fn reload(&self, module: &str, done: &mut Vec<Done>) -> Result<(), String> {
        let (new, old) = (self.loaded.find(module), self.parts.modules.find(module));
        if new.map(|new| new.digest()) == old.map(|old| old.digest()) {
            // It comes from elsewhere, and is the same.
            return Ok(());
        }
        let before = self.parts.modules.versions(module);
        let reload = Reload {
            // With nobody to go over it may be another actor altogether. What it takes to start was checked with the file.
            force: self.parts.modules.guests(module).is_empty(),
            ..Reload::of(module)
        };
        let report = self.parts.reloader.reload(reload).await;
        let report = report.map_err(|reason| format!("module `{module}` is not reloaded: {reason}"))?;
        match report.verdict {
            Verdict::Reloaded => {
                let put = report.new.parse().map_err(|error: InvalidDigest| error.to_string())?;
                let before = before.filter(|before| before.current().digest().to_string() == report.old);
                let module = module.to_owned();
                done.push(Done::ModuleChanged { module, put, before });
                Ok(())
            }
            _ => Err(format!("module `{module}` is not reloaded: {}", why(&report))),
        }
    }

    async fn remove(&self, actors: &ActorsOfEntry, done: &mut Vec<Done>) -> Result<(), String> {
        // Those of one name may have had another entry, and another supervisor, before.
        done.push(Done::ActorsRemoved(actors.clone()));
        let mut failed = Vec::new();
        for (section, names) in entries_of(&actors.names, self.running) {
            failed.extend(self.end(&section.supervisor, &names).await);
        }
        result(failed)
    }

    async fn add(&self, actors: &ActorsOfEntry, done: &mut Vec<Done>) -> Result<(), String> {
        done.push(Done::ActorsAdded(actors.clone()));
        result(self.begin(&actors.names, self.reached, ChildChange::Add).await)
    }

    async fn undo(&self, step: Done) -> Result<(), String> {
        match step {
            Done::ModuleAdded(module) => {
                self.parts.modules.remove(&module);
                Ok(())
            }
            Done::ModuleChanged { module, put, before } => {
                let before = before
                    .ok_or_else(|| format!("module `{module}` runs its new code: it was deployed at the same time"))?;
                let report = self.parts.reloader.undo(put, before).await;
                let report = report.map_err(|reason| format!("module `{module}` runs its new code: {reason}"))?;
                match report.verdict {
                    Verdict::Reloaded => Ok(()),
                    _ => Err(format!("module `{module}` runs its new code: {}", why(&report))),
                }
            }
            Done::ActorsAdded(actors) => {
                let names = actors
                    .names
                    .iter()
                    .filter(|name| self.parts.steering.find(name).is_some());
                let names: Vec<String> = names.cloned().collect();
                let mut failed = Vec::new();
                for (section, names) in entries_of(&names, self.reached) {
                    failed.extend(self.end(&section.supervisor, &names).await);
                }
                result(failed)
            }
            Done::ActorsRemoved(actors) => {
                let gone = actors
                    .names
                    .iter()
                    .filter(|name| self.parts.steering.find(name).is_none());
                let gone: Vec<String> = gone.cloned().collect();
                // They ran as they are: whatever keeps them from it now is a failure like any other.
                result(self.begin(&gone, self.running, ChildChange::PutBack).await)
            }
        }
    }

    /// Has these actors of a supervisor end. Gives what went wrong.
    async fn end(&self, supervisor: &str, names: &[String]) -> Vec<String> {
        let mut failed = Vec::new();
        for names in names.chunks(AT_ONCE) {
            let changes = names.iter().map(|name| ChildChange::Remove(name.as_str().into()));
            let outcomes = self.parts.steering.change(supervisor, changes.collect()).await;
            for (name, outcome) in names.iter().zip(outcomes) {
                failed.extend(outcome.err().map(|reason| format!("`{name}` does not end: {reason}")));
            }
        }
        failed
    }

    /// Has these actors start as a configuration has them. Gives what went wrong.
    async fn begin(&self, names: &[String], config: &NodeConfig, how: fn(ChildSpec) -> ChildChange) -> Vec<String> {
        let ApplierParts {
            natives,
            modules,
            steering,
            state,
            reserved,
            ..
        } = self.parts;
        let tree = ActorTree::new(config, natives.clone(), modules, state, reserved.clone());
        let mut failed = Vec::new();
        for (section, names) in entries_of(names, config) {
            for names in names.chunks(AT_ONCE) {
                let children = match tree.children(config, section, names) {
                    Ok(children) => children,
                    Err(error) => {
                        failed.push(error.to_string());
                        continue;
                    }
                };
                let pairs = names.iter().zip(children);
                let change = |(name, child): (&String, ChildSpec)| {
                    if self.held.contains(name) {
                        ChildChange::AddStopped(child)
                    } else {
                        how(child)
                    }
                };
                let outcomes = steering.change(&section.supervisor, pairs.map(change).collect()).await;
                for (name, outcome) in names.iter().zip(outcomes) {
                    failed.extend(outcome.err().map(|reason| format!("`{name}` does not start: {reason}")));
                }
            }
        }
        failed
    }
}

/// The entries that these actors are of, in the order of the file, each with those of it.
fn entries_of<'c>(names: &[String], config: &'c NodeConfig) -> Vec<(&'c ActorSection, Vec<String>)> {
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let entries = config.actors.iter().map(|section| {
        let own = section.names().filter(|name| wanted.contains(name.as_str()));
        (section, own.collect::<Vec<_>>())
    });
    entries.filter(|(_, names)| !names.is_empty()).collect()
}

fn result(mut failed: Vec<String>) -> Result<(), String> {
    if failed.is_empty() {
        return Ok(());
    }
    let more = failed.len().saturating_sub(TOLD);
    failed.truncate(TOLD);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    Err(format!("{}{more}", failed.join("; ")))
}

/// Why actors have not gone over to other code.
fn why(report: &ReloadReport) -> String {
    let failed = report.failures().map(|(actor, _, reason)| {
        let name = actor.name.clone().unwrap_or_else(|| format!("pid:{}", actor.pid));
        format!("`{name}`: {reason}")
    });
    let failed: Vec<String> = failed.take(TOLD).collect();
    if failed.is_empty() {
        return "its actors went back to the code that they had".to_owned();
    }
    failed.join("; ")
}
