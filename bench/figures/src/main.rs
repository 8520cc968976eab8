//! `bench-figures NAME TIMES COMPONENT FOLDER`: does one piece of work so often, for a tool that counts instructions, on a node of its
//! own. Without arguments it names them, one a line. COMPONENT is the counter of the examples, and FOLDER has the node's files; what was
//! compiled there is used again.
//!
//! `bench-figures time TIMES COMPONENT FOLDER` prints how many nanoseconds each update of a histogram takes.
//!
//! Everything runs on one thread, so that the same instructions are run each time.

mod node;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::node::{Admin, BenchNode, CASTS, Kind};

/// Work on a node, by name: whether it has an admin HTTP, and what is done each time.
const WORK: [(&str, Admin, Work); 7] = [
    ("guest-cast", Admin::Off, Work::Casts(Kind::Guest)),
    ("guest-cast-admin", Admin::On, Work::Casts(Kind::Guest)),
    ("guest-cast-other-traced", Admin::Off, Work::CastsBesideTrace),
    ("native-cast", Admin::Off, Work::Casts(Kind::Native)),
    ("native-cast-admin", Admin::On, Work::Casts(Kind::Native)),
    ("scrape", Admin::On, Work::Scrape),
    ("histogram", Admin::Off, Work::Histogram),
];

#[derive(Clone, Copy)]
enum Work {
    /// Casts to one actor, [`CASTS`] of them.
    Casts(Kind),
    /// The same to a guest, while another guest of its module is traced.
    CastsBesideTrace,
    /// A look at `/metrics`.
    Scrape,
    /// As many updates of a histogram.
    Histogram,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times, component, folder] = arguments.as_slice() else {
        WORK.iter().for_each(|(name, ..)| println!("{name}"));
        return Ok(());
    };
    let times: u64 = times.parse().context("how many times?")?;
    if name == "time" {
        let begun = Instant::now();
        histogram(times);
        println!(
            "{}",
            begun.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(times)?.max(1))
        );
        return Ok(());
    }
    let Some((_, admin, work)) = WORK.iter().find(|(each, ..)| each == name) else {
        bail!("no work is called {name}");
    };
    let node = BenchNode::start(*admin, &PathBuf::from(component), &PathBuf::from(folder)).await?;
    match work {
        Work::Casts(kind) => node.casts(*kind, times).await?,
        Work::CastsBesideTrace => {
            let trace = node.trace_other()?;
            node.casts(Kind::Guest, times).await?;
            drop(trace);
        }
        Work::Scrape => {
            for _ in 0..times {
                node.scrape().await?;
            }
        }
        Work::Histogram => histogram(times * CASTS),
    }
    node.stop().await;
    Ok(())
}

/// Durations of all sizes, as handlers have them.
fn histogram(times: u64) {
    let mut histogram = ractor_host_sandbox::fuzzing::HandlerHistogram::default();
    for time in 0..times {
        // Hidden from the compiler, which would otherwise leave out what nobody reads.
        black_box(&mut histogram).record(black_box(Duration::from_nanos(time.wrapping_mul(7_919) % 20_000_000)));
    }
}
