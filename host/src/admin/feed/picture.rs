//! What readers of the stream know of the node by now, and what is new to them.
//!
//! What has changed is told, and of actors at most [`ACTORS_ROOM`] bytes at once, so that the stream of a node with very many busy actors
//! is no larger than that of one with some. Whoever had to wait comes first the next time.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeSeq as _, Serializer};

use super::rows::{Rows, ToldRow, json_bytes};
use super::sample::{ActorIdentity, ActorNumbers, LinkFigures, ModuleFigures, NodeSummary, Sample};

/// The most bytes about actors in one update.
const ACTORS_ROOM: usize = 14 << 10;

/// The most bytes about actors that come and go among these. The rest is for the numbers of the others.
const COMING_ROOM: usize = 12 << 10;

/// The bytes of a pid that is gone, at most about.
const GONE: usize = 18;

/// The bytes that a row of an actor takes besides its digits: brackets and commas.
const ROW: usize = 4;

/// Actors by their pids.
type Actors = BTreeMap<u64, (ActorIdentity, ActorNumbers)>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Picture {
    node: NodeSummary,
    links: Rows<LinkFigures>,
    modules: Rows<ModuleFigures>,
    actors: Actors,
    /// The pid that the next update begins with.
    turn: u64,
}

/// Everything, for a reader who knows nothing.
#[derive(Serialize)]
pub(super) struct Whole<'p> {
    node: &'p NodeSummary,
    links: Vec<&'p LinkFigures>,
    modules: Vec<&'p ModuleFigures>,
    actors: Vec<Newcomer<'p>>,
}

/// An actor that is new to readers, or is another one than they know.
#[derive(Serialize)]
struct Newcomer<'p> {
    #[serde(flatten)]
    identity: &'p ActorIdentity,
    numbers: [u64; 6],
}

/// What is new.
#[derive(Debug, Default, Serialize)]
pub(super) struct Update {
    node: NodeSummary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<ToldRow<LinkFigures>>,
    /// Sessions that have ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links_gone: Vec<u64>,
    /// How many links have changed and had no room.
    #[serde(skip_serializing_if = "is_zero")]
    links_waiting: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    modules: Vec<ToldRow<ModuleFigures>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    modules_gone: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    modules_waiting: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actors: Vec<OwnedNewcomer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<Change>,
    /// If not all numbers had room: those did whose pid is at least the first of these, around the end, up to the second. An actor
    /// among them that isn't told of has done nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    covers: Option<(u64, u64)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Debug, Serialize)]
struct OwnedNewcomer {
    #[serde(flatten)]
    identity: ActorIdentity,
    numbers: [u64; 6],
}

/// New numbers of an actor. As JSON: its pid, what was added to its messages and its microseconds of work, and then what waits, its
/// memory, its failures and its restarts, without those at the end that are as they were.
#[derive(Debug, PartialEq, Eq)]
struct Change(Vec<u64>);

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(self.0.len()))?;
        for number in &self.0 {
            row.serialize_element(number)?;
        }
        row.end()
    }
}

impl Change {
    /// None if nothing has changed.
    fn between(pid: u64, before: &ActorNumbers, now: &ActorNumbers) -> Option<Self> {
        if before == now {
            return None;
        }
        // None of them ever falls: a new life has a new pid.
        let added = |before: u64, now: u64| now.saturating_sub(before);
        let (before_kept, kept) = (before.kept(), now.kept());
        let same = before_kept
            .iter()
            .zip(&kept)
            .rev()
            .take_while(|(before, now)| before == now)
            .count();
        let mut row = vec![
            pid,
            added(before.messages, now.messages),
            added(before.busy_us, now.busy_us),
        ];
        row.extend(kept.iter().take(kept.len() - same));
        Some(Self(row))
    }

    /// Bytes as JSON, about.
    fn cost(&self) -> usize {
        let digits = |number: &u64| number.checked_ilog10().unwrap_or(0) as usize + 2;
        self.0.iter().map(digits).sum::<usize>() + ROW
    }
}

