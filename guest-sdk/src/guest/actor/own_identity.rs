//! Which actor this component is.

use std::cell::OnceCell;
use std::sync::Arc;

use super::actor_id::ActorId;
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
    OWN.with(|own| {
        own.get_or_init(|| Identity {
            id: identity::self_pid().into(),
            name: identity::self_name().map(Arc::from),
        })
        .clone()
    })
}
