//! `cargo xtask demo shop`: examples/shop on two nodes and PostgreSQL. One node is killed while customers fill their carts, the other one
//! is stopped while they check out, and at the end every cart, order and kind of goods is counted.
//!
//! The transcript in the README of the example is what this says, or this fails.

mod closing;
mod crash;
mod crowd;
mod customer;
mod doors;
mod nodes;
mod opening;

use anyhow::{Context, Result, anyhow};

use self::customer::Customer;
use self::doors::{Caller, Doors};
use self::nodes::{At, Nodes};
use super::transcript::Transcript;
use super::{Afterwards, built};
use crate::guests;
use crate::postgres;
use crate::programs;
use crate::report;
use crate::suites::{GUESTS_VARIABLE, PROGRAMS_VARIABLE};
use crate::workspace::Workspace;

/// The program of both nodes.
const SHOP: &str = "shop";

/// Builds the shop, starts a database and two nodes, and plays the story.
///
/// # Errors
/// Something doesn't build, there is no PostgreSQL, a node doesn't start or stop, or a count is another one than it should be.
pub(super) fn run(workspace: &Workspace, afterwards: Afterwards) -> Result<()> {
    let guests = built(GUESTS_VARIABLE, || guests::build(workspace))?;
    let programs = built(PROGRAMS_VARIABLE, || {
        report::note("next: the program of the nodes, which takes minutes the first time");
        programs::build(workspace, [SHOP])
    })?;
    let database = postgres::start(workspace)?;
    let example = workspace.root().join("examples/shop");
    let folder = workspace.target().join(SHOP);
    let mut nodes = Nodes::prepare(&example, &folder, &programs.join(SHOP), &guests, database)?;
    let mut transcript = Transcript::default();
    play(&mut nodes, &mut transcript, afterwards)?;
    transcript.compare(SHOP, &example.join("README.md"))
}

fn play(nodes: &mut Nodes, transcript: &mut Transcript, afterwards: Afterwards) -> Result<()> {
    transcript.step("open the shop: two nodes, which find each other in a database");
    nodes.start(At::Alpha)?;
    transcript.note("alpha: shop run alpha.toml      cart, order: Rust in WebAssembly; stock: native Rust");
    nodes.start(At::Beta)?;
    transcript.note("beta: shop run beta.toml        the same");
    let told = Story::new(nodes, transcript)?.tell();
    told.map_err(|error| anyhow!("{error:#}\n\n{}", nodes.log_tails()))?;
    if afterwards == Afterwards::Stay {
        // No part of the record, which is that of a demo that ends by itself.
        nodes.stay()?;
    }
    nodes.stop(At::Beta)?;
    nodes.stop(At::Alpha)?;
    transcript.step("closed: both nodes have stopped in order");
    Ok(())
}

/// What is told, and all that takes part in it.
struct Story<'a> {
    nodes: &'a mut Nodes,
    transcript: &'a mut Transcript,
    /// The nodes that customers may go to.
    doors: Doors,
    caller: Caller,
    /// Those who buy.
    customers: Vec<Customer>,
    /// Those who reserve goods and don't pay.
    idlers: Vec<Customer>,
}

impl<'a> Story<'a> {
    fn new(nodes: &'a mut Nodes, transcript: &'a mut Transcript) -> Result<Self> {
        Ok(Self {
            doors: Doors::new(vec![nodes.door(At::Alpha)?, nodes.door(At::Beta)?]),
            nodes,
            transcript,
            caller: Caller::new(),
            customers: customer::buyers(),
            idlers: customer::idlers(),
        })
    }

    fn tell(&mut self) -> Result<()> {
        self.open().context("the opening")?;
        self.crash().context("the crash")?;
        self.close().context("the closing")
    }
}
