//! How long an actor handles nothing while it is reloaded, by the size of its state; how long it takes to reload a thousand of
//! one module, and to deploy a component of 18 MB to three nodes: `cargo run --release -p ractor-host-tests --example reloads`.
//!
//! With arguments it is `ractor-host`, so that the three nodes are of the same build.
#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench_guests::ballast::{Ballast, component, percentile};

/// The number of times that a guest is reloaded; a large one is reloaded less often.
const ROUNDS: u32 = 100;
const LARGE_ROUNDS: u32 = 20;
const ACTORS: u32 = 1_000;
const COMPONENT_BYTES: usize = 18_000_000;
const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        return ractor_host::cli::main(ractor_host::Host::builder());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let measured = runtime
        .context("no runtime")
        .and_then(|runtime| runtime.block_on(async { tokio::spawn(pauses()).await? }))
        .and_then(|()| deployment());
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn pauses() -> anyhow::Result<()> {
    println!("{:24} {:>12} {:>12} {:>8}", "state", "p50", "p99", "pauses");
    for (what, bytes, rounds) in [
        ("0 B", 0, ROUNDS),
        ("1 KiB", 1 << 10, ROUNDS),
        ("1 MiB", 1 << 20, ROUNDS),
        ("64 MiB", 64 << 20, LARGE_ROUNDS),
    ] {
        let mut guest = Ballast::start(1, bytes).await?;
        let mut pauses = Vec::new();
        for _ in 0..rounds {
            pauses.extend(guest.reload(None).await?);
        }
        print(what, &mut pauses);
        guest.stop().await?;
    }
    let mut guests = Ballast::start(ACTORS, 1 << 10).await?;
    let began = Instant::now();
    let mut pauses = guests.reload(None).await?;
    let took = began.elapsed();
    print("1 KiB, 1000 at once", &mut pauses);
    println!(
        "reload of {ACTORS} actors with 1 KiB each: {} ms in all",
        took.as_millis()
    );
    guests.stop().await
}

fn print(what: &str, pauses: &mut [Duration]) {
    let [p50, p99] = [50, 99].map(|percent| percentile(pauses, percent).as_micros());
    println!("{what:24} {p50:>9} µs {p99:>9} µs {:>8}", pauses.len());
}

/// A process that ends with its value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Three nodes with one actor each, and a component whose size is a custom section: it is transport and checks that are
/// measured, and little compilation.
fn deployment() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    for (name, secret) in [("cookie", "a cookie"), ("deploy.key", KEY)] {
        std::fs::write(folder.join(name), secret)?;
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(folder.join(name), private)?;
    }
    let mut new = component(2)?;
    pad(&mut new, COMPONENT_BYTES);
    std::fs::write(folder.join("new.wasm"), new)?;
    let mut nodes = Vec::new();
    for name in ["alpha", "beta", "gamma"] {
        std::fs::write(folder.join(format!("{name}.wasm")), component(1)?)?;
        nodes.push(node(folder, name)?);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("reload");
    for (_, address) in &nodes {
        command.args(["--node", address]);
    }
    command.current_dir(folder).env("RUST_LOG", "error");
    command.args("--cookie-file cookie --key-file deploy.key ballast --file new.wasm".split(' '));
    let began = Instant::now();
    let deployed = command.output()?;
    let took = began.elapsed();
    ensure!(
        deployed.status.success(),
        "the deployment failed: {}{}",
        String::from_utf8_lossy(&deployed.stdout),
        String::from_utf8_lossy(&deployed.stderr)
    );
    println!(
        "deployment of {COMPONENT_BYTES} bytes to {} nodes: {} ms",
        nodes.len(),
        took.as_millis()
    );
    Ok(())
}

/// Starts a node, and waits until it says where it listens.
fn node(folder: &Path, name: &str) -> anyhow::Result<(Running, String)> {
    let toml = format!(
        "[node]\nname = \"{name}\"\nlisten = \"127.0.0.1:0\"\ncookie_file = \"cookie\"\n\
         [control]\nkey_file = \"deploy.key\"\n[runtime]\nstate_dir = \"state-{name}\"\n\
         [modules.ballast]\npath = \"{name}.wasm\"\n\
         [[actors]]\nname = \"ballast\"\nmodule = \"ballast\"\narguments = \"u32:0\"\n"
    );
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, toml)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("run").arg(&file).env("RUST_LOG", "error");
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    let mut child = Running(command.stdout(Stdio::piped()).spawn()?);
    let stdout = child.0.stdout.take().context("a pipe was asked for")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line
        .trim_end()
        .rsplit_once("listen=")
        .context("the node did not start")?
        .1;
    Ok((child, address.to_owned()))
}

/// Makes a component as large as this, with a custom section that nobody reads.
fn pad(component: &mut Vec<u8>, bytes: usize) {
    const NAME: &[u8] = b"\x07padding";
    let mut left = bytes.saturating_sub(component.len() + NAME.len() + 6);
    // Not all the same, as code isn't either.
    let filler: Vec<u8> = (0..left).map(|at| ((at * 31) >> 3).to_le_bytes()[0]).collect();
    left += NAME.len();
    component.push(0);
    while left > 0x7f {
        component.push((left & 0x7f).to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    component.push(left.to_le_bytes()[0]);
    component.extend_from_slice(NAME);
    component.extend(filler);
}
