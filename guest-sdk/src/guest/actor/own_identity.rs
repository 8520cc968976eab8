//! Which actor this component is.

use std::cell::OnceCell;
use std::sync::Arc;

use super::actor_id::ActorId;
#[cfg(target_family = "wasm")]
use crate::guest::bindings::ractor::actor::identity;

/// An actor's id, and its name if it has one.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) id: ActorId,
    pub(crate) name: Option<Arc<str>>,
}

thread_local! {
    static OWN: OnceCell<Identity> = const { OnceCell::new() };
}

/// Those of this actor, which the host is asked for once.
pub(crate) fn own_identity() -> Identity {
    OWN.with(|own| own.get_or_init(ask).clone())
}

#[cfg(target_family = "wasm")]
fn ask() -> Identity {
    Identity {
        id: identity::self_pid().into(),
        name: identity::self_name().map(Arc::from),
    }
}

/// Of the actors in the tests of this crate.
#[cfg(not(target_family = "wasm"))]
fn ask() -> Identity {
    Identity {
        id: ActorId::Local(1),
        name: Some(Arc::from("me")),
    }
}
