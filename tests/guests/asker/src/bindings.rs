//! The generated bindings.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated: the canonical ABI is raw pointers, and what it means is documented in wit/"
)]

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "package ractor:asker;
        world asker {
            include ractor:actor/guest-actor@0.1.0;
            import ractor:actor/requests@0.1.0;
            export ractor:actor/replies@0.1.0;
            export ractor:actor/batch@0.1.0;
            export ractor:actor/reload@0.1.0;
        }",
    world: "ractor:asker/asker",
    generate_all,
});

pub(crate) use self::exports::ractor::actor as exported;
pub(crate) use self::ractor::actor as imported;

use crate::exports::Asker;
export!(Asker with_types_in self);
