//! What must be reached, and whether it was: the targets of docs/performance.md.

use serde_json::{Value, json};

use super::entities;
use super::figures::{Figures, Metric, Spread};
use super::guests;
use super::interest;
use super::languages;
use super::operate;
use super::standing::FLOOD;
use super::traffic::SMALL_CASTS;

/// What the nodes allow to wait at each side by default: the outbox here, the messages for one actor there.
const QUEUE_LIMIT_KIB: f64 = 64.0 * 1024.0;

/// A figure with two marks.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) what: &'static str,
    pub(super) of: Of,
    pub(super) must: f64,
    pub(super) aim: f64,
}

/// Which figure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// How many times `one`'s is `other`'s; more is better.
    AtLeast(&'static str, Metric, &'static str, &'static str),
    /// The same; less is better.
    AtMost(&'static str, Metric, &'static str, &'static str),
    /// How many times the limit of the queues the flood takes; less is better.
    Limit(Metric),
    /// How many microseconds more a message takes to `one` than to `other`; less is better.
    More(&'static str, &'static str, &'static str),
    /// The figure itself, of guests; less is better.
    Guest(&'static str, Metric),
    /// The figure itself, of a workload and a system; less is better.
    Figure(&'static str, Metric, &'static str),
}

const TARGETS: &[Target] = &[
    at_least("casts of 16 B, × stock", SMALL_CASTS, ("ours", "stock"), 5.0, 10.0),
    at_least("casts of 1 KiB, × stock", "casts-1k", ("ours", "stock"), 3.0, 4.0),
    at_least("casts of 64 KiB, × stock", "casts-64k", ("ours", "stock"), 2.0, 3.0),
    round_trip("call round trip p50, × stock", ("ours", "stock"), 0.55, 0.4),
    at_least("64 calls in flight, × stock", "calls-64", ("ours", "stock"), 4.0, 6.0),
    at_least(
        "1024 calls in flight, × stock",
        "calls-1024",
        ("ours", "stock"),
        5.0,
        7.0,
    ),
    at_least(
        "TLS: casts of 16 B, × stock",
        SMALL_CASTS,
        ("ours-tls", "stock-tls"),
        2.5,
        4.0,
    ),
    at_least(
        "TLS: casts of 1 KiB, × stock",
        "casts-1k",
        ("ours-tls", "stock-tls"),
        2.5,
        4.0,
    ),
    at_least(
        "TLS: casts of 64 KiB, × stock",
        "casts-64k",
        ("ours-tls", "stock-tls"),
        2.5,
        4.0,
    ),
    at_least(
        "TLS: 64 calls in flight, × stock",
        "calls-64",
        ("ours-tls", "stock-tls"),
        2.5,
        4.0,
    ),
    at_least(
        "TLS: 1024 calls in flight, × stock",
        "calls-1024",
        ("ours-tls", "stock-tls"),
        2.5,
        4.0,
    ),
    at_least(
        "stock client to our server, casts of 16 B, × stock",
        SMALL_CASTS,
        ("stock-to-ours", "stock"),
        2.0,
        2.8,
    ),
    crowd("100 000 actors until ready, × stock", Metric::Time, 0.1),
    crowd(
        "100 000 actors, receiver's memory, × stock",
        Metric::ReceiverMemory,
        0.05,
    ),
    wanted("100 000 members, one per node: until ready, × stock", Metric::Time),
    wanted(
        "100 000 members, one per node: receiver's memory, × stock",
        Metric::ReceiverMemory,
    ),
    // What is measured is the difference of what two times 50 processes take: some bytes of it are chance.
    Target {
        what: "member of a group that nobody wants, on each other node, KiB",
        of: Of::Figure(interest::UNWANTED, Metric::MemoryEach, "ours"),
        must: 0.02,
        aim: 0.0,
    },
    flood("flood: sender's peak, × its limit", Metric::SenderMemory),
    flood("flood: receiver's peak, × its limit", Metric::ReceiverMemory),
    Target {
        what: "cast to a local guest, over a native actor, µs",
        of: Of::More(guests::CASTS, guests::GUEST, guests::NATIVE),
        must: 0.8,
        aim: 0.3,
    },
    Target {
        what: "idle guest, KiB",
        of: Of::Guest(guests::START, Metric::MemoryEach),
        must: 48.0,
        aim: 32.0,
    },
    instructions(
        "cast to a guest with an admin HTTP, × without",
        operate::GUEST_CASTS,
        operate::ADMIN,
    ),
    instructions(
        "cast to a guest beside one that is traced, × without",
        operate::GUEST_CASTS,
        operate::OTHER_TRACED,
    ),
    instructions(
        "cast to a native actor with an admin HTTP, × without",
        operate::NATIVE_CASTS,
        operate::ADMIN,
    ),
    Target {
        what: "update of a histogram, ns",
        of: Of::Figure(operate::HISTOGRAM, Metric::Nanoseconds, operate::OFF),
        must: 50.0,
        aim: 20.0,
    },
    Target {
        what: "`ps` of 10 000 actors, ms",
        of: Of::Figure(operate::PS, Metric::Time, operate::CROWD),
        must: 100.0,
        aim: 100.0,
    },
    Target {
        what: "guest started from a loaded module, µs",
        of: Of::Guest(guests::START, Metric::StartEach),
        must: 60.0,
        aim: 25.0,
    },
];

const fn at_least(
    what: &'static str,
    workload: &'static str,
    (one, other): (&'static str, &'static str),
    must: f64,
    aim: f64,
) -> Target {
    Target {
        what,
        of: Of::AtLeast(workload, Metric::Rate, one, other),
        must,
        aim,
    }
}

const fn round_trip(what: &'static str, (one, other): (&'static str, &'static str), must: f64, aim: f64) -> Target {
    Target {
        what,
        of: Of::AtMost("call", Metric::P50, one, other),
        must,
        aim,
    }
}

/// The hundredth more is what may not be noticed.
const fn instructions(what: &'static str, workload: &'static str, system: &'static str) -> Target {
    Target {
        what,
        of: Of::AtMost(workload, Metric::Instructions, system, operate::OFF),
        must: 1.01,
        aim: 1.0,
    }
}

const fn crowd(what: &'static str, metric: Metric, must: f64) -> Target {
    Target {
        what,
        of: Of::AtMost("crowd-100000", metric, "ours", "stock"),
        must,
        aim: must,
    }
}

const fn wanted(what: &'static str, metric: Metric) -> Target {
    Target {
        what,
        of: Of::AtMost(interest::ONE, metric, "ours", "stock"),
        must: 0.02,
        aim: 0.02,
    }
}

const fn flood(what: &'static str, metric: Metric) -> Target {
    Target {
        what,
        of: Of::Limit(metric),
        must: 2.0,
        aim: 2.0,
    }
}

/// A target, and the figure if it was measured.
pub(super) struct Outcome {
    pub(super) target: &'static Target,
    /// The figure.
    pub(super) figure: Option<Spread>,
}

/// The targets against the figures.
pub(super) fn check(figures: &Figures) -> Vec<Outcome> {
    let outcome = |target: &'static Target| {
        let figure = match target.of {
            Of::AtLeast(workload, metric, one, other) | Of::AtMost(workload, metric, one, other) => {
                figures.ratio(workload, metric, one, other)
            }
            Of::Limit(metric) => figures.spread(FLOOD, "ours", metric).map(|kib| Spread {
                median: kib.median / QUEUE_LIMIT_KIB,
                least: kib.least / QUEUE_LIMIT_KIB,
                most: kib.most / QUEUE_LIMIT_KIB,
            }),
            Of::More(workload, one, other) => figures.more_micros(workload, one, other),
            Of::Guest(workload, metric) => figures.spread(workload, guests::GUEST, metric),
            Of::Figure(workload, metric, system) => figures.spread(workload, system, metric),
        };
        Outcome { target, figure }
    };
    TARGETS
        .iter()
        .chain(entities::TARGETS)
        .chain(languages::TARGETS)
        .map(outcome)
        .collect()
}

impl Outcome {
    /// What it is about.
    pub(super) fn what(&self) -> &'static str {
        self.target.what
    }

    /// `≥ 5` or `≤ 0.55`.
    pub(super) fn must(&self) -> String {
        format!("{} {}", self.sign(), self.target.must)
    }

    /// The same for what is aimed at.
    pub(super) fn aim(&self) -> String {
        format!("{} {}", self.sign(), self.target.aim)
    }

    fn sign(&self) -> &'static str {
        match self.target.of {
            Of::AtLeast(..) => "≥",
            _ => "≤",
        }
    }

    /// Whether it was measured and is not what it must be.
    pub(super) fn missed(&self) -> bool {
        self.figure
            .is_some_and(|figure| !self.reaches(figure, self.target.must))
    }

    /// In a word.
    pub(super) fn mark(&self) -> &'static str {
        match self.figure {
            None => "–",
            Some(figure) if self.reaches(figure, self.target.aim) => "✓ aim",
            Some(figure) if self.reaches(figure, self.target.must) => "✓ must",
            Some(_) => "✗ miss",
        }
    }

    fn reaches(&self, figure: Spread, mark: f64) -> bool {
        match self.target.of {
            Of::AtLeast(..) => figure.median >= mark,
            _ => figure.median <= mark,
        }
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "what": self.target.what,
            "must": self.must(),
            "aim": self.aim(),
            "median": self.figure.map(|figure| figure.median),
            "least": self.figure.map(|figure| figure.least),
            "most": self.figure.map(|figure| figure.most),
            "missed": self.missed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_say_what_was_reached() {
        let marks = |ratio: f64| {
            let mut figures = Figures::default();
            figures.record(0, SMALL_CASTS, "stock", [(Metric::Rate, 1.0)]);
            figures.record(0, SMALL_CASTS, "ours", [(Metric::Rate, ratio)]);
            figures.record(0, "call", "stock", [(Metric::P50, 1.0)]);
            figures.record(0, "call", "ours", [(Metric::P50, ratio / 10.0)]);
            let outcomes = check(&figures);
            let mark = |what: &str| {
                let outcome = outcomes.iter().find(|outcome| outcome.what().starts_with(what));
                outcome.map(Outcome::mark)
            };
            (mark("casts of 16 B"), mark("call round trip"), mark("64 calls"))
        };
        let none = Some("–");
        assert_eq!(marks(4.0), (Some("✗ miss"), Some("✓ aim"), none));
        assert_eq!(marks(5.0), (Some("✓ must"), Some("✓ must"), none));
        assert_eq!(marks(10.0), (Some("✓ aim"), Some("✗ miss"), none));
    }
}
