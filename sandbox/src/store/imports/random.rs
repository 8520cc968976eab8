//! `random`: bytes that nobody can foresee.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::random;
use crate::component::imports::Import;
use crate::store::data::StoreData;
use crate::store::interface;

/// The number of bytes that a guest may ask for at once. WASI's interface has no such limit of its own; here a number that is
/// out of proportion is a fault of the guest's, and cheaper to refuse than to serve.
const LONGEST: usize = 65_536;

/// The interface `random`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/random", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        random::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

/// A guest asked for more random bytes than it may.
#[derive(Debug, thiserror::Error)]
#[error("the guest asked `random.bytes` for {0} bytes; ask for at most {LONGEST} at once")]
struct TooManyBytes(u32);

impl random::Host for StoreData {
    fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        // For actors alone, as every import: a description that is drawn by lot is none.
        self.context()?;
        let length = usize::try_from(count).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(wasmtime::Error::new(TooManyBytes(count)));
        }
        let mut bytes = vec![0; length];
        rand::fill(&mut bytes[..]);
        Ok(bytes)
    }
}
