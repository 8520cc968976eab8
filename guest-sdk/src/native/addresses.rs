//! How the addresses of this process are made and understood.

use std::pin::Pin;
use std::sync::OnceLock;

use ractor::registry::where_is_pid;
use ractor::{ActorCell, ActorId};

static INSTALLED: OnceLock<Box<dyn Addresses>> = OnceLock::new();

/// Addresses as a node makes and understands them. A program around `ractor-host` hands those of its library in:
///
/// ```ignore
/// use ractor::BytesConvertable as _;
///
/// struct OfTheNode;
///
/// impl ractor::address::Addresses for OfTheNode {
///     fn of(&self, actor: &ActorCell) -> Option<Vec<u8>> {
///         ractor_host::ActorAddress::of(actor).map(|address| address.into_bytes())
///     }
///
///     fn resolve(&self, address: Vec<u8>) -> Pin<Box<dyn Future<Output = Option<ActorCell>> + Send>> {
///         Box::pin(async move { ractor_host::ActorAddress::try_from_bytes(&address)?.resolve().await })
///     }
/// }
/// ```
pub trait Addresses: Send + Sync + 'static {
    /// The bytes that mean this actor.
    fn of(&self, actor: &ActorCell) -> Option<Vec<u8>>;

    /// The actor that these bytes mean.
    fn resolve(&self, address: Vec<u8>) -> Pin<Box<dyn Future<Output = Option<ActorCell>> + Send>>;
}

/// Says how the addresses of this process are made, once: what comes later has no effect. Only natively.
pub fn install(addresses: impl Addresses) {
    INSTALLED.get_or_init(|| Box::new(addresses));
}

pub(crate) fn of(actor: &ActorCell) -> Option<Vec<u8>> {
    match INSTALLED.get() {
        Some(addresses) => addresses.of(actor),
        None => {
            let living = where_is_pid(actor.get_id())?;
            Some(of_this_process(living.get_id().pid()))
        }
    }
}

pub(crate) async fn resolve(address: Vec<u8>) -> Option<ActorCell> {
    match INSTALLED.get() {
        Some(addresses) => addresses.resolve(address).await,
        None => {
            let (pid, _) = address.split_first_chunk()?;
            let pid = u64::from_be_bytes(*pid);
            (of_this_process(pid) == address).then(|| where_is_pid(ActorId::Local(pid)))?
        }
    }
}

/// In the bytes of `ractor_host::ActorAddress`: the pid, no incarnation, a node without a name, no name.
fn of_this_process(pid: u64) -> Vec<u8> {
    [&pid.to_be_bytes()[..], &[0; 8 + 8 + 1]].concat()
}
