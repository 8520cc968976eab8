//! The generated bindings of the world `batching-actor`: the only place that sees the component's ABI.

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
    world: "batching-actor",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "ractor::bindings",
});

pub use self::ractor::actor::types::Pid;
