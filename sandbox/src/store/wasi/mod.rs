//! WASI 0.2 as guests get it: clocks, randomness, and output that becomes log lines; files, sockets, the environment and
//! HTTP as far as they are granted. No argument, no input.
//!
//! The interfaces are wasmtime's. What it has no hook for, so that a refusal could be told apart, is in `guard`.

mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod guard;
mod handles;
pub(super) mod http;
mod listing;
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

use super::data::StoreData;
use super::interface;
use super::interface_states::Opened;
use crate::accounting::family::Quota;
use crate::accounting::label::Label;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::component::interfaces::WASI;
use crate::policy::grants::{Access, Capability, Directory, Grants, Guarded};
use crate::policy::limits::{Limit, Limits};
use handles::Handles;
use http::{Client, Http};
use network::Network;
use output::Output;

/// The WASI side of one store.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    /// Given back when what is in the table has been freed.
    handles: Handles,
    network: Arc<Network>,
    /// Made at the first use.
    http: Option<Box<Http>>,
}

/// All of WASI but HTTP.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const {
            &[
                Import::new("wasi:cli/", WASI),
                Import::new("wasi:clocks/", WASI),
                Import::new("wasi:filesystem/", WASI),
                Import::new("wasi:io/", WASI),
                Import::new("wasi:random/", WASI),
                Import::new("wasi:sockets/", WASI),
            ]
        }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[
                CapabilityImport::new(
                    Capability::Directories,
                    "wasi:filesystem/preopens@",
                    &[],
                    Certainty::Imported,
                ),
                CapabilityImport::new(
                    Capability::Environment,
                    "wasi:cli/environment@",
                    &["get-environment"],
                    Certainty::Imported,
                ),
                CapabilityImport::new(
                    Capability::Tcp,
                    "wasi:sockets/tcp-create-socket@",
                    &[],
                    Certainty::Imported,
                ),
                CapabilityImport::new(
                    Capability::Udp,
                    "wasi:sockets/udp-create-socket@",
                    &[],
                    Certainty::Imported,
                ),
                CapabilityImport::new(
                    Capability::Dns,
                    "wasi:sockets/ip-name-lookup@",
                    &[],
                    Certainty::Imported,
                ),
            ]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        // wasmtime's first: of two functions the linker keeps the last. `guard` comes after `files`, some of whose
        // functions it wraps.
        wasmtime_wasi::p2::add_to_linker_async(linker)?;
        linker.allow_shadowing(true);
        files::add_to_linker(linker)?;
        guard::add_to_linker(linker)?;
        lookup::add_to_linker(linker)?;
        linker.allow_shadowing(false);
        Ok(())
    }
}

impl Wasi {
    fn new(label: &Label, limits: &Limits, grants: Arc<Grants>, guarded: &Guarded, quota: Option<Arc<Quota>>) -> Self {
        let mut table = ResourceTable::new();
        // No place that wasn't asked for: `Handles::provide` gives some before each function that could fill them.
        table.set_max_capacity(0);
        let handles = Handles::new(limits.handles, grants.directories.len(), quota);
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
        // Asked for each use of a socket and not only when it is made, because a socket may be used for any number of
        // peers.
        let check = network.clone();
        context.socket_addr_check(move |address, usage| {
            let allowed = check.allows(address, usage);
            Box::pin(async move { allowed })
        });
        Self {
            context: context.build(),
            table,
            handles,
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

impl StoreData {
    /// Opens the directories that are granted, if any are. A file system may hang, so that is work for a thread of the family; what
    /// it can't do is done when the guest first uses WASI.
    pub(crate) async fn open_directories(&mut self) {
        let grants = self.grants();
        let Ok(actor) = self.context() else { return };
        if grants.directories.is_empty() {
            return;
        }
        let Ok(lane) = actor.family.share().lane().await else {
            return;
        };
        let quota = Some(actor.family.quota().clone());
        let (label, limits, guarded) = (self.label.clone(), self.limits.clone(), self.guarded());
        let open = move || Wasi::new(&label, &limits, grants, &guarded, quota);
        let opened = lane.run(async { tokio::task::spawn_blocking(open).await });
        if let Ok(wasi) = opened.await {
            self.interfaces.put(Opened::of::<Interface>(wasi));
        }
    }

    /// Made at the first use: many guests never touch WASI.
    fn wasi(&mut self) -> &mut Wasi {
        if self.interfaces.peek::<Interface, Wasi>().is_none() {
            let (grants, guarded) = (self.grants(), self.guarded());
            let quota = self.context().ok().map(|actor| actor.family.quota().clone());
            let wasi = Wasi::new(&self.label, &self.limits, grants, &guarded, quota);
            self.interfaces.put(Opened::of::<Interface>(wasi));
        }
        match self.interfaces.of::<Interface, Wasi>() {
            Some(wasi) => wasi,
            None => unreachable!("it was put there"),
        }
    }

    /// As [`wasi`](Self::wasi), with room for what the function that asks may put into the table.
    fn wasi_with_room(&mut self) -> &mut Wasi {
        let wasi = self.wasi();
        wasi.handles.provide(&mut wasi.table);
        wasi
    }

    /// The limit that the guest has reached if there is no place for one more handle.
    pub(crate) fn limit_on_handles(&self) -> Limit {
        let wasi = self.interfaces.peek::<Interface, Wasi>();
        wasi.map_or(Limit::Handles(self.limits.handles), |wasi| wasi.handles.limit())
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Wasi { context, table, .. } = self.wasi_with_room();
        WasiCtxView { ctx: context, table }
    }
}

impl WasiHttpView for StoreData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let (grants, trust) = (self.grants(), self.http_trust());
        let (label, limits) = (self.label.clone(), self.limits.clone());
        let family = self.context().ok().map(|actor| actor.family.clone());
        let Wasi { table, http, .. } = self.wasi_with_room();
        let http = http.get_or_insert_with(|| {
            let client = Client::new(label, family, &limits, grants, trust);
            Box::new(Http::new(client, limits.http_header_bytes))
        });
        http.view(table)
    }
}
