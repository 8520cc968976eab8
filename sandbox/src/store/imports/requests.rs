//! `requests`: calls whose failure has a reason, and calls that the guest doesn't stand still for.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use super::recipients::NotSent;
use crate::component::bindings::messaging::SendError;
use crate::component::bindings::requests::{self, CallError, Mailbox};
use crate::component::bindings::types::Pid;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::policy::grants::Capability;
use crate::store::data::StoreData;
use crate::store::interface;

/// The interface `requests`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/requests", RELEASE)] }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Messages,
                "ractor:actor/requests@",
                &["call", "ask"],
                Certainty::Called,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        requests::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl requests::Host for StoreData {
    async fn call(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        self.call_actor(to, variant, args, timeout_ms).await
    }

    async fn ask(
        &mut self,
        _to: Pid,
        _variant: String,
        _args: Vec<u8>,
        _timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, CallError>> {
        Err(wasmtime::format_err!("`requests.ask` is not there yet"))
    }

    fn cancel(&mut self, _token: u64) -> wasmtime::Result<bool> {
        Err(wasmtime::format_err!("`requests.cancel` is not there yet"))
    }

    fn pending(&mut self, _mailbox: Mailbox) -> wasmtime::Result<()> {
        Err(wasmtime::format_err!("`requests.pending` is not there yet"))
    }
}

impl From<NotSent> for CallError {
    fn from(not_sent: NotSent) -> Self {
        match not_sent {
            NotSent::Unknown => Self::UnknownActor,
            NotSent::Denied => Self::Denied,
        }
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::UnknownActor => Self::UnknownActor,
            SendError::Stopped => Self::Stopped,
            SendError::TooLarge => Self::TooLarge,
            SendError::Timeout => Self::Timeout,
            SendError::NoReply => Self::NoReply,
            SendError::WouldDeadlock => Self::WouldDeadlock,
            SendError::Overloaded => Self::Overloaded,
            SendError::Denied => Self::Denied,
        }
    }
}
