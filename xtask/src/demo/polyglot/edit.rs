//! The main part: orders come in, the rule in Python is edited meanwhile, and at the end everything is counted.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::opening;
use super::orders::{self, AFTER, ALL, BEFORE, Kind};
use super::shop::{At, Shop};
use super::traffic::Traffic;
use crate::demo::transcript::Transcript;
use crate::process;

/// The source that is edited.
const SOURCE: &str = "scoring/src/app.py";
const OLD: &str = "    \"gift-card\": 20,\n";
const NEW: &str = "    \"gift-card\": 90,\n";
/// The longest time for Python to be built and compiled, on a machine that does much else besides.
const BUILD: Duration = Duration::from_secs(600);
/// The words of the core when the new code runs.
const RELOADED: &str = "reloaded scoring: 2 actors";

/// Sends all orders, and edits the rule in between.
pub(super) fn tell(shop: &Shop, transcript: &mut Transcript) -> Result<()> {
    let traffic = Traffic::open(shop.orders())?;
    transcript.step(&format!(
        "{BEFORE} orders over 8 connections, as fast as they are answered"
    ));
    traffic.send_until(BEFORE)?;
    transcript.note(&format!("{BEFORE} answers"));

    transcript.step("gift cards are bought with stolen cards: the data team edits its rule while orders come in");
    transcript.note(&format!("{SOURCE}\n-{OLD}+{NEW}").replace("\n\n", "\n"));
    traffic.send_slowly_until(AFTER);
    let (reloaded, meanwhile) = edit(shop, &traffic)?;
    transcript.note_with(
        "{} s later both scorers run it, with what they knew; {} orders were answered meanwhile",
        &[&format!("{:.1}", reloaded.as_secs_f64()), &meanwhile.to_string()],
    );

    transcript.step(&format!("the rest of {ALL} orders"));
    traffic.send_until(ALL)?;
    let answers = traffic.close()?;

    transcript.step("everything is counted");
    Outcome::of(&answers)?.check(transcript)?;
    count(shop, transcript)
}

/// Edits the source and waits until the actors run it. Gives how long that took and the orders that were answered meanwhile.
fn edit(shop: &Shop, traffic: &Traffic) -> Result<(Duration, usize)> {
    let file = shop.folder().join(SOURCE);
    let source = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(source.contains(OLD), "{} has no line `{}`", file.display(), OLD.trim());
    let before = traffic.answered();
    let saved = Instant::now();
    fs::write(&file, source.replace(OLD, NEW)).with_context(|| format!("cannot write {}", file.display()))?;
    process::poll(BUILD, || {
        let said = shop.core_said();
        if let Some(failure) = said.lines().find(|line| line.contains("not ")) {
            bail!("the core says: {failure}");
        }
        Ok(said.contains(RELOADED).then_some(()))
    })
    .context("the new rule isn't in force")?;
    let meanwhile = traffic.answered() - before;
    ensure!(meanwhile > 0, "no order was answered while the rule changed");
    Ok((saved.elapsed(), meanwhile))
}

/// What became of the orders, by what was answered.
struct Outcome {
    /// The number of orders of a kind with a verdict and points.
    counts: BTreeMap<(&'static str, String), usize>,
    /// The gift cards before the edit that were approved, and those after the reload that were declined.
    by_old_rule: usize,
    by_new_rule: usize,
}

impl Outcome {
    fn of(answers: &[(usize, String)]) -> Result<Self> {
        let mut numbers: Vec<usize> = answers.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        ensure!(numbers.into_iter().eq(0..ALL), "not every order has one answer");
        let mut this = Self {
            counts: BTreeMap::new(),
            by_old_rule: 0,
            by_new_rule: 0,
        };
        for (number, answer) in answers {
            let verdict = answer
                .strip_prefix(&format!("o-{number} "))
                .with_context(|| format!("the answer to order {number} is `{answer}`"))?;
            let kind = match orders::kind(*number) {
                Kind::Ordinary => "ordinary",
                Kind::Big => "big",
                Kind::GiftCard => "gift card",
            };
            if kind == "gift card" && *number < BEFORE && verdict == "approved 20" {
                this.by_old_rule += 1;
            }
            if kind == "gift card" && *number >= AFTER && verdict == "declined 90" {
                this.by_new_rule += 1;
            }
            *this.counts.entry((kind, verdict.to_owned())).or_default() += 1;
        }
        Ok(this)
    }

