//! The host's view of the WIT, generated: every import, and the exports that all actors have. The only file that knows how it is
//! generated. Exports that an actor may leave out are looked up in `instance`.

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "package ractor:host; world imports { include ractor:actor/guest-actor@0.1.0; import ractor:actor/requests@0.1.0; \
                 import ractor:actor/random@0.1.0; import ractor:actor/entities@0.1.0; import ractor:actor/reminders@0.1.0; \
                 import ractor:actor/source@0.1.0; \
                 import ractor:actor/tracing@0.1.0; }",
        world: "ractor:host/imports",
        imports: {
            "ractor:actor/messaging.cast": async | trappable,
            "ractor:actor/messaging.call": async | trappable,
            "ractor:actor/requests.call": async | trappable,
            "ractor:actor/requests.ask": async | trappable,
            "ractor:actor/entities.cast": async | trappable,
            "ractor:actor/entities.call": async | trappable,
            "ractor:actor/entities.ask": async | trappable,
            "ractor:actor/entities.call-keyed": async | trappable,
            "ractor:actor/entities.ask-keyed": async | trappable,
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

/// Calls whose failure has a reason. On its own, because an actor may leave it out.
mod calling {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "package ractor:calling; world calling { export ractor:actor/calls@0.1.0; }",
        world: "ractor:calling/calling",
        exports: { default: async },
    });
}

/// What an actor waits for without standing still. On its own for the same reason.
mod replying {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "package ractor:replying; world replying { export ractor:actor/replies@0.1.0; }",
        world: "ractor:replying/replying",
        with: {
            "ractor:actor/types@0.1.0": super::generated::ractor::actor::types,
            "ractor:actor/requests@0.1.0": super::generated::ractor::actor::requests,
        },
        exports: { default: async },
    });
}

pub(crate) use calling::exports::ractor::actor::calls::Outcome as CallOutcome;
pub(crate) use calling::{Calling as Calls, CallingIndices as CallsIndices};
pub(crate) use generated::exports::ractor::actor::actor::{Descriptor, MessageVariant};
pub(crate) use generated::ractor::actor::{
    config, entities, groups, identity, lifecycle, logging, messaging, random, registry, reminders, requests, source,
    timers, tracing, types,
};
pub(crate) use generated::{Imports as World, ImportsIndices as WorldIndices};
pub(crate) use replying::{Replying as Replies, ReplyingIndices as RepliesIndices};

/// The interface that every actor exports.
pub(crate) const ACTOR_INTERFACE: &str = "ractor:actor/actor@0.1.0";
