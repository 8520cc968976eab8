//! The interface `acme:key-value/store`, as this program implements it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::ActorCell;
use ractor_host::guest::wasmtime::component::Linker;
use ractor_host::guest::{Caller, HostInterface, Import, Offered, StoreData, wasmtime};
use serde::Deserialize;

mod bindings {
    #![allow(missing_docs, reason = "generated: wit/ has the documentation")]

    ractor_host::guest::wasmtime::component::bindgen!({
        path: "wit",
        world: "client",
        wasmtime_crate: ractor_host::guest::wasmtime,
        imports: { default: trappable },
    });
}

use bindings::acme::key_value::store::{self, Refused};

/// The names that all guests have together, at most. What a guest says must never take more than a bounded part of the host.
const MOST_NAMES: usize = 100_000;

/// The longest name, in bytes.
const NAME_BYTES: usize = 256;

type Numbers = Arc<Mutex<HashMap<String, u64>>>;

/// The store that all guests of this node share.
#[derive(Default)]
pub(crate) struct KeyValue {
    numbers: Numbers,
}

/// `[actors.interfaces.key-value]`: what one actor may do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Access {
    /// Names begin with this, whatever the guest calls them.
    prefix: String,
    /// Whether it may only read.
    read_only: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            read_only: true,
        }
    }
}

/// What one instance has.
pub(crate) struct Open {
    numbers: Numbers,
    prefix: String,
    read_only: bool,
}

impl HostInterface for KeyValue {
    const KEY: &'static str = "key-value";
    const IMPORTS: &'static [Import] = &[Import::new("acme:key-value/store", "0.1")];
    type Config = Access;
    type State = Open;

    fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        store::add_to_linker::<_, Offered<Self>>(linker, Offered::get)
    }

    fn open(&self, access: &Access, _: &ActorCell) -> Result<Open, String> {
        Ok(Open {
            numbers: self.numbers.clone(),
            prefix: access.prefix.clone(),
            read_only: access.read_only,
        })
    }
}

impl store::Host for Caller<'_, KeyValue> {
    fn get(&mut self, name: String) -> wasmtime::Result<u64> {
        let open = self.state()?;
        let name = full_name(open, &name)?;
        Ok(open.numbers.lock().get(&name).copied().unwrap_or_default())
    }

    fn add(&mut self, name: String, by: u64) -> wasmtime::Result<Result<u64, Refused>> {
        // Others can notice it, so it must not happen twice if new code fails and the old code gets the message again.
        self.side_effect()?;
        let open = self.state()?;
        if open.read_only {
            return Ok(Err(Refused::ReadOnly));
        }
        let name = full_name(open, &name)?;
        let mut numbers = open.numbers.lock();
        if numbers.len() >= MOST_NAMES && !numbers.contains_key(&name) {
            return Ok(Err(Refused::Full));
        }
        let number = numbers.entry(name).or_default();
        *number = number.saturating_add(by);
        Ok(Ok(*number))
    }
}

/// The name that all guests know it by. A guest with a name that is too long traps.
fn full_name(open: &Open, name: &str) -> wasmtime::Result<String> {
    if name.len() > NAME_BYTES {
        return Err(wasmtime::format_err!("a name may have {NAME_BYTES} bytes at most"));
    }
    Ok(format!("{}{name}", open.prefix))
}
