//! `wasi:http`: requests to hosts that are granted. HTTP/1.1, over TLS with the certificates that the node trusts.
//!
//! The interface is wasmtime's; the requests are sent here, where grants and limits are known. A request ends with the
//! instance that sent it: all that belongs to it is in the instance's table of handles.

mod body;
mod client;
mod connect;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod slot;
mod target;
mod wait;

use std::sync::Arc;

use hyper::Request;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::error::Error as StreamError;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView as _,
};

use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::component::interfaces::WASI;
use crate::policy::grants::Capability;
use crate::store::data::StoreData;
use crate::store::interface;
use client::Sent;

pub(super) use client::Client;

const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";
const TYPES: &str = "wasi:http/types@0.2.12";

/// The most bytes that a guest hands over at once of a body that it sends, and that wait in the host until the connection
/// takes them. A guest can have as many bodies as handles, of requests that it never sends.
const CHUNK_BYTES: usize = 16 << 10;

/// The `wasi:http` side of one store.
pub(super) struct Http {
    context: WasiHttpCtx,
    hooks: Hooks,
}

struct Hooks {
    client: Arc<Client>,
    /// Why the request that was just asked for is not sent.
    refused: Option<ErrorCode>,
}

impl Http {
    /// Headers have `header_bytes` at most.
    pub(super) fn new(client: Client, header_bytes: usize) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(header_bytes);
        let hooks = Hooks {
            client: Arc::new(client),
            refused: None,
        };
        Self { context, hooks }
    }

    /// Why the request that was just asked for is not sent, if it isn't.
    pub(super) fn refused(&mut self) -> Option<ErrorCode> {
        self.hooks.refused.take()
    }

    pub(super) fn view<'a>(&'a mut self, table: &'a mut ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table,
            ctx: &mut self.context,
        }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let client = self.client.clone();
        match client.admit(request, options) {
            Ok(admitted) => Box::new(async move { client.send(admitted).await }),
            Err(code) => {
                self.refused = Some(code.clone());
                Box::new(std::future::ready(Err(code.into())))
            }
        }
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }
}

/// The interface `wasi:http`, as far as guests may have it: requests that they send.
pub(crate) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const {
            &[
                Import::new("wasi:http/outgoing-handler", WASI),
                Import::new("wasi:http/types", WASI),
            ]
        }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Http,
                "wasi:http/",
                &[],
                Certainty::Required,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        add_to_linker(linker)
    }
}

/// Adds the interface, and takes the place of wasmtime's functions that don't fit.
fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    type Handle = (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>);
    // First, because the linker takes the last of two functions; and shadowing is allowed for these few lines, so
    // that no other slips in.
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    linker.instance(HANDLER)?.func_wrap(
        "handle",
        |mut store: StoreContextMut<'_, StoreData>, (request, options): Handle| {
            let state = store.data_mut();
            // Before the request is handed on: from there it is sent without a further question.
            state.side_effect()?;
            Ok((handle(state, request, options)?,))
        },
    )?;
    linker.instance(TYPES)?.func_wrap(
        "http-error-code",
        |mut store: StoreContextMut<'_, StoreData>, (error,): (Resource<StreamError>,)| {
            let view = store.data_mut().http();
            let error = view.table.get(&error)?;
            Ok((error.downcast_ref::<Error>().and_then(failure::code_of_stream),))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Begins a request. What is refused is so at once, and not only when the response is asked for. What wasmtime would log for
/// each request that has no path or no host is told to the guest alone.
fn handle(
    state: &mut StoreData,
    request: Resource<HostOutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> wasmtime::Result<Result<Resource<HostFutureIncomingResponse>, ErrorCode>> {
    let mut view = state.http();
    let asked = view.table.get_mut(&request)?;
    // wasmtime logs an error where there is none, and a guest could fill the log with that.
    asked.path_with_query.get_or_insert_with(|| "/".to_owned());
    if asked.authority.as_deref().unwrap_or_default().is_empty() {
        view.table.delete(request)?;
        return Ok(Err(ErrorCode::HttpRequestUriInvalid));
    }
    let response = match view.handle(request, options) {
        Ok(response) => response,
        Err(error) => return error.downcast().map(Err),
    };
    let Some(code) = state.wasi().refused() else {
        return Ok(Ok(response));
    };
    // wasmtime has made a handle for the answer, which nobody will ask for.
    state.http().table.delete(response)?;
    Ok(Err(code))
}
