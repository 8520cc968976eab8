//! What it takes to get from the configuration that runs to another one, as a function of the two.

use std::collections::{BTreeMap, BTreeSet};

use super::credentials::{is_of_secret, other_certificates, other_secrets};
use crate::config::{ActorSection, Code, KeyWords, NodeConfig, PeerAddress};
use crate::control::{ChangeAction, ChangedThing, ConfigChange, EXPORTS, RestartNeeded};

/// What a running node can do.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningFacts {
    /// The supervisors that there are.
    pub(super) supervisors: BTreeSet<String>,
    /// It keeps states of actors.
    pub(super) keeps_states: bool,
    /// Why the file can't say what is logged, if something keeps it from that.
    pub(super) log_is_fixed: Option<&'static str>,
    /// It has an engine, since it was started with modules.
    pub(super) runs_modules: bool,
}

/// See the module. Names are those of modules and actors; a change is carried out in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ApplyPlan {
    pub(super) modules_added: Vec<String>,
    pub(super) modules_changed: Vec<(String, Vec<String>)>,
    /// Only what is done about a module is different, such as whether its file is watched.
    pub(super) builds_changed: Vec<(String, Vec<String>)>,
    pub(super) actors_removed: Vec<ActorsOfEntry>,
    pub(super) actors_changed: Vec<(ActorsOfEntry, Vec<String>)>,
    pub(super) actors_added: Vec<ActorsOfEntry>,
    pub(super) modules_removed: Vec<String>,
    pub(super) peers_removed: Vec<PeerAddress>,
    pub(super) peers_added: Vec<PeerAddress>,
    /// The keys of secrets, by their tables.
    pub(super) secrets: Vec<(&'static str, Vec<String>)>,
    /// The tables whose certificates have another content.
    pub(super) certificates: Vec<&'static str>,
    /// The variables of the exports whose files have other certificates or another key.
    pub(super) exports: Vec<String>,
    /// The keys of `[log]`.
    pub(super) log: Vec<String>,
    pub(super) needs_restart: Vec<RestartNeeded>,
    /// The keys among them.
    pub(super) kept_keys: BTreeSet<KeyWords>,
    /// The entries of the new file that wait for a restart.
    pub(super) kept_entries: BTreeSet<String>,
}

/// Some actors of one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ActorsOfEntry {
    /// The name of the entry.
    pub(super) entry: String,
    pub(super) names: Vec<String>,
}

/// The keys of a module that say what is done about it, and not what it is.
const OF_BUILDS: [&str; 3] = ["watch", "build", "sources"];

impl ApplyPlan {
    /// From what runs to what is new.
    pub(super) fn new(running: &NodeConfig, new: &NodeConfig, facts: &RunningFacts) -> Self {
        let mut plan = Self::default();
        plan.keep_what_takes_a_restart(running, new, facts);
        plan.find_modules(running, new, facts);
        plan.find_actors(running, new, facts);
        let (old, next) = (&running.node.peers, &new.node.peers);
        plan.peers_removed = old.iter().filter(|peer| !next.contains(peer)).cloned().collect();
        plan.peers_added = next.iter().filter(|peer| !old.contains(peer)).cloned().collect();
        if facts.log_is_fixed.is_none() && running.log != new.log {
            plan.log.push("level".to_owned());
        }
        plan.secrets = other_secrets(running, new);
        plan.certificates = other_certificates(running, new);
        plan
    }

    /// Whatever isn't known to be changeable while the node runs is not.
    fn keep_what_takes_a_restart(&mut self, running: &NodeConfig, new: &NodeConfig, facts: &RunningFacts) {
        for key in running.written.changed(&new.written) {
            let words: Vec<&str> = key.iter().map(String::as_str).collect();
            let is_kept = match &words[..] {
                ["actors" | "defaults" | "include", ..] | ["node", "peers"] => false,
                ["modules", ..] => !facts.runs_modules,
                ["log", ..] => facts.log_is_fixed.is_some(),
                words => !is_of_secret(words, running, new),
            };
            // The table is named only if it comes or goes as a whole.
            let is_within = |kept: &KeyWords| key.len() > kept.len() && key.starts_with(kept);
            if is_kept && !self.kept_keys.iter().any(is_within) {
                let why = match words.first() {
                    Some(&"modules") => Some("the node was started without modules".to_owned()),
                    Some(&"log") => facts.log_is_fixed.map(str::to_owned),
                    _ => None,
                };
                self.needs_restart.push(RestartNeeded {
                    key: key.join("."),
                    why,
                });
            }
            if is_kept {
                self.kept_keys.insert(key);
            }
        }
        let named = |key: &str| self.kept_keys.iter().any(|kept| *kept == ["node", key]);
        if running.node.cookie.expose() != new.node.cookie.expose() && !named("cookie_file") && !named("cookie_env") {
            self.needs_restart.push(RestartNeeded {
                key: "node.cookie_file".to_owned(),
                why: Some("there is another cookie in it".to_owned()),
            });
        }
        let (old_roots, new_roots) = (&running.runtime.http_roots, &new.runtime.http_roots);
        // A file of another content under the same name. Without a word of it, whoever replaces it would take the old one for gone.
        if old_roots != new_roots && !self.kept_keys.iter().any(|kept| *kept == ["runtime", "http_roots"]) {
            self.needs_restart.push(RestartNeeded {
                key: "runtime.http_roots".to_owned(),
                why: Some("there are other certificates in it".to_owned()),
            });
        }
    }

