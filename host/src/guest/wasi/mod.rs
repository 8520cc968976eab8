//! WASI 0.2 as guests get it: clocks, randomness, and output that becomes log lines; files, sockets, the environment and
//! HTTP as far as they are granted. No argument, no input.
//!
//! The interfaces are wasmtime's. What it has no hook for, so that a refusal could be told apart, is in `guard`.

mod files;
#[cfg(all(feature = "cli", any(test, feature = "fuzzing")))]
pub(super) mod fuzzing;
mod guard;
mod http;
mod lookup;
mod network;
mod output;
mod reach;
mod streams;

use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::grants::{Access, Directory, Grants, Guarded};
use super::limits::Limits;
use super::state::{Label, State};
use http::{Client, Http};
use network::Network;
use output::Output;

/// The WASI side of one store.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    network: Arc<Network>,
    /// Made at the first use.
    http: Option<Box<Http>>,
}

/// Adds WASI to the linker.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    files::add_to_linker(linker)?;
    guard::add_to_linker(linker)?;
    lookup::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    http::add_to_linker(linker)
}

impl Wasi {
    fn new(label: &Label, limits: &Limits, grants: Arc<Grants>, guarded: &Guarded) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut context = WasiCtx::builder();
        context
            .stdout(Output::new("stdout", label, limits))
            .stderr(Output::new("stderr", label, limits))
            .max_random_size(limits.message_bytes as u64)
            .allow_tcp(!grants.tcp.is_empty())
            .allow_udp(!grants.udp.is_empty());
        for (name, value) in grants.environment.iter() {
            context.env(name, value);
        }
        for directory in &grants.directories {
            open(&mut context, directory, guarded, label);
        }
        let network = Arc::new(Network::new(label.clone(), grants));
        let check = network.clone();
        context.socket_addr_check(move |address, usage| {
            let allowed = check.allows(address, usage);
            Box::pin(async move { allowed })
        });
        Self {
            context: context.build(),
            table,
            network,
            http: None,
        }
    }

    /// Why the HTTP request that was just asked for is not sent, if it isn't.
    fn refused(&mut self) -> Option<ErrorCode> {
        self.http.as_mut()?.refused()
    }
}

/// A directory that has gone since the node started, or that is something of the node's own by now, is missing to the guest, and the
/// log says so.
fn open(context: &mut WasiCtxBuilder, directory: &Directory, guarded: &Guarded, label: &Label) {
    let access = match directory.access {
        Access::Read => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    };
    let failed = match guarded.open(directory) {
        Ok(opened) => match context.preopened_dir(&opened.path, &directory.guest, access) {
            Ok(_) => return,
            Err(error) => format!("{error:#}"),
        },
        Err(error) => error.to_string(),
    };
    if label.log.allows() {
        tracing::warn!(
            actor = &*label.name,
            pid = label.pid,
            directory = %directory.host.display(),
            error = failed,
            "a directory that is granted to the actor can't be opened"
        );
    }
}

impl State {
    /// Opens the directories that are granted, if any are. A file system may hang, so that is work for a thread of the family; what
    /// it can't do is done when the guest first uses WASI.
    pub(super) async fn open_directories(&mut self) {
        let grants = self.grants();
        let Ok(actor) = self.myself() else { return };
        if grants.directories.is_empty() {
            return;
        }
        let Ok(lane) = actor.family.share().lane().await else {
            return;
        };
        let (label, limits, guarded) = (self.label.clone(), self.limits.clone(), self.guarded());
        let open = move || Box::new(Wasi::new(&label, &limits, grants, &guarded));
        let opened = lane.run(async { tokio::task::spawn_blocking(open).await });
        self.wasi = opened.await.ok();
    }

    fn wasi(&mut self) -> &mut Wasi {
        let (grants, guarded) = (self.grants(), self.guarded());
        let Self {
            wasi, label, limits, ..
        } = self;
        wasi.get_or_insert_with(|| Box::new(Wasi::new(label, limits, grants, &guarded)))
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Wasi { context, table, .. } = self.wasi();
        WasiCtxView { ctx: context, table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let (grants, trust) = (self.grants(), self.http_trust());
        let (label, limits) = (self.label.clone(), self.limits.clone());
        let family = self.myself().ok().map(|actor| actor.family.clone());
        let Wasi { table, http, .. } = self.wasi();
        let http = http.get_or_insert_with(|| {
            let client = Client::new(label, family, &limits, grants, trust);
            Box::new(Http::new(client, limits.http_header_bytes))
        });
        http.view(table)
    }
}
