//! `cargo xtask bench`: this node against the published `ractor_cluster` and against the floor of the machine.
//!
//! Every system runs as two release processes that talk over loopback, driven through stdin and stdout. A run measures
//! each workload on each system, one system after the other, so that what disturbs the machine disturbs all of them; the
//! figures are medians over the runs. docs/performance.md says how to read them.

mod entities;
mod figures;
mod guests;
mod host;
mod interest;
mod languages;
mod machine;
pub(crate) mod micro;
mod node;
mod operate;
mod plot;
mod programs;
mod run;
mod standing;
mod systems;
mod table;
mod targets;
mod traffic;

use std::fs;

use anyhow::{Context, Result, bail};
use clap::Args;

use self::figures::Figures;
use self::languages::{Projects, Tools};
use self::run::Plan;
use crate::report;
use crate::workspace::Workspace;

/// What is measured, and how often.
#[derive(Args)]
pub(crate) struct Options {
    /// Few and short runs: to see that it works, not to compare
    #[arg(long)]
    quick: bool,
    /// How often everything is measured; 5 unless it is quick
    #[arg(long, value_name = "N")]
    runs: Option<usize>,
    /// Only workloads with this in their name, such as `casts`, `calls-64` or `crowd`
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// Only these systems, by the names in the table, such as `raw,stock,ours`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    systems: Vec<String>,
    /// Leave out what needs the host with guests, which takes longer to build than all the rest
    #[arg(long)]
    no_guests: bool,
    /// Only count the instructions of codec and session, and compare them with bench/baseline.json
    #[arg(long)]
    micro: bool,
    /// Make those counts the new baseline
    #[arg(long, requires = "micro")]
    bless: bool,
    /// Fail if a target that must be reached is missed
    #[arg(long)]
    strict: bool,
    /// Also put what was measured into the documentation: the plot that README.md shows, docs/bench.svg, and the table of languages
    /// in docs/languages.md
    #[arg(long)]
    publish: bool,
    /// Use the tools of languages that an earlier run installed, and don't measure how long that takes; quick runs do
    #[arg(long)]
    keep_tools: bool,
}

impl Options {
    fn tools(&self) -> Tools {
        if self.keep_tools || self.quick {
            Tools::Kept
        } else {
            Tools::Anew
        }
    }
}

/// Where the table of languages is.
const DOCUMENT: &str = "docs/languages.md";

/// Measures, prints the tables, and writes them, JSON and a plot to `target/bench`.
///
/// # Errors
/// Something can't be built, or nothing could be measured.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.micro {
        return micro::run(workspace, options.bless);
    }
    let plan = Plan::new(options)?;
    let folder = workspace.target().join("bench");
    let mut figures = Figures::default();
    if plan.wants_cluster() {
        let programs = programs::build(workspace, &folder)?;
        run::cluster(&plan, &programs, &mut figures)?;
    }
    if plan.wants_guests() {
        let programs = programs::build_guests(workspace, &folder)?;
        run::with_guests(&plan, &programs, &mut figures)?;
    }
    if plan.wants_operate() {
        let programs = programs::build_operate(workspace, &folder)?;
        run::with_operate(&plan, &programs, &mut figures)?;
    }
    if plan.wants_entities() {
        let programs = programs::build_entities(workspace, &folder)?;
        run::with_entities(&plan, &programs, &mut figures)?;
    }
    if plan.wants_languages() {
        let programs = programs::build_languages(workspace, &folder)?;
        let mut projects = Projects::new(&folder, options.tools())?;
        run::with_languages(&plan, &programs, &mut projects, &mut figures)?;
    }
    if figures.is_empty() {
        bail!("nothing could be measured");
    }

    let results = targets::check(&figures);
    let tables = table::all(&figures, &results);
    let machine = machine::describe(workspace);
    println!("{}\n\n{tables}", machine.line());
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("results.md", &format!("{}\n\n{tables}\n", machine.line()))?;
    write("results.json", &figures.to_json(&machine, plan.runs, &results)?)?;
    plot::draw(&figures, &folder.join("results.svg"))?;
    if options.publish {
        plot::draw(&figures, &workspace.root().join("docs/bench.svg"))?;
        languages::publish(&figures, &results, &machine, &workspace.root().join(DOCUMENT))?;
    }
    report::step(&format!("tables, JSON and plot are in {}", folder.display()));
    let missed = results.iter().filter(|result| result.missed()).count();
    if options.strict && missed > 0 {
        bail!("{missed} target(s) missed");
    }
    Ok(())
}
