//! The generated bindings of the interface `contract`, apart from those of the world `batching-actor`, which doesn't have it.

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
    inline: "package ractor:sdk; world contract-export { export ractor:actor/contract@0.1.0; }",
    world: "ractor:sdk/contract-export",
    pub_export_macro: true,
    export_macro_name: "export_contract",
    default_bindings_module: "ractor::contract_bindings",
});
