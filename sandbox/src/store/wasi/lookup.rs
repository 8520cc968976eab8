//! `wasi:sockets/ip-name-lookup`: names that are granted, looked up one at a time, and what came of it remembered.
//!
//! In place of wasmtime's, which looks up everything or nothing and doesn't say what it has found.

use std::collections::VecDeque;
use std::net::IpAddr;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, Network as NetworkHandle};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::network::MOST_ADDRESSES;
use crate::accounting::pools::NoAddress;
use crate::accounting::telemetry;
use crate::policy::denied::Denied;
use crate::store::data::StoreData;

const INTERFACE: &str = "wasi:sockets/ip-name-lookup@0.2.12";

/// What is left of the addresses of a name.
struct Addresses(VecDeque<IpAddr>);

#[wasmtime_wasi::async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {}
}

type LookUp = Result<Resource<Addresses>, ErrorCode>;
type Next = Result<Option<IpAddress>, ErrorCode>;

pub(super) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.resource(
        "resolve-address-stream",
        ResourceType::host::<Addresses>(),
        |mut store, handle| {
            let handle = Resource::<Addresses>::new_own(handle);
            store.data_mut().ctx().table.delete(handle)?;
            Ok(())
        },
    )?;
    interface.func_wrap_async(
        "resolve-addresses",
        |store: StoreContextMut<'_, StoreData>, (_, name): (Resource<NetworkHandle>, String)| {
            Box::new(async move { Ok((look_up(store, name).await?,)) })
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store: StoreContextMut<'_, StoreData>, (handle,): (Resource<Addresses>,)| {
            let addresses = store.data_mut().ctx().table.get_mut(&handle)?;
            let next: Next = Ok(addresses.0.pop_front().map(IpAddress::from));
            Ok((next,))
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: StoreContextMut<'_, StoreData>, (handle,): (Resource<Addresses>,)| {
            let pollable: Resource<DynPollable> = subscribe(store.data_mut().ctx().table, handle)?;
            Ok((pollable,))
        },
    )
}

async fn look_up(mut store: StoreContextMut<'_, StoreData>, name: String) -> wasmtime::Result<LookUp> {
    let state = store.data_mut();
    let addresses = match name.parse::<IpAddr>() {
        // Neither asked about nor noted: an address is held against the grants when it is used.
        Ok(address) => vec![address.to_canonical()],
        Err(_) => {
            let network = state.wasi().network.clone();
            if !network.grants.may_look_up(&name) {
                telemetry::denied(&network.label, Denied::Dns(&name));
                return Ok(Err(ErrorCode::AccessDenied));
            }
            // One name in one spelling, or a guest would fill the table of names with spellings of the same.
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let family = state.context()?.family.clone();
            match family.share().look_up(&name).await {
                Ok(found) => {
                    let addresses: Vec<_> = found.iter().map(IpAddr::to_canonical).take(MOST_ADDRESSES).collect();
                    // Before the guest sees them: from the first use on they are what the name stands for.
                    network.found(&name, addresses.clone());
                    addresses
                }
                Err(error) => {
                    tracing::debug!(name, %error, "a guest's look-up failed");
                    return Ok(Err(code_of(&error)));
                }
            }
        }
    };
    Ok(Ok(state.ctx().table.push(Addresses(addresses.into()))?))
}

fn code_of(error: &NoAddress) -> ErrorCode {
    match error {
        NoAddress::Unknown => ErrorCode::NameUnresolvable,
        NoAddress::NoAnswer(_) | NoAddress::TimedOut | NoAddress::NoPlace => ErrorCode::TemporaryResolverFailure,
    }
}
