//! The generated bindings of the interface `replies`, apart from those of the world: only actors that await export it.

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
    inline: "package ractor:sdk; world replies-export { export ractor:actor/replies@0.1.0; }",
    world: "ractor:sdk/replies-export",
    with: {
        "ractor:actor/requests@0.1.0": crate::guest::bindings::ractor::actor::requests,
        "ractor:actor/types@0.1.0": crate::guest::bindings::ractor::actor::types,
    },
    pub_export_macro: true,
    export_macro_name: "export_replies",
    default_bindings_module: "ractor::replies_bindings",
});
