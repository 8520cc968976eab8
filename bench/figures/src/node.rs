//! A node with two guests and a native actor, and what is done with it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use bench_load::scrape;
use counter::{Counter, CounterMsg};
use ractor::{ActorRef, call};
use ractor_host::Host;
use ractor_host::guest::{Passing, TracedGuest, Tracer};
use ractor_host::host::RunningHost;

/// The casts that are sent each time.
pub(crate) const CASTS: u64 = 100;

/// Whether the node has an admin HTTP, and with it a recorder of metrics.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admin {
    Off,
    On,
}

/// The actor that is sent to.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Guest,
    Native,
}

/// See the module.
pub(crate) struct BenchNode {
    host: RunningHost,
}

/// Sees what passes, and forgets it.
struct Forgets;

impl Tracer for Forgets {
    fn passed(&self, _: &Passing<'_>) {}
}

impl BenchNode {
    /// Starts it in this folder.
    pub(crate) async fn start(admin: Admin, component: &Path, folder: &Path) -> anyhow::Result<Self> {
        let cookie = folder.join("cookie");
        fs::write(&cookie, "the cookie of the benchmark")?;
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o600))?;
        let table = match admin {
            Admin::Off => "",
            Admin::On => "[admin]\nlisten = \"127.0.0.1:0\"\n",
        };
        let guest =
            |name: &str| format!("[[actors]]\nname = \"{name}\"\nmodule = \"counter\"\narguments = \"u64:0\"\n");
        let text = format!(
            "[node]\nname = \"figures\"\nlisten = \"127.0.0.1:0\"\ncookie_file = \"cookie\"\n\
             [runtime]\nmax_guests = 4\ncache_dir = \"cache\"\n{table}[modules.counter]\npath = {component:?}\n{}{}\
             [[actors]]\nname = \"native\"\nnative = \"counter\"\narguments = \"u64:0\"\n",
            guest("guest"),
            guest("other"),
        );
        let file = folder.join("node.toml");
        fs::write(&file, text)?;
        let builder = Host::builder().native("counter", Counter::default);
        let config = builder.config(&file)?;
        let host = builder.start(config).await?;
        ensure!(host.admin_addr().is_some() == (admin == Admin::On), "the admin HTTP");
        Ok(Self { host })
    }

    /// Sends casts to an actor, and waits until each is handled before the next: the way of a single message.
    pub(crate) async fn casts(&self, kind: Kind, times: u64) -> anyhow::Result<()> {
        let name = match kind {
            Kind::Guest => "guest",
            Kind::Native => "native",
        };
        let started = self.host.actors().iter().find(|actor| actor.name == name);
        let actor: ActorRef<CounterMsg> = started.context("the actor")?.cell.clone().into();
        for _ in 0..times * CASTS {
            actor.cast(CounterMsg::Add(1))?;
            // On the one thread that there is: the actor runs until it waits.
            tokio::task::yield_now().await;
        }
        let count = call!(actor, CounterMsg::Get)?;
        ensure!(count == times * CASTS, "{count} of {} casts came", times * CASTS);
        Ok(())
    }

    /// Traces the guest that nothing is sent to.
    pub(crate) fn trace_other(&self) -> anyhow::Result<TracedGuest> {
        let guests = self.host.modules().guests("counter");
        let other = guests.iter().find(|guest| guest.name().as_deref() == Some("other"));
        Ok(other.context("the other guest")?.trace(Arc::new(Forgets)))
    }

    /// Reads all metrics, as a Prometheus server does.
    pub(crate) async fn scrape(&self) -> anyhow::Result<()> {
        let address: SocketAddr = self.host.admin_addr().context("there is no admin HTTP")?;
        let answer = scrape(address).await?;
        ensure!(answer.contains("ractor_host_guest_messages_total"), "{answer}");
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.host.shutdown().await;
    }
}
