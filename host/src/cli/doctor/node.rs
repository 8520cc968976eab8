//! A running node's own answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::finding::Finding;
use crate::cli::loglevel;
use crate::cli::nodes::ControlledNode;
use crate::cli::units::{bytes, duration};
use crate::control::{ActorKind, ActorRow, Answer, AskError, LinkRow, LogLevels, NodeFigures, NodeStatus, Request};

/// Messages of one actor that wait, from which on it is called overloaded.
const MANY_WAITING: usize = 1_000;

/// The part of a limit that is nearly all of it, in percent.
const NEARLY: u64 = 80;

/// The difference of two clocks that is no accident.
const SKEW: Duration = Duration::from_secs(1);

/// Asks it everything that there is to ask. A question that it doesn't answer is a finding of its own.
pub(super) async fn examine(node: &mut ControlledNode) -> Vec<Finding> {
    let name = node.name.clone();
    let mut findings = Vec::new();
    for request in [
        Request::Status,
        Request::Figures,
        Request::Links,
        Request::Actors,
        loglevel::LOOK,
    ] {
        let begun = SystemTime::now();
        match node.try_ask(&request).await {
            Ok(Answer::Status(status)) => findings.extend(of_status(&status)),
            Ok(Answer::Figures { figures }) => {
                let took = begun.elapsed().unwrap_or_default();
                findings.extend(of_figures(&figures));
                findings.extend(of_clock(&figures, begun, took));
            }
            Ok(Answer::Links { links }) => findings.extend(links.iter().flat_map(|link| of_link(&name, link))),
            Ok(Answer::Actors { actors, .. }) => {
                findings.extend(actors.iter().filter_map(|actor| of_actor(&name, actor)))
            }
            Ok(Answer::LogLevels(levels)) => findings.push(of_log(&name, &levels)),
            // The log is that of the program around the node, and its affair.
            Err(AskError::Failed(_)) if request == loglevel::LOOK => {}
            Ok(_) => findings.push(Finding::warn("node", &name, "it gave an unexpected answer")),
            Err(error) => findings.push(Finding::fail("node", &name, error).because("it did not answer a question")),
        }
    }
    findings
}

fn of_status(status: &NodeStatus) -> Vec<Finding> {
    let node = &status.node;
    let mut findings = Vec::new();
    if status.leaving {
        findings.push(Finding::warn("node", node, "it leaves the cluster, and is not ready"));
    } else if status.ready {
        findings.push(Finding::ok("node", node, "it runs and is ready"));
    } else {
        findings.push(Finding::fail(
            "node",
            node,
            "it is not ready: actors or sessions that it should have are not there",
        ));
    }
    for given_up in &status.given_up {
        let what = format!(
            "it was given up by its supervisor {}: {}",
            given_up.supervisor, given_up.reason
        );
        findings.push(
            Finding::fail("actor", format!("{}@{node}", given_up.actor), what).mend(format!(
                "mend why it fails, then `ractor-host start {}`",
                given_up.actor
            )),
        );
    }
    for stopped in &status.stopped {
        findings.push(
            Finding::warn(
                "actor",
                format!("{}@{node}", stopped.name),
                "an operator has stopped it",
            )
            .mend(format!("`ractor-host start {}`, if it is wanted again", stopped.name)),
        );
    }
    findings
}

fn of_figures(figures: &NodeFigures) -> Vec<Finding> {
    let node = &figures.node;
    let mut findings = Vec::new();
    if let Some(limit) = figures.guests_limit {
        let what = format!("{} of at most {limit} guests live", figures.guests);
        findings.push(if is_nearly(figures.guests, limit) {
            Finding::warn("guests", node, what)
                .because("beyond that guests don't start")
                .mend("raise `max_guests` in [runtime]")
        } else {
            Finding::ok("guests", node, what)
        });
    }
    if let Some(checkpoints) = figures
        .checkpoints
        .as_ref()
        .filter(|checkpoints| checkpoints.failed > 0)
    {
        let what = format!(
            "{} attempts to keep states have failed since it started",
            checkpoints.failed
        );
        findings.push(
            Finding::warn("checkpoints", node, what)
                .because("states that aren't kept are lost if the node ends now")
                .mend("look at the disk of `state_dir`; what was to be kept is tried again"),
        );
    }
    findings
}

/// Compares its clock with this one. What the answer took on its way is no difference.
fn of_clock(figures: &NodeFigures, begun: SystemTime, took: Duration) -> Option<Finding> {
    let theirs = UNIX_EPOCH + Duration::from_millis(figures.now_ms?);
    let ended = begun + took;
    let (skew, which) = match (theirs.duration_since(ended), begun.duration_since(theirs)) {
        (Ok(ahead), _) => (ahead, "ahead of"),
        (_, Ok(behind)) => (behind, "behind"),
        // Between question and answer.
        _ => (Duration::ZERO, ""),
    };
    if skew < SKEW {
        return Some(Finding::ok("clock", &figures.node, "its clock agrees with this one"));
    }
    let skew = duration(u64::try_from(skew.as_millis()).unwrap_or(u64::MAX));
    Some(
        Finding::warn("clock", &figures.node, format!("its clock is {skew} {which} this one"))
            .because("certificates are checked by it, and logs of several nodes are compared by it")
            .mend("let both be set from the network: `timedatectl set-ntp true`"),
    )
}

