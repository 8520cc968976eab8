//! How the host of a guest makes and understands addresses.

use crate::guest::ActorCell;
use crate::guest::bindings::ractor::actor::registry as host;

pub(crate) fn of(actor: &ActorCell) -> Option<Vec<u8>> {
    host::address(actor.get_id().into())
}

pub(crate) async fn resolve(address: Vec<u8>) -> Option<ActorCell> {
    host::resolve(&address).map(ActorCell::from_pid)
}