    fn find_modules(&mut self, running: &NodeConfig, new: &NodeConfig, facts: &RunningFacts) {
        if !facts.runs_modules {
            return;
        }
        let names = |config: &NodeConfig| config.modules.iter().map(|own| own.name.clone()).collect::<Vec<_>>();
        let (old, next) = (names(running), names(new));
        let mut changed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for key in running.written.changed(&new.written) {
            if let [table, module, key, ..] = &key[..]
                && table == "modules"
            {
                changed.entry(module.clone()).or_default().push(key.clone());
            }
        }
        for own in &new.modules {
            // Where a relative path starts depends on the file that has it.
            let before = running.modules.iter().find(|before| before.name == own.name);
            if before.is_some_and(|before| before != own) && !changed.contains_key(&own.name) {
                changed.insert(own.name.clone(), vec!["path".to_owned()]);
            }
        }
        for module in &next {
            match changed.remove(module) {
                _ if !old.contains(module) => self.modules_added.push(module.clone()),
                Some(keys) if keys.iter().all(|key| OF_BUILDS.contains(&key.as_str())) => {
                    self.builds_changed.push((module.clone(), keys));
                }
                Some(keys) => self.modules_changed.push((module.clone(), keys)),
                None => {}
            }
        }
        self.modules_removed = old.into_iter().filter(|module| !next.contains(module)).collect();
    }

    fn find_actors(&mut self, running: &NodeConfig, new: &NodeConfig, facts: &RunningFacts) {
        let entries = running.actors.iter();
        let entries: BTreeMap<&str, &ActorSection> = entries.map(|entry| (entry.name.as_str(), entry)).collect();
        for section in &new.actors {
            let before = entries.get(section.name.as_str()).copied();
            let is_same = before.is_some_and(|before| {
                before.count == section.count && differences(before, section, running, new).is_empty()
            });
            if let Some(why) = takes_a_restart(section, facts).filter(|_| !is_same) {
                self.needs_restart.push(RestartNeeded {
                    key: format!("actors.{}", section.name),
                    why: Some(why),
                });
                self.kept_entries.insert(section.name.clone());
            }
        }
        let by_name = |config| -> BTreeMap<String, &ActorSection> { sections(config).collect() };
        let (old, next) = (by_name(running), by_name(new));
        // An entry that waits keeps what runs under its name.
        let is_kept = |section: &ActorSection| self.kept_entries.contains(&section.name);
        let mut removed = Vec::new();
        for (name, section) in sections(running) {
            if !next.contains_key(&name) && !is_kept(section) {
                push(&mut removed, section, name);
            }
        }
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for (name, section) in sections(new).filter(|(_, section)| !is_kept(section)) {
            match old.get(&name) {
                None => push(&mut added, section, name),
                Some(before) if !differences(before, section, running, new).is_empty() => {
                    push(&mut changed, section, name);
                }
                Some(_) => {}
            }
        }
        (self.actors_removed, self.actors_added) = (removed, added);
        self.actors_changed = changed
            .into_iter()
            .map(|actors: ActorsOfEntry| {
                let first = actors.names.first();
                let pair = first.and_then(|name| Some((old.get(name)?, next.get(name)?)));
                let keys = pair.map(|(before, after)| differences(before, after, running, new));
                (actors, keys.unwrap_or_default())
            })
            .collect();
    }

    /// As it is told.
    pub(super) fn changes(&self) -> Vec<ConfigChange> {
        use ChangeAction::{Add, Change, Remove};
        use ChangedThing::{Actors, Certificates, Log, Module, Peer, Secrets};
        let change = |action, of, name: &str, keys: &[String], actors| ConfigChange {
            action,
            of,
            name: name.to_owned(),
            keys: keys.to_vec(),
            actors,
        };
        let of_entry = |action, actors: &ActorsOfEntry, keys: &[String]| {
            change(action, Actors, &actors.entry, keys, Some(actors.names.len()))
        };
        let changed = self.modules_changed.iter().chain(&self.builds_changed);
        let modules = self
            .modules_added
            .iter()
            .map(|name| change(Add, Module, name, &[], None));
        let modules = modules.chain(changed.map(|(name, keys)| change(Change, Module, name, keys, None)));
        let actors = self.actors_removed.iter().map(|actors| of_entry(Remove, actors, &[]));
        let actors = actors.chain(
            self.actors_changed
                .iter()
                .map(|(actors, keys)| of_entry(Change, actors, keys)),
        );
        let actors = actors.chain(self.actors_added.iter().map(|actors| of_entry(Add, actors, &[])));
        let gone = self
            .modules_removed
            .iter()
            .map(|name| change(Remove, Module, name, &[], None));
        let peers = self.peers_removed.iter().map(|peer| (Remove, peer));
        let peers = peers.chain(self.peers_added.iter().map(|peer| (Add, peer)));
        let peers = peers.map(|(action, peer)| change(action, Peer, &peer.to_string(), &[], None));
        let secrets = self.secrets.iter();
        let secrets = secrets.map(|(table, keys)| change(Change, Secrets, table, keys, None));
        let certificates = self.certificates.iter();
        let certificates = certificates.map(|table| change(Change, Certificates, table, &[], None));
        let exports = (!self.exports.is_empty()).then(|| change(Change, Certificates, EXPORTS, &self.exports, None));
        let others = modules.chain(actors).chain(gone).chain(peers);
        let log = (!self.log.is_empty()).then(|| change(Change, Log, "log", &self.log, None));
        let others = others.chain(secrets).chain(certificates).chain(exports);
        others.chain(log).collect()
    }

