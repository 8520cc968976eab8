//! WASI 0.2 as guests get it: clocks, randomness, and output that becomes log lines; files, sockets, the environment and
//! HTTP as far as they are granted. No argument, no input.
//!
//! The interfaces are wasmtime's. What it has no hook for, so that a refusal could be told apart, is in `guard`.

#[cfg(all(feature = "cli", any(test, feature = "fuzzing")))]
pub(super) mod fuzzing;
mod guard;
mod http;
mod lookup;
mod network;
mod output;
mod reach;

use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::grants::{Access, Directory, Grants};
use super::limits::Limits;
use super::state::{Label, State};
use http::Http;
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
    guard::add_to_linker(linker)?;
    lookup::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    http::add_to_linker(linker)
}

impl Wasi {
    fn new(label: &Label, limits: &Limits, grants: Arc<Grants>) -> Self {
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
            open(&mut context, directory, label);
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

/// A directory that has gone since the node started is missing to the guest, and the log says so.
fn open(context: &mut WasiCtxBuilder, directory: &Directory, label: &Label) {
    let access = match directory.access {
        Access::Read => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    };
    if let Err(error) = context.preopened_dir(&directory.host, &directory.guest, access)
        && label.log.allows()
    {
        tracing::warn!(
            actor = &*label.name,
            pid = label.pid,
            directory = %directory.host.display(),
            error = format!("{error:#}"),
            "a directory that is granted to the actor can't be opened"
        );
    }
}

impl State {
    fn wasi(&mut self) -> &mut Wasi {
        let grants = self.grants();
        let Self {
            wasi, label, limits, ..
        } = self;
        wasi.get_or_insert_with(|| Box::new(Wasi::new(label, limits, grants)))
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
        let Wasi { table, http, .. } = self.wasi();
        let http = http.get_or_insert_with(|| Box::new(Http::new(label, &limits, grants, trust)));
        http.view(table)
    }
}
