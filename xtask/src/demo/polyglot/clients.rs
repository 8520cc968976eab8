//! The generated clients in the example are those that `ractor-host bindgen` makes of its components.

use std::fs;

use anyhow::{Context, Result, bail};

use super::checkout::Checkout;
use crate::demo::transcript::{self, BLESS};
use crate::process::Run;

/// A client, made of a component.
pub(super) struct Client {
    options: &'static [&'static str],
    component: &'static str,
    file: &'static str,
}

/// Those that the desk is built with, or that are made of what is built before it.
pub(super) const BEFORE_THE_DESK: [Client; 2] = [
    Client {
        options: &["--lang", "ts"],
        component: "scoring/build/scoring.wasm",
        file: "desk/src/scorer.ts",
    },
    Client {
        options: &["--lang", "rust", "--native"],
        component: "partner/build/partner.wasm",
        file: "src/clients/partner.rs",
    },
];

/// The one that is made of the desk.
pub(super) const AFTER_THE_DESK: [Client; 1] = [Client {
    options: &["--lang", "rust", "--native"],
    component: "desk/build/desk.wasm",
    file: "src/clients/desk.rs",
}];

/// Makes the clients again, and compares them; with the variable, they are written into the example.
pub(super) fn check(checkout: &Checkout, clients: &[Client]) -> Result<()> {
    for client in clients {
        let made = Run::new(checkout.host())
            .args(["bindgen"])
            .args(client.options)
            .args([client.component])
            .env("XDG_CACHE_HOME", checkout.cache())
            .env("XDG_STATE_HOME", checkout.cache())
            .within(&checkout.projects())
            .capture()?;
        let file = checkout.example().join(client.file);
        if fs::read_to_string(&file).is_ok_and(|written| written == made) {
            continue;
        }
        if !transcript::is_to_be_written() {
            bail!(
                "{} isn't the client that `ractor-host bindgen` makes of {}; {BLESS}=1 writes it",
                file.display(),
                client.component
            );
        }
        for file in [file, checkout.projects().join(client.file)] {
            fs::write(&file, &made).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(())
}
