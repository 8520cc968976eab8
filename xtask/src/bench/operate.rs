//! What it costs to be looked at: casts on a node that has an admin HTTP and on one that has none, beside an actor that is traced, an
//! update of a histogram, and `ps` of very many actors.
//!
//! Instructions are counted by callgrind, as those of `micro`: a per cent of a cast is far below what a clock can tell.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::figures::{Figures, Metric};
use super::host::Host;
use super::micro;
use super::programs::OperatePrograms;
use super::run::{Plan, record};
use crate::process::Run;
use crate::report;

/// The names of what is measured.
pub(super) const GUEST_CASTS: &str = "operate-guest-cast";
pub(super) const NATIVE_CASTS: &str = "operate-native-cast";
pub(super) const HISTOGRAM: &str = "operate-histogram";
pub(super) const SCRAPE: &str = "operate-scrape";
pub(super) const PS: &str = "operate-ps";
/// What it is measured with.
pub(super) const OFF: &str = "off";
pub(super) const ADMIN: &str = "admin";
pub(super) const OTHER_TRACED: &str = "other-traced";
/// The number of actors that `ps` shows.
pub(super) const CROWD: &str = "10000";

/// The first of what is counted.
const GUEST_COUNTED: &str = "guest-cast";

/// A piece of work of the program: its workload, its system, its name, and into how many its instructions are divided.
const COUNTED: [(&str, &str, &str, u32); 7] = [
    (GUEST_CASTS, OFF, GUEST_COUNTED, 100),
    (GUEST_CASTS, ADMIN, "guest-cast-admin", 100),
    (GUEST_CASTS, OTHER_TRACED, "guest-cast-other-traced", 100),
    (NATIVE_CASTS, OFF, "native-cast", 100),
    (NATIVE_CASTS, ADMIN, "native-cast-admin", 100),
    (SCRAPE, ADMIN, "scrape", 1),
    (HISTOGRAM, OFF, "histogram", 100),
];

/// The number of times that a piece of work is done in the two runs. Many, because a recorder calibrates its clock when it is made: it
/// looks at two clocks for a fifth of a second, and how often that is depends on the machine's other work.
const TIMES: [u64; 2] = [100, 1_100];

/// The updates of a histogram that are timed.
const UPDATES: u32 = 10_000_000;
/// The number of times that `ps` is asked. The least time counts: it is what the node needs, whatever else the machine does.
const ASKED: usize = 10;

/// How the workloads are called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    [GUEST_CASTS, NATIVE_CASTS, SCRAPE, HISTOGRAM, PS].into_iter()
}

/// Measures everything once. Instructions are counted in the first run only, because the others would count the same.
///
/// # Errors
/// The user asked to stop. What can't be measured is noted among the figures.
pub(super) fn all(plan: &Plan, programs: &OperatePrograms, figures: &mut Figures, run: usize) -> Result<()> {
    let counted = COUNTED.iter().filter(|(workload, ..)| plan.wants(workload));
    if run == 0 && plan.wants(GUEST_CASTS) {
        // Compiles the guest for the processor that valgrind has, and leaves the code for those that are counted.
        count(programs, GUEST_COUNTED, 100).ok();
    }
    for (workload, system, name, parts) in counted.filter(|_| run == 0) {
        record(
            figures,
            run,
            (workload, system),
            count(programs, name, *parts).map(|instructions| [(Metric::Instructions, instructions)]),
        )?;
    }
    if plan.wants(HISTOGRAM) {
        record(
            figures,
            run,
            (HISTOGRAM, OFF),
            update(programs).map(|ns| [(Metric::Nanoseconds, ns)]),
        )?;
    }
    if plan.wants(PS) {
        record(figures, run, (PS, CROWD), ps(programs).map(|ms| [(Metric::Time, ms)]))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(programs: &OperatePrograms, name: &str, parts: u32) -> Result<f64> {
    let folder = folder(programs)?;
    let more = [programs.component.as_os_str(), folder.as_os_str()];
    let each = micro::instructions_each(&programs.program, name, TIMES, &more)? as f64 / f64::from(parts);
    report::note(&format!("{name:24} {each:>10.0}"));
    Ok(each)
}

fn update(programs: &OperatePrograms) -> Result<f64> {
    let said = run(programs, &folder(programs)?, "time", UPDATES)?;
    Ok(said.trim().parse()?)
}

fn run(programs: &OperatePrograms, folder: &Path, name: &str, times: u32) -> Result<String> {
    Run::new(&programs.program)
        .args([name, &times.to_string()])
        .args([programs.component.as_os_str(), folder.as_os_str()])
        .capture()
}

fn folder(programs: &OperatePrograms) -> Result<std::path::PathBuf> {
    let folder = programs.folder.join("operate");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// How long `ps` takes, from the start of the command to its end, in milliseconds.
fn ps(programs: &OperatePrograms) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let text = format!(
        "[node]\nname = \"crowd\"\nlisten = \"127.0.0.1:0\"\ncookie_file = \"cookie\"\n\
         [runtime]\nstate_dir = \"state\"\nmax_guests = {CROWD}\n[modules.counter]\npath = {:?}\n\
         [[actors]]\nname = \"counter\"\nmodule = \"counter\"\ncount = {CROWD}\narguments = \"u64:0\"\n",
        programs.component
    );
    fs::write(folder.path().join("node.toml"), text)?;
    let cookie = folder.path().join("cookie");
    fs::write(&cookie, "the cookie of the benchmark")?;
    Run::new("chmod").args(["600".as_ref(), cookie.as_os_str()]).capture()?;
    let mut node = Command::new(&programs.host);
    node.args(["run", "node.toml"]).current_dir(folder.path());
    let node = Host::start("`ractor-host run` with very many actors", node)?;
    node.ready()?;
    let mut least = f64::INFINITY;
    for _ in 0..ASKED {
        let begun = Instant::now();
        let said = Run::new(&programs.host)
            .args(["ps", "--output", "json"])
            .within(folder.path())
            .capture()?;
        least = least.min(begun.elapsed().as_secs_f64() * 1e3);
        let shown = said.matches("\"resident_bytes\"").count();
        ensure!(shown.to_string() == CROWD, "`ps` shows {shown} guests of {CROWD}");
    }
    node.stop()?;
    Ok(least)
}
