//! `cargo xtask demo polyglot`: the shop of examples/polyglot on two nodes, in four languages, and changed while orders come in.
//!
//! Every number is counted and every count is checked. The transcript in the README of the example is what this says, or this fails.

mod checkout;
mod clients;
mod edit;
mod opening;
mod orders;
mod shop;
mod traffic;

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use self::checkout::Checkout;
use self::shop::Shop;
use super::transcript::Transcript;
use super::{Afterwards, built};
use crate::programs::{self, HOST};
use crate::report;
use crate::suites::PROGRAMS_VARIABLE;
use crate::workspace::Workspace;

/// The program of the node at the edge.
const EDGE: &str = "polyglot";

/// Builds the shop, opens it, and plays the story.
///
/// # Errors
/// Something doesn't build, a node doesn't start or stop, or a count is another one than it should be.
pub(super) fn run(workspace: &Workspace, afterwards: Afterwards) -> Result<()> {
    let programs = built(PROGRAMS_VARIABLE, || {
        report::note("first: the two node programs, which takes minutes the first time");
        programs::build(workspace, [HOST, EDGE])
    })?;
    let example = workspace.root().join("examples/polyglot");
    let checkout = Checkout::new(&example, &workspace.target().join("polyglot"), &programs)?;
    report::step(
        "build the guests, each with `ractor-host build`; the first time it installs what their languages need",
    );
    checkout.build("partner")?;
    checkout.build("scoring")?;
    clients::check(&checkout, &clients::BEFORE_THE_DESK)?;
    checkout.build("desk")?;
    clients::check(&checkout, &clients::AFTER_THE_DESK)?;

    let folder = checkout.fresh_copy()?;
    let mut transcript = Transcript::default();
    play(&checkout, &folder, &mut transcript, afterwards)?;
    transcript.compare("polyglot", &example.join("README.md"))
}

fn play(checkout: &Checkout, folder: &Path, transcript: &mut Transcript, afterwards: Afterwards) -> Result<()> {
    transcript.step("open the shop: two nodes, two programs");
    let mut shop = Shop::open(checkout, folder)?;
    transcript.note("edge: polyglot run edge.toml         gateway, journal: native Rust; partner: Rust in WebAssembly");
    transcript.note("core: ractor-host dev core.toml      desk: TypeScript; scorer-1, scorer-2: Python");
    tell(&shop, transcript).map_err(|error| anyhow!("{error:#}\n\n{}", shop.log_tails()))?;
    if afterwards == Afterwards::Stay {
        // No part of the record, which is that of a demo that ends by itself.
        shop.stay()?;
    }
    shop.close()?;
    transcript.step("closed: both nodes have stopped in order");
    Ok(())
}

fn tell(shop: &Shop, transcript: &mut Transcript) -> Result<()> {
    opening::tell(shop, transcript).context("the first orders")?;
    edit::tell(shop, transcript).context("the edit")
}
