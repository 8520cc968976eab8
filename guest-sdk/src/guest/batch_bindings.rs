//! The generated bindings of the interface `batch`, apart from those of the world: actors in other languages need not export it.

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
    path: "../wit",
    inline: "package ractor:sdk; world batch-export { export ractor:actor/batch@0.1.0; }",
    world: "ractor:sdk/batch-export",
    pub_export_macro: true,
    export_macro_name: "export_batch",
    default_bindings_module: "ractor::batch_bindings",
});
