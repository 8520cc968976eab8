//! The generated bindings of the interface `reload`, apart from those of the world: not every actor exports it.

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
    inline: "package ractor:sdk; world reload-export { export ractor:actor/reload@0.1.0; }",
    world: "ractor:sdk/reload-export",
    pub_export_macro: true,
    export_macro_name: "export_reload",
    default_bindings_module: "ractor::reload_bindings",
});
