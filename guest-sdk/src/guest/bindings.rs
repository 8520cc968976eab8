//! The generated bindings of what every actor of the SDK imports and exports: the only place that sees the component's ABI.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated: the canonical ABI is raw pointers, and what it means is documented in wit/"
)]

wit_bindgen::generate!({
    path: "wit",
    inline: "package ractor:sdk; world every-actor { include ractor:actor/batching-actor@0.1.0; import ractor:actor/requests@0.1.0; \
             import ractor:actor/tracing@0.1.0; import ractor:actor/entities@0.1.0; import ractor:actor/reminders@0.1.0; \
             export ractor:actor/calls@0.1.0; }",
    world: "ractor:sdk/every-actor",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "ractor::bindings",
});

pub use self::ractor::actor::types::Pid;
