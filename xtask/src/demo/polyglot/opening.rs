//! The first orders: one that is good, one that is no order, and one that the plug-in was not made for.

use anyhow::{Context, Result, ensure};

use super::shop::Shop;
use super::traffic::Connection;
use crate::demo::transcript::Transcript;

/// The good orders that this sends.
pub(super) const DECIDED: u64 = 2;
/// The others.
pub(super) const FAILED: u64 = 2;
/// What the good ones cost.
pub(super) const CENTS: u64 = 2 * 4_990;

/// Tells of them.
pub(super) fn tell(shop: &Shop, transcript: &mut Transcript) -> Result<()> {
    let mut connection = Connection::open(shop.orders())?;
    let mut order = |transcript: &mut Transcript, line: &str, expected: &str| {
        let answer = connection.order(line)?;
        transcript.note(&format!("> {line}\n< {answer}"));
        ensure!(answer == expected, "the answer should have been `{expected}`");
        Ok(())
    };

    transcript.step("an order, from socket to socket: gateway -> partner -> desk -> scorer, desk -> journal, and back");
    order(transcript, "first;ada;DE;radio;1;4990", "first approved 0")?;

    transcript.step("what is no order fails its own call, for a reason");
    order(
        transcript,
        "second;ada;DE;radio;1;cheap",
        "failed: the partner's plug-in: the actor failed the call: the price `cheap` is no number: invalid digit found in string",
    )?;

    transcript.step("the plug-in crashes: one actor starts again, nothing else notices");
    order(
        transcript,
        "third;ada;DE;radio;0;4990",
        "failed: the partner's plug-in: the actor dropped the call without a reply",
    )?;
    let panic = shop.logged("the actor panicked: ")?;
    transcript.note(&format!(
        "edge logs: {}, location={}",
        between(&panic, "guest: ", " actor=")?,
        between(&panic, "location=", "\"")?
    ));
    let restart = shop.logged("it is restarted")?;
    transcript.note(&format!(
        "edge logs: the actor failed; it is restarted actor={}",
        between(&restart, " actor=", " pid=")?
    ));
    ensure!(
        restart.contains("actor=\"partner\""),
        "another actor was restarted: {restart}"
    );
    order(transcript, "fourth;ada;DE;radio;1;4990", "fourth approved 0")
}

/// What a line of the log says between these.
fn between<'a>(line: &'a str, begin: &str, end: &str) -> Result<&'a str> {
    let rest = line.split_once(begin).map(|(_, rest)| rest);
    let text = rest.and_then(|rest| rest.split_once(end)).map(|(text, _)| text);
    text.with_context(|| format!("the log says nothing between `{begin}` and `{end}`: {line}"))
}
