//! The host's view of the WIT world `guest-actor`, generated. The only file that knows how it is generated.

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "guest-actor",
        imports: {
            "ractor:actor/messaging.cast": async | trappable,
            "ractor:actor/messaging.call": async | trappable,
            "ractor:actor/registry.where-is": async | trappable,
            "ractor:actor/registry.address": async | trappable,
            "ractor:actor/registry.resolve": async | trappable,
            "ractor:actor/groups.join": async | trappable,
            "ractor:actor/groups.leave": async | trappable,
            "ractor:actor/groups.monitor": async | trappable,
            "ractor:actor/lifecycle.spawn": async | trappable,
            "ractor:actor/lifecycle.monitor": async | trappable,
            "ractor:actor/timers.send-after": async | trappable,
            "ractor:actor/timers.send-interval": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}

pub use generated::exports::ractor::actor::actor::{Descriptor, MessageVariant};
pub(crate) use generated::ractor::actor::{
    config, groups, identity, lifecycle, logging, messaging, registry, timers, types,
};
pub(crate) use generated::{GuestActor as World, GuestActorIndices as WorldIndices};

/// The interface that every actor exports.
pub(crate) const ACTOR_INTERFACE: &str = "ractor:actor/actor@0.1.0";
