//! The two nodes of the shop and their database: how they are started, killed and stopped.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use postgres_server::Server;

use super::doors::{Call, Caller, Door};
use crate::demo::node::Node;
use crate::demo::{secret, stay};
use crate::process;

/// The file with what it takes to call actors by the admin HTTP.
const TOKEN: &str = "token";
/// The time in which orders are to be paid here, in seconds: more than a crash takes, and less than the patience of who looks at a demo.
pub(super) const PAY_WITHIN_S: u64 = 20;
/// The longest time for a node to join its cluster.
const JOIN_LIMIT: Duration = Duration::from_secs(60);

/// Which node.
#[derive(Clone, Copy)]
pub(super) enum At {
    Alpha,
    Beta,
}

/// Both of them.
pub(super) struct Nodes {
    // In the order in which they end: the database last.
    alpha: Site,
    beta: Site,
    stage: Stage,
}

/// A node, whether it runs or not.
struct Site {
    name: &'static str,
    /// Where other nodes reach it, in each of its lives.
    port: u16,
    lives: u32,
    node: Option<Node>,
}

/// What nodes are made of.
struct Stage {
    folder: PathBuf,
    /// Kept from one run to the next: what was compiled, and the key that marks it as compiled here.
    cache: PathBuf,
    cache_key: PathBuf,
    program: PathBuf,
    guests: PathBuf,
    database: Server,
}

impl Nodes {
    /// Puts the files of the nodes into a fresh folder.
    pub(super) fn prepare(
        example: &Path,
        folder: &Path,
        program: &Path,
        guests: &Path,
        database: Server,
    ) -> Result<Self> {
        let run = folder.join("run");
        if run.exists() {
            fs::remove_dir_all(&run).with_context(|| format!("cannot clear {}", run.display()))?;
        }
        fs::create_dir_all(&run).with_context(|| format!("cannot create {}", run.display()))?;
        for file in ["shop.toml", "alpha.toml", "beta.toml"] {
            fs::copy(example.join(file), run.join(file)).with_context(|| format!("cannot copy {file}"))?;
        }
        secret::write(&run.join("cookie"))?;
        secret::write(&run.join(TOKEN))?;
        Ok(Self {
            alpha: Site::new("alpha")?,
            beta: Site::new("beta")?,
            stage: Stage {
                folder: run,
                cache: folder.join("cache"),
                cache_key: folder.join("cache.key"),
                program: program.to_owned(),
                guests: guests.to_owned(),
                database,
            },
        })
    }

    /// Starts a node, for the first time or again, and waits until it has joined the other one and knows where entities are.
    pub(super) fn start(&mut self, at: At) -> Result<()> {
        let (site, stage) = match at {
            At::Alpha => (&mut self.alpha, &self.stage),
            At::Beta => (&mut self.beta, &self.stage),
        };
        site.lives += 1;
        let mut command = Command::new(&stage.program);
        command
            .arg("run")
            .arg(format!("{}.toml", site.name))
            .current_dir(&stage.folder)
            .env("DATABASE_URL", stage.database.url("postgres", "postgres"));
        for setting in stage.settings(site) {
            command.args(["--set", &setting]);
        }
        // Each life has a log of its own.
        let logs = stage.folder.join(format!("{}-{}.toml", site.name, site.lives));
        site.node = Some(Node::start(site.name, command, &logs)?);
        let (door, caller) = (self.door(at)?, Caller::new());
        let look = Call::new("stock/tea", "Level").typed(&[], "str");
        let mut last = None;
        process::poll(JOIN_LIMIT, || {
            let answer = caller.call(&door, &look);
            Ok(answer.map_err(|error| last = Some(error)).ok())
        })
        .map_err(|error| last.unwrap_or(error))
        .with_context(|| format!("{} doesn't join its cluster", door.name()))
        .map(drop)
    }

    /// Ends a node as the power does.
    pub(super) fn kill(&mut self, at: At) -> Result<()> {
        self.site(at).running()?.kill();
        Ok(())
    }

    /// Stops a node as an operator would.
    pub(super) fn stop(&mut self, at: At) -> Result<()> {
        self.site(at).running()?.stop().map(drop)
    }

    /// Where a node takes calls.
    pub(super) fn door(&mut self, at: At) -> Result<Door> {
        let token = fs::read_to_string(self.stage.folder.join(TOKEN)).context("cannot read the token")?;
        let site = self.site(at);
        let name = site.name;
        Ok(Door::new(name, site.running()?.admin()?, &token))
    }

    /// The ends of both logs.
    pub(super) fn log_tails(&self) -> String {
        let nodes = [&self.alpha, &self.beta]
            .into_iter()
            .filter_map(|site| site.node.as_ref());
        nodes.map(Node::log_tail).collect::<Vec<_>>().join("\n\n")
    }

    /// Waits until somebody who looks at the nodes wants to stop.
    pub(super) fn stay(&mut self) -> Result<()> {
        let token = self.stage.folder.join(TOKEN);
        stay::stay(&mut [self.alpha.running()?, self.beta.running()?], &token)
    }

    fn site(&mut self, at: At) -> &mut Site {
        match at {
            At::Alpha => &mut self.alpha,
            At::Beta => &mut self.beta,
        }
    }
}

impl Site {
    fn new(name: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        Ok(Self {
            name,
            port: listener.local_addr()?.port(),
            lives: 0,
            node: None,
        })
    }

    fn running(&mut self) -> Result<&mut Node> {
        let name = self.name;
        self.node
            .as_mut()
            .with_context(|| format!("node {name} was never started"))
    }
}

impl Stage {
    /// What differs from the files of the example: ports that nobody else has, and places within the target folder.
    fn settings(&self, site: &Site) -> [String; 9] {
        let address = format!("127.0.0.1:{}", site.port);
        let guest = |name: &str| self.guests.join(format!("shop_{name}.wasm"));
        [
            format!("node.listen={address:?}"),
            format!("cluster.advertise={address:?}"),
            "admin.listen=\"127.0.0.1:0\"".to_owned(),
            format!("runtime.state_dir={:?}", self.folder.join("state").join(site.name)),
            format!("runtime.cache_dir={:?}", self.cache),
            format!("runtime.cache_key_file={:?}", self.cache_key),
            format!("modules.cart.path={:?}", guest("cart")),
            format!("modules.order.path={:?}", guest("order")),
            format!("entities.order.config.pay_within_s={PAY_WITHIN_S}"),
        ]
    }
}
