//! `bench-micro NAME TIMES`: does one piece of work so often, for a tool that counts instructions. Without arguments it
//! names them, one a line.

use anyhow::{Context, bail};
use ractor_host_cluster::fuzzing::micro;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        for (name, _) in micro::WORK {
            println!("{name}");
        }
        return Ok(());
    };
    let times: u64 = arguments.next().context("how many times?")?.parse()?;
    let Some((_, work)) = micro::WORK.iter().find(|(each, _)| *each == name) else {
        bail!("no work is called {name}");
    };
    work(times);
    Ok(())
}
