//! Bytes for a guest that find out where the guest's memory is while they are written into it.
//!
//! wasmtime has no question for the address of a component's memory. But whoever lowers a value has that memory at hand, and the traits for
//! lowering are public, although hidden in its documentation and meant for its macros. They may change with any release of wasmtime,
//! which is why wasmtime is pinned; then either this doesn't compile any more, or the address stays unknown.

#![expect(unsafe_code, reason = "the traits for values of components are unsafe to implement")]

use std::mem::MaybeUninit;
use std::sync::Arc;

use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LowerContext};
use wasmtime::component::{ComponentType, Lower};

use crate::accounting::instance_memory::InstanceMemory;

/// A `list<u8>`, and whose memory it goes to.
pub(super) struct Located<'a> {
    bytes: &'a [u8],
    memory: Option<Arc<InstanceMemory>>,
}

impl<'a> Located<'a> {
    pub(super) fn new(bytes: &'a [u8], memory: Option<Arc<InstanceMemory>>) -> Self {
        Self { bytes, memory }
    }

    fn locate<T>(&self, cx: &mut LowerContext<'_, T>) {
        if let Some(memory) = &self.memory {
            let main = cx.as_slice_mut();
            memory.locate(main.as_ptr().addr(), main.len());
        }
    }
}

// SAFETY: everything that wasmtime relies on is that of a slice of bytes.
unsafe impl ComponentType for Located<'_> {
    type Lower = <[u8] as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <[u8] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <[u8] as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: a slice of bytes writes itself, to where it is to go. What is done besides takes an address, and goes nowhere with it.
unsafe impl Lower for Located<'_> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> wasmtime::Result<()> {
        self.bytes.linear_lower_to_flat(cx, ty, dst)?;
        // After the guest has made room for the bytes, which its memory may have grown for.
        self.locate(cx);
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> wasmtime::Result<()> {
        self.bytes.linear_lower_to_memory(cx, ty, offset)?;
        self.locate(cx);
        Ok(())
    }
}