fn of_link(node: &str, link: &LinkRow) -> Vec<Finding> {
    let subject = format!("{node} to {}", link.name);
    let Some(figures) = &link.figures else {
        return vec![Finding::warn(
            "link",
            subject,
            "the session did not say how it is: it waits for something",
        )];
    };
    let mut findings = Vec::new();
    if is_nearly(figures.outbox_bytes, figures.outbox_limit) {
        let what = format!(
            "{} of at most {} wait to be sent",
            bytes(figures.outbox_bytes),
            bytes(figures.outbox_limit)
        );
        findings.push(
            Finding::warn("link", &subject, what)
                .because("the peer takes messages too slowly, and those beyond the limit are given up")
                .mend("`ractor-host ps --sort waiting` on the peer shows who is slow there"),
        );
    }
    let lost: u64 = figures.dead_letters.iter().map(|(_, count)| count).sum();
    if lost > 0 {
        let reasons: Vec<String> = figures
            .dead_letters
            .iter()
            .map(|(reason, count)| format!("{count} because of {reason}"))
            .collect();
        let what = format!("{lost} messages were given up: {}", reasons.join(", "));
        findings.push(
            Finding::warn("dead-letters", &subject, what).mend("`ractor-host logs --level warn` says which and when"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("link", subject, "the session is well"));
    }
    findings
}

/// Only what is wrong: a node may have ten thousand actors that are well.
fn of_actor(node: &str, actor: &ActorRow) -> Option<Finding> {
    if actor.kind != ActorKind::Guest {
        return None;
    }
    let name = actor.name.clone().unwrap_or_else(|| format!("pid:{}", actor.pid));
    let subject = format!("{name}@{node}");
    let show = format!("`ractor-host show {name}` says what it does");
    if let Some(waiting) = actor.waiting.filter(|waiting| *waiting >= MANY_WAITING) {
        let finding = Finding::warn("mailbox", subject, format!("{waiting} messages wait for it"));
        return Some(finding.because("it is too slow for what it is sent").mend(show));
    }
    let figures = actor
        .figures
        .filter(|figures| is_nearly(figures.memory_bytes, figures.memory_limit))?;
    let what = format!(
        "it has {} of {}",
        bytes(figures.memory_bytes),
        bytes(figures.memory_limit)
    );
    let finding = Finding::warn("actor-memory", subject, what);
    Some(
        finding
            .because("it fails when it needs more than that")
            .mend("raise `memory_bytes` in its limits, or look for what it keeps"),
    )
}

/// What an operator has said for good is easily forgotten; what passes is not.
fn of_log(node: &str, levels: &LogLevels) -> Finding {
    let what = format!("it logs {}", loglevel::in_words(levels));
    if !levels.overridden || levels.seconds_left.is_some() {
        return Finding::ok("log", node, what);
    }
    Finding::warn("log", node, what)
        .because("it stays so until the node ends, whatever node.toml says")
        .mend("`ractor-host loglevel --reset`, if it is wanted no more; `--for 10m` says for how long the next time")
}

fn is_nearly(used: u64, limit: u64) -> bool {
    limit > 0 && used.saturating_mul(100) >= limit.saturating_mul(NEARLY)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::control::{ActorFigures, LinkRowFigures, OpenedBy, PeerVersion};

    fn link(figures: Option<LinkRowFigures>) -> LinkRow {
        LinkRow {
            session: 1,
            name: "beta@localhost".to_owned(),
            address: "127.0.0.1:1".to_owned(),
            opened: OpenedBy::Us,
            version: PeerVersion::RactorHost,
            incarnation: 1,
            figures,
            wants: None,
        }
    }

    #[test]
    fn a_clock_is_told_from_the_time_that_an_answer_takes() {
        let begun = UNIX_EPOCH + Duration::from_secs(1_000);
        let at = |now_ms| {
            let figures = NodeFigures {
                now_ms: Some(now_ms),
                ..NodeFigures::default()
            };
            of_clock(&figures, begun, Duration::from_secs(5)).unwrap()
        };
        assert_eq!(at(1_003_000).level, Level::Ok);
        assert!(at(1_010_000).what.contains("5s ahead of"));
        assert!(at(940_000).what.contains("1m 0s behind"));
    }

    #[test]
    fn a_link_that_is_clogged_or_loses_messages_is_found() {
        let level = |figures| of_link("alpha", &link(figures)).first().unwrap().level;
        assert_eq!(level(None), Level::Warn);
        assert_eq!(level(Some(LinkRowFigures::default())), Level::Ok);
        let clogged = LinkRowFigures {
            outbox_bytes: 90,
            outbox_limit: 100,
            dead_letters: vec![("overload".to_owned(), 3)],
            ..LinkRowFigures::default()
        };
        let found = of_link("alpha", &link(Some(clogged)));
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].what, "3 messages were given up: 3 because of overload");
    }

    #[test]
    fn an_overloaded_actor_is_found_among_those_that_are_well() {
        let actor = |waiting, memory_bytes| ActorRow {
            pid: 7,
            name: Some("orders".to_owned()),
            kind: ActorKind::Guest,
            module: None,
            groups: Vec::new(),
            waiting: Some(waiting),
            supervisor: None,
            figures: Some(ActorFigures {
                memory_bytes,
                memory_limit: 100,
                ..ActorFigures::default()
            }),
        };
        assert!(of_actor("alpha", &actor(3, 10)).is_none());
        assert_eq!(of_actor("alpha", &actor(5_000, 10)).unwrap().check, "mailbox");
        assert_eq!(of_actor("alpha", &actor(3, 90)).unwrap().check, "actor-memory");
    }
}