    fn count(&self, kind: &'static str, verdict: &str) -> usize {
        self.counts
            .get(&(kind, verdict.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    fn check(&self, transcript: &mut Transcript) -> Result<()> {
        let ordinary = orders::of_kind(Kind::Ordinary, 0..ALL);
        let gift_cards = |numbers| orders::of_kind(Kind::GiftCard, numbers);
        let (approved, declined) = (
            self.count("gift card", "approved 20"),
            self.count("gift card", "declined 90"),
        );
        transcript.note(&format!("{ALL} orders sent, {ALL} answers, 0 lost"));
        transcript.note_with(
            &format!(
                "{} gift cards: {{}} approved by the old rule, {{}} declined by the new one",
                approved + declined
            ),
            &[&approved.to_string(), &declined.to_string()],
        );
        transcript.note("100 orders of 900 EUR by one customer: 5 approved, then 95 for a person to review, before and after the edit");
        for (what, count, expected) in [
            (
                "ordinary orders approved",
                self.count("ordinary", "approved 0"),
                ordinary,
            ),
            (
                "gift cards approved or declined",
                approved + declined,
                gift_cards(0..ALL),
            ),
            (
                "gift cards approved before the edit",
                self.by_old_rule,
                gift_cards(0..BEFORE),
            ),
            ("gift cards declined after it", self.by_new_rule, gift_cards(AFTER..ALL)),
            // The scorer knew, after the reload as before, what this customer had spent.
            ("orders of 900 EUR approved", self.count("big", "approved 25"), 5),
            ("orders of 900 EUR to be reviewed", self.count("big", "review 55"), 95),
        ] {
            ensure!(
                count == expected,
                "{what}: {count}, and not {expected}; these are all: {:?}",
                self.counts
            );
        }
        Ok(())
    }
}

/// Asks every actor, and reads the journal.
fn count(shop: &Shop, transcript: &mut Transcript) -> Result<()> {
    let decided = ALL as u64 + opening::DECIDED;
    let received = decided + opening::FAILED;
    let expect = |what: &str, seen: &dyn PartialEq<u64>, expected: u64| {
        ensure!(*seen == expected, "{what} should be {expected}");
        Ok(())
    };
    let gateway = shop.call(At::Edge, "gateway", &["Counts", "--reply", "str"])?;
    transcript.note(&format!("gateway: {gateway}"));
    let failed = opening::FAILED;
    ensure!(
        gateway == format!("{received} received, {decided} decided, {failed} failed"),
        "the gateway should have counted {received}, {decided} and {failed}"
    );

    let scorers = |message: &str| -> Result<u64> {
        let both = ["scorer-1", "scorer-2"].map(|scorer| shop.number(At::Core, scorer, &[message]));
        both.into_iter().sum()
    };
    let (scored, cents) = (scorers("Count")?, scorers("Total")?);
    transcript.note(&format!("scorers: {scored} scored, {} EUR altogether", cents / 100));
    expect("the scored orders", &scored, decided)?;
    let spent: u64 = (0..ALL).map(orders::cents).sum();
    expect("the sum of all orders", &cents, spent + opening::CENTS)?;

    let lines = shop.number(At::Edge, "journal", &["Lines", "--reply", "u64"])?;
    let text = fs::read_to_string(shop.folder().join("journal.tsv")).context("cannot read the journal")?;
    let mut ids: Vec<&str> = text.lines().filter_map(|line| line.split('\t').next()).collect();
    ids.sort_unstable();
    ids.dedup();
    transcript.note(&format!("journal: {lines} lines, of {} orders", ids.len()));
    expect("the lines of the journal", &lines, decided)?;
    expect("the orders in the journal", &(ids.len() as u64), decided)
}
