//! The two nodes of the shop, and how one talks to their actors.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::checkout::Checkout;
use crate::demo::node::Node;
use crate::demo::secret;
use crate::demo::stay;
use crate::process::{self, Run};

/// The longest time for the nodes to hear of each other's actors.
const PATIENCE: Duration = Duration::from_secs(60);

/// The file with what it takes to change a node from its dashboard.
const TOKEN: &str = "token";

/// An open shop.
pub(super) struct Shop {
    // In the order in which they close: the one that dialled first.
    core: Node,
    edge: Node,
    folder: PathBuf,
    host: PathBuf,
    orders: String,
}

impl Shop {
    /// Starts both nodes in a fresh copy of the example, on ports that the system chooses.
    pub(super) fn open(checkout: &Checkout, folder: &Path) -> Result<Self> {
        secret::write(&folder.join("cookie"))?;
        secret::write(&folder.join(TOKEN))?;
        let node = |name, program: PathBuf, verb: &str, settings: &[String]| {
            let file = format!("{name}.toml");
            let mut command = Command::new(program);
            command.args([verb, &file]).current_dir(folder);
            command.envs(checkout.variables());
            for setting in settings.iter().chain(&own_settings(checkout, folder, name)) {
                command.args(["--set", setting]);
            }
            Node::start(name, command, &folder.join(file))
        };
        let edge = [
            "node.listen=\"127.0.0.1:0\"".to_owned(),
            "actors.gateway.arguments=\"str:127.0.0.1:0\"".to_owned(),
        ];
        let edge = node("edge", checkout.edge(), "run", &edge)?;
        let core = [
            "node.listen=\"127.0.0.1:0\"".to_owned(),
            format!("node.peers=[\"{}\"]", edge.address()),
        ];
        let core = node("core", checkout.host(), "dev", &core)?;
        let mut this = Self {
            core,
            edge,
            folder: folder.to_owned(),
            host: checkout.host(),
            orders: String::new(),
        };
        this.orders = this.call(At::Edge, "gateway", &["Address", "--reply", "str"])?;
        process::poll(PATIENCE, || {
            let ready = this.call(At::Edge, "gateway", &["Ready", "--reply", "bool"])?;
            Ok((ready == "true").then_some(()))
        })
        .context("the edge doesn't see the desk")
        .map_err(|error| anyhow!("{error:#}\n\n{}", this.log_tails()))?;
        Ok(this)
    }

    /// `host:port` to which orders go.
    pub(super) fn orders(&self) -> &str {
        &self.orders
    }

    /// The folder with the example as it runs.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `ractor-host call` prints.
    pub(super) fn call(&self, at: At, actor: &str, rest: &[&str]) -> Result<String> {
        let node = match at {
            At::Edge => &self.edge,
            At::Core => &self.core,
        };
        let answer = Run::new(&self.host)
            .args(["call", "--node", node.address(), "--cookie-file", "cookie"])
            .args(["--timeout", "60s", actor])
            .args(rest)
            .within(&self.folder)
            .limit_minutes(2)
            .capture()?;
        Ok(answer.trim().to_owned())
    }

    /// A number that an actor replies with.
    pub(super) fn number(&self, at: At, actor: &str, rest: &[&str]) -> Result<u64> {
        let answer = self.call(at, actor, rest)?;
        answer
            .parse()
            .with_context(|| format!("`{answer}`, the answer of {actor}, is no number"))
    }

    /// The first line that the node at the edge logged, or will, with this in it.
    pub(super) fn logged(&self, text: &str) -> Result<String> {
        let line = || {
            Ok(self
                .edge
                .log()
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned))
        };
        process::poll(PATIENCE, line).with_context(|| format!("no line of the log has `{text}`"))
    }

    /// The lines in which the core said what it did with changed sources.
    pub(super) fn core_said(&self) -> String {
        self.core.said()
    }

    /// The ends of both logs.
    pub(super) fn log_tails(&self) -> String {
        format!("{}\n\n{}", self.edge.log_tail(), self.core.log_tail())
    }

    /// Waits until somebody who looks at the nodes wants to stop.
    pub(super) fn stay(&mut self) -> Result<()> {
        stay::stay(&mut [&mut self.core, &mut self.edge], &self.folder.join(TOKEN))
    }

    /// Stops both nodes as an operator would.
    pub(super) fn close(&mut self) -> Result<()> {
        self.core.stop()?;
        self.edge.stop()?;
        Ok(())
    }
}

/// Which node.
#[derive(Clone, Copy)]
pub(super) enum At {
    Edge,
    Core,
}

/// What every node of the demo has besides: files of its own within the folder of the demo, what is compiled from one run to the next, and a
/// dashboard.
fn own_settings(checkout: &Checkout, folder: &Path, name: &str) -> [String; 6] {
    [
        format!("runtime.cache_dir={:?}", checkout.cache()),
        // Each run compiles an edited scorer anew.
        "runtime.cache_bytes=\"512MiB\"".to_owned(),
        format!("runtime.cache_key_file={:?}", checkout.cache_key()),
        format!("runtime.state_dir={:?}", folder.join("state").join(name)),
        "admin.listen=\"127.0.0.1:0\"".to_owned(),
        format!("admin.deploy_token_file={:?}", folder.join(TOKEN)),
    ]
}
