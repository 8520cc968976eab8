//! Secrets and certificates whose files have another content: how they come into force while the node runs.
//!
//! All of them were read and found to be good with the rest of the configuration. What was read then is what comes into force, and not what
//! the files have by now, so that it is all of them or none.

use crate::admin::Proofs;
use crate::config::{KeyWords, NodeConfig, SecretPlace, TlsSection};
use crate::control::{ControlKeys, Role};

/// What is asked whether somebody may do something.
pub(crate) struct Credentials {
    /// None without `[control]`.
    pub(crate) keys: Option<ControlKeys>,
    /// None without `[admin]`.
    pub(crate) proofs: Option<Proofs>,
}

impl Credentials {
    /// Brings into force what a configuration has. The certificates go on to be those of the configuration that runs.
    pub(super) fn replace(&self, running: &NodeConfig, reached: &NodeConfig, read: &NodeConfig) {
        if let (Some(keys), Some(section)) = (&self.keys, &reached.control) {
            keys.replace(section.pairs());
        }
        if let (Some(proofs), Some(section)) = (&self.proofs, &reached.admin) {
            let mut next = section.proofs();
            // Something that keeps others out, such as a CA, may come into force at the next start only. Until then both files have to allow it
            // before anybody is let in without a proof.
            let said = read.admin.as_ref().unwrap_or(section);
            next.anonymous = next.anonymous.and(said.anonymous());
            let before = running.admin.as_ref().map(tokens);
            // Answers that go on end with it, which is not to happen for nothing.
            if before != Some(tokens(section)) || next.anonymous != proofs.anonymous() {
                proofs.replace(next);
            }
        }
        for (of, running) in certificates(running) {
            let read = certificates(read).find(|(same, _)| *same == of);
            if let Some((_, read)) = read {
                running.tls.adopt(&read.tls);
            }
        }
    }
}

fn tokens(section: &crate::config::AdminSection) -> Vec<(Role, &[u8])> {
    let tokens = section.tokens.iter();
    tokens.map(|entry| (entry.role, entry.token.expose())).collect()
}

/// The tables whose certificates differ in content.
pub(super) fn other_certificates(running: &NodeConfig, new: &NodeConfig) -> Vec<&'static str> {
    let differ = certificates(running).filter(|(of, before)| {
        let after = certificates(new).find(|(same, _)| same == of);
        after.is_some_and(|(_, after)| before.tls.differs_from(&after.tls))
    });
    differ.map(|(of, _)| of).collect()
}

fn certificates(config: &NodeConfig) -> impl Iterator<Item = (&'static str, &TlsSection)> {
    let of_node = config.node.tls.as_ref().map(|section| ("node.tls", section));
    let of_admin = config.admin.as_ref().and_then(|section| section.tls.as_ref());
    of_node
        .into_iter()
        .chain(of_admin.map(|tls| ("admin.tls", &tls.section)))
}

/// True for a key that says where a secret is whose table both configurations have.
pub(super) fn is_of_secret(key: &[&str], running: &NodeConfig, new: &NodeConfig) -> bool {
    match key {
        ["control", _] => running.control.is_some() && new.control.is_some(),
        ["admin", key] => {
            let is_secret = key.ends_with("_token_file") || key.ends_with("_token_env");
            is_secret && running.admin.is_some() && new.admin.is_some()
        }
        _ => false,
    }
}

/// The keys of the secrets that differ, be it in their content or in where they are, by their tables.
pub(super) fn other_secrets(running: &NodeConfig, new: &NodeConfig) -> Vec<(&'static str, Vec<String>)> {
    let written = running.written.changed(&new.written);
    let tables = ["control", "admin"].map(|table| {
        let (before, after) = (secrets(running, table), secrets(new, table));
        let is_there = |config: &NodeConfig| match table {
            "control" => config.control.is_some(),
            _ => config.admin.is_some(),
        };
        // A table that comes or goes as a whole takes a restart.
        if !is_there(running) || !is_there(new) {
            return (table, Vec::new());
        }
        let is_within = |key: &&KeyWords| {
            let words: Vec<&str> = key.iter().map(String::as_str).collect();
            words.first() == Some(&table) && is_of_secret(&words, running, new)
        };
        let mut keys: Vec<String> = written
            .iter()
            .filter(is_within)
            .filter_map(|key| key.last().cloned())
            .collect();
        let others = after.iter().filter(|(key, secret)| {
            let same = before.iter().find(|(same, _)| same == key);
            same.is_some_and(|(_, before)| before != secret)
        });
        keys.extend(others.map(|(key, _)| key.clone()));
        keys.sort_unstable();
        keys.dedup();
        (table, keys)
    });
    tables.into_iter().filter(|(_, keys)| !keys.is_empty()).collect()
}

/// The secrets of a table, by the keys that say where they are.
fn secrets<'c>(config: &'c NodeConfig, table: &str) -> Vec<(String, &'c [u8])> {
    let named = |word: &str, place: &SecretPlace| match place {
        SecretPlace::File(_) => format!("{word}_file"),
        SecretPlace::Variable(_) => format!("{word}_env"),
    };
    if table == "control" {
        let keys = config.control.iter().flat_map(|section| &section.keys);
        let word = |role| match role {
            Role::Deploy => "key".to_owned(),
            role => format!("{role}_key"),
        };
        return keys
            .map(|entry| (named(&word(entry.role), &entry.place), entry.key.expose()))
            .collect();
    }
    let tokens = config.admin.iter().flat_map(|section| &section.tokens);
    tokens
        .map(|entry| {
            let word = format!("{}_token", entry.role);
            (named(&word, &entry.place), entry.token.expose())
        })
        .collect()
}
