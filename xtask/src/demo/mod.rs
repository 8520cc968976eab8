//! `cargo xtask demo`: two nodes, native and WebAssembly actors on them, and every kind of conversation between them.
//! `cargo xtask demo polyglot` is another one, with actors in four languages, and `cargo xtask demo shop` one with entities.

mod node;
mod polyglot;
mod secret;
mod shop;
mod stay;
mod story;
mod transcript;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;

use self::node::Node;
pub(crate) use self::stay::Afterwards;
use self::story::Cli;
use crate::guests;
use crate::programs::{self, EMBEDDING, HOST};
use crate::report;
use crate::suites::{GUESTS_VARIABLE, PROGRAMS_VARIABLE};
use crate::workspace::Workspace;

/// Which demo.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Demo {
    /// Counters, native and in WebAssembly, that call each other
    Counters,
    /// examples/polyglot: a shop in native Rust, sandboxed Rust, Python and TypeScript, edited while orders come in
    Polyglot,
    /// examples/shop: carts, stock and orders as entities on two nodes and PostgreSQL, one of which is killed under load
    Shop,
}

/// Builds what a demo needs, then plays it.
///
/// # Errors
/// Something doesn't build, a node doesn't start or stop, or an answer is not the right one.
pub(crate) fn run(workspace: &Workspace, demo: Demo, afterwards: Afterwards) -> Result<()> {
    match demo {
        Demo::Counters => counters(workspace, afterwards),
        Demo::Polyglot => polyglot::run(workspace, afterwards),
        Demo::Shop => shop::run(workspace, afterwards),
    }
}

fn counters(workspace: &Workspace, afterwards: Afterwards) -> Result<()> {
    let guests = built(GUESTS_VARIABLE, || guests::build(workspace))?;
    let programs = built(PROGRAMS_VARIABLE, || {
        report::note("next: the two node programs, which takes minutes the first time");
        programs::build(workspace, [HOST, EMBEDDING])
    })?;
    play(&Stage::prepare(workspace, &guests, programs)?, afterwards)
}

/// The folder that a variable names, as in a run of the tests, which has built everything; otherwise what is built now.
fn built(variable: &str, build: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
    env::var_os(variable).map_or_else(build, |folder| Ok(folder.into()))
}

fn play(stage: &Stage, afterwards: Afterwards) -> Result<()> {
    report::step("start node alpha: a native counter and a WebAssembly counter");
    let mut alpha = stage.start("alpha", EMBEDDING, &alpha_toml())?;
    report::note(&format!("alpha is ready at {}", alpha.address()));

    report::step("start node beta: the same WebAssembly file, and alpha as its peer");
    let mut beta = stage.start("beta", HOST, &beta_toml(alpha.address()))?;
    report::note(&format!("beta is ready at {}", beta.address()));

    let cli = Cli::new(stage.program(HOST), stage.cookie());
    story::tell(&cli, alpha.address(), beta.address())
        .map_err(|error| anyhow!("{error:#}\n\n{}\n\n{}", alpha.log_tail(), beta.log_tail()))?;

    if afterwards == Afterwards::Stay {
        stay::stay(&mut [&mut alpha, &mut beta], &stage.token())?;
    }
    report::step("stop both nodes in order");
    // beta first: the one that dialled.
    for node in [&mut beta, &mut alpha] {
        let status = node.stop()?;
        report::note(&format!("{} ended with {status}", node.name()));
    }
    report::step("done");
    report::note(&format!(
        "node.toml files, logs and the cookie are in {}",
        stage.folder.display()
    ));
    Ok(())
}

/// The folder with everything that the two nodes read and write.
struct Stage {
    folder: PathBuf,
    programs: PathBuf,
}

impl Stage {
    fn prepare(workspace: &Workspace, guests: &Path, programs: PathBuf) -> Result<Self> {
        let folder = workspace.target().join("demo");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let component = guests.join("counter.wasm");
        fs::copy(&component, folder.join("counter.wasm"))
            .with_context(|| format!("cannot copy {}", component.display()))?;
        let stage = Self { folder, programs };
        secret::write(&stage.cookie())?;
        secret::write(&stage.token())?;
        Ok(stage)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn cookie(&self) -> PathBuf {
        self.folder.join("cookie")
    }

    /// What it takes to change a node from its dashboard.
    fn token(&self) -> PathBuf {
        self.folder.join("token")
    }

    /// Starts a node with this node.toml.
    fn start(&self, name: &'static str, program: &str, toml: &str) -> Result<Node> {
        let file = self.write(name, toml)?;
        let mut command = Command::new(self.program(program));
        command.arg("run").arg(&file);
        Node::start(name, command, &file)
    }

    fn write(&self, node: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("{node}.toml"));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn alpha_toml() -> String {
    r#"[node]
name = "alpha"
listen = "127.0.0.1:0"
cookie_file = "cookie"

[admin]
listen = "127.0.0.1:0"
deploy_token_file = "token"

[runtime]
cache_dir = "cache"
cache_key_file = "cache.key"

[modules.counter]
path = "counter.wasm"

[[actors]]
name = "native-alpha"
native = "counter"
groups = ["native-alpha", "counters"]
arguments = "u64:1"

[[actors]]
name = "wasm-alpha"
module = "counter"
groups = ["wasm-alpha", "counters"]
arguments = "u64:20"

[actors.capabilities]
messages = ["group:wasm-beta"]
"#
    .to_owned()
}

fn beta_toml(peer: &str) -> String {
    format!(
        r#"[node]
name = "beta"
listen = "127.0.0.1:0"
cookie_file = "cookie"
peers = ["{peer}"]

[admin]
listen = "127.0.0.1:0"
deploy_token_file = "token"

[runtime]
cache_dir = "cache"
cache_key_file = "cache.key"

[modules.counter]
path = "counter.wasm"

[[actors]]
name = "wasm-beta"
module = "counter"
groups = ["wasm-beta", "counters"]
arguments = "u64:300"

[actors.capabilities]
messages = ["group:counters", "group:native-alpha"]
"#
    )
}