    /// The new configuration, but for what waits for a restart: that is as it runs.
    pub(super) fn reached(&self, running: &NodeConfig, new: &NodeConfig) -> NodeConfig {
        let mut reached = new.clone();
        reached.runtime = running.runtime.clone();
        if running.control.is_none() || new.control.is_none() {
            reached.control = running.control.clone();
        }
        if keeps_log(&self.kept_keys) {
            reached.log = running.log.clone();
        }
        reached.admin = running.admin.clone();
        if let (Some(reached), Some(new)) = (&mut reached.admin, &new.admin) {
            reached.tokens = new.tokens.clone();
        }
        reached.supervisors = running.supervisors.clone();
        let peers = std::mem::take(&mut reached.node.peers);
        reached.node = running.node.clone();
        reached.node.peers = peers;
        reached.written.keep(&self.kept_keys, &running.written);
        if self
            .kept_keys
            .iter()
            .any(|key| key.first().is_some_and(|table| table == "modules"))
        {
            reached.modules = running.modules.clone();
            reached.builds = running.builds.clone();
        }
        let kept = |section: &&ActorSection| self.kept_entries.contains(&section.name);
        reached
            .actors
            .retain(|section| !self.kept_entries.contains(&section.name));
        reached.actors.extend(running.actors.iter().filter(kept).cloned());
        let changed = running.written.changed(&new.written);
        let of_kept = |key: &KeyWords| matches!(&key[..], [list, name, _] if list == "actors" && self.kept_entries.contains(name));
        let of_kept = changed.into_iter().filter(of_kept).collect();
        reached.written.keep(&of_kept, &running.written);
        reached
    }
}

/// True if what is logged can't be changed.
fn keeps_log(kept: &BTreeSet<KeyWords>) -> bool {
    kept.iter().any(|key| key.first().is_some_and(|table| table == "log"))
}

/// All actors of a configuration, by their names, in the order of the file.
fn sections(config: &NodeConfig) -> impl Iterator<Item = (String, &ActorSection)> {
    let sections = config.actors.iter();
    sections.flat_map(|section| section.names().map(move |name| (name, section)))
}

/// Those of one entry come together, because they are one after the other.
fn push(all: &mut Vec<ActorsOfEntry>, section: &ActorSection, name: String) {
    match all.last_mut() {
        Some(last) if last.entry == section.name => last.names.push(name),
        _ => all.push(ActorsOfEntry {
            entry: section.name.clone(),
            names: vec![name],
        }),
    }
}

/// The keys in which two entries differ that an actor has to be started anew for.
fn differences(before: &ActorSection, after: &ActorSection, running: &NodeConfig, new: &NodeConfig) -> Vec<String> {
    if before.name != after.name {
        return vec!["name".to_owned()];
    }
    let mut keys = running.written.changed_of_actor(&before.name, &new.written);
    // How many there are changes none of them, and what limits come to is seen below.
    keys.retain(|key| key != "count" && key != "limits");
    // A native actor has none, whatever holds for all guests.
    if matches!(after.code, Code::Module(_)) && before.limits != after.limits {
        keys.insert("limits".to_owned());
    }
    // Paths may start elsewhere.
    if before.grants.directories != after.grants.directories {
        keys.insert("capabilities".to_owned());
    }
    keys.into_iter().collect()
}

/// Why an entry that is new or different can't be had while the node runs.
fn takes_a_restart(section: &ActorSection, facts: &RunningFacts) -> Option<String> {
    if !facts.supervisors.contains(&section.supervisor) {
        return Some(format!("there is no supervisor `{}` yet", section.supervisor));
    }
    if section.checkpoint.is_some() && !facts.keeps_states {
        return Some("the node was started without a folder for checkpoints".to_owned());
    }
    if matches!(section.code, Code::Module(_)) && !facts.runs_modules {
        return Some("the node was started without modules".to_owned());
    }
    None
}