impl Picture {
    /// Everything that readers know by now.
    pub(super) fn whole(&self) -> Whole<'_> {
        let newcomers = self.actors.values().map(|(identity, numbers)| Newcomer {
            identity,
            numbers: numbers.all(),
        });
        Whole {
            node: &self.node,
            links: self.links.all(),
            modules: self.modules.all(),
            actors: newcomers.collect(),
        }
    }

    /// All that there is, at once.
    pub(super) fn of(sample: Sample) -> Self {
        let looked_ms = sample.node.uptime_ms;
        let actors = sample.actors.into_iter();
        Self {
            node: sample.node,
            links: Rows::of(sample.links, looked_ms),
            modules: Rows::of(sample.modules, looked_ms),
            actors: actors
                .map(|(identity, numbers)| (identity.pid, (identity, numbers)))
                .collect(),
            turn: 0,
        }
    }

    /// Takes over as much as fits into one update, and gives that.
    pub(super) fn update(&mut self, sample: Sample) -> Update {
        let at_ms = sample.node.uptime_ms;
        let links = self.links.take(sample.links, at_ms);
        let modules = self.modules.take(sample.modules, at_ms);
        self.node = sample.node;
        let mut update = Update {
            node: self.node.clone(),
            links: links.rows,
            links_gone: links.gone,
            links_waiting: links.waiting,
            modules: modules.rows,
            modules_gone: modules.gone,
            modules_waiting: modules.waiting,
            ..Update::default()
        };
        self.take_actors(sample.actors, &mut update);
        update
    }

    fn take_actors(&mut self, actors: Vec<(ActorIdentity, ActorNumbers)>, update: &mut Update) {
        let now: Actors = actors
            .into_iter()
            .map(|(identity, numbers)| (identity.pid, (identity, numbers)))
            .collect();
        let mut coming = COMING_ROOM;
        let gone = self.actors.keys().copied().filter(|pid| !now.contains_key(pid));
        update.gone = gone.take(coming / GONE).collect();
        coming -= update.gone.len() * GONE;
        for pid in &update.gone {
            self.actors.remove(pid);
        }
        self.take_newcomers(&now, &mut coming, update);
        let room = ACTORS_ROOM - (COMING_ROOM - coming);
        self.take_numbers(&now, room, update);
    }

    /// Those that are new or not what they were. The oldest come first, so that nobody waits for ever.
    fn take_newcomers(&mut self, now: &Actors, room: &mut usize, update: &mut Update) {
        for (pid, (identity, numbers)) in now {
            if self.actors.get(pid).is_some_and(|(known, _)| known == identity) {
                continue;
            }
            let newcomer = OwnedNewcomer {
                identity: identity.clone(),
                numbers: numbers.all(),
            };
            let cost = json_bytes(&newcomer) + 1;
            if cost > *room && !update.actors.is_empty() {
                return;
            }
            *room = room.saturating_sub(cost);
            self.actors.insert(*pid, (identity.clone(), *numbers));
            update.actors.push(newcomer);
        }
    }

    /// What those did that readers know, each in its turn.
    fn take_numbers(&mut self, now: &Actors, mut room: usize, update: &mut Update) {
        let mut turn = None;
        // All of them once, from the one on that had no room the last time.
        for (pid, (identity, numbers)) in now.range(self.turn..).chain(now.range(..self.turn)) {
            // Whoever is still to be told of as another one is told of with its numbers then.
            let Some((known, before)) = self.actors.get_mut(pid) else {
                continue;
            };
            let Some(change) = Change::between(*pid, before, numbers).filter(|_| known == identity) else {
                continue;
            };
            let cost = change.cost();
            if cost > room {
                turn.get_or_insert(*pid);
                // Those behind it wait as well, so that nobody is passed over for ever.
                room = 0;
                continue;
            }
            room -= cost;
            *before = *numbers;
            update.numbers.push(change);
        }
        update.covers = turn.map(|turn| (self.turn, turn));
        self.turn = turn.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::ActorKind;

    fn actor(pid: u64, messages: u64) -> (ActorIdentity, ActorNumbers) {
        let identity = ActorIdentity {
            pid,
            name: Some(format!("worker-{pid}")),
            kind: ActorKind::Guest,
            module: Some("worker".to_owned()),
            digest: None,
            groups: vec!["workers".to_owned()],
            supervisor: Some(1),
        };
        let numbers = ActorNumbers {
            messages,
            busy_us: messages * 900,
            waiting: messages % 7,
            memory_bytes: 1_114_112,
            failures: 0,
            restarts: 0,
        };
        (identity, numbers)
    }

    fn sample(actors: u64, messages: u64) -> Sample {
        Sample {
            node: NodeSummary::default(),
            links: Vec::new(),
            modules: Vec::new(),
            actors: (0..actors).map(|pid| actor((1 << 20) + pid, messages)).collect(),
        }
    }

    fn json(update: &Update) -> serde_json::Value {
        serde_json::to_value(update).unwrap()
    }

    #[test]
    fn what_did_not_change_is_not_told() {
        let mut picture = Picture::of(sample(3, 5));
        let update = picture.update(sample(3, 5));
        assert!(update.numbers.is_empty() && update.actors.is_empty() && update.gone.is_empty());
        let mut next = sample(2, 5);
        next.actors[0].1.messages += 2;
        next.actors[0].1.busy_us += 30;
        next.actors[1].1.memory_bytes = 2;
        next.actors.push(actor(7, 0));
        let update = json(&picture.update(next));
        assert_eq!(
            update["numbers"],
            serde_json::json!([[1_048_576, 2, 30], [1_048_577, 0, 0, 5, 2]])
        );
        assert_eq!(update["gone"], serde_json::json!([1_048_578]));
        assert_eq!(update["actors"][0]["name"], "worker-7");
    }

    /// The promise is 20 kB each second with 1 000 actors; an update comes each second at most.
    #[test]
    fn the_stream_is_bounded_however_many_actors_work_and_each_has_its_turn() {
        for actors in [1_000, 10_000] {
            let mut picture = Picture::of(sample(actors, 0));
            let mut told = std::collections::BTreeSet::new();
            let mut rounds = 0;
            while told.len() < usize::try_from(actors).unwrap() {
                rounds += 1;
                let update = picture.update(sample(actors, 1_000_000_000 + rounds * 40));
                let bytes = serde_json::to_vec(&update).unwrap().len();
                assert!(bytes < 20_000, "{bytes} bytes with {actors} actors");
                told.extend(update.numbers.iter().map(|change| change.0[0]));
            }
            assert!(rounds <= actors / 250 + 1, "{rounds} rounds for {actors} actors");
        }
    }

    /// As after a start of very many, and after the reload of a module that all of them run.
    #[test]
    fn many_that_come_change_or_go_at_once_do_so_one_after_the_other() {
        let mut picture = Picture::of(sample(0, 0));
        let known = |picture: &Picture| picture.actors.len();
        let rounds = |picture: &mut Picture, sample: &dyn Fn() -> Sample, is_done: &dyn Fn(&Picture) -> bool| {
            let mut rounds = 0;
            while !is_done(picture) {
                let bytes = json_bytes(&picture.update(sample()));
                assert!(bytes < 20_000, "{bytes} bytes");
                rounds += 1;
                assert!(rounds < 100, "{} actors are known", known(picture));
            }
        };
        rounds(&mut picture, &|| sample(1200, 1), &|picture| known(picture) == 1200);
        let reloaded = || {
            let mut sample = sample(1200, 9);
            for (identity, _) in &mut sample.actors {
                identity.digest = Some(format!("sha256:{:064}", 1));
            }
            sample
        };
        rounds(&mut picture, &reloaded, &|picture| {
            let is_told = |(identity, numbers): &(ActorIdentity, ActorNumbers)| {
                identity.digest.is_some() && numbers.messages == 9
            };
            picture.actors.values().all(is_told)
        });
        rounds(&mut picture, &|| sample(0, 0), &|picture| known(picture) == 0);
    }
}
