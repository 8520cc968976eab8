//! `[modules.NAME]`: the components that guests are made of.

use std::path::PathBuf;

use super::Context;
use super::names::NameOf;
use super::problem::Problems;
use super::section::{Keys, Section};

pub(super) const KEYS: Keys = Keys {
    known: &["path", "digest"],
    explained: &[("sha256", "write `digest = \"sha256:…\"`")],
};

/// One checked `[modules.NAME]` table.
#[derive(Clone, Debug)]
pub struct ModuleSection {
    /// The name by which actors refer to it.
    pub name: String,
    /// The component.
    pub path: PathBuf,
    /// What the file must be.
    pub digest: Option<Digest>,
}

/// The SHA-256 of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl ModuleSection {
    pub(super) fn read(
        name: &toml::Spanned<std::borrow::Cow<'_, str>>,
        section: &Section<'_>,
        context: &Context<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        if let Err((message, help)) = NameOf::Module.check(name.get_ref()) {
            problems.error(name.span(), message, help);
        }
        let path = section.required_text("path", "\"counter.wasm\"", problems);
        if let Some(path) = &path
            && path.get_ref().is_empty()
        {
            problems.error(
                path.span(),
                "`path` is empty",
                "expected the path of a component (.wasm)",
            );
        }
        let digest = section.text("digest", problems).and_then(|text| {
            let digest = parse_digest(text.get_ref());
            if digest.is_none() {
                let help = "expected `sha256:` and 64 hexadecimal digits";
                problems.error(text.span(), "`digest` is no digest", help);
            }
            digest
        });
        let path = context.folder.join(path?.get_ref());
        Some(Self {
            name: name.get_ref().to_string(),
            path,
            digest,
        })
    }
}

fn parse_digest(text: &str) -> Option<Digest> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("sha256:")?, &mut bytes).ok()?;
    Some(Digest(bytes))
}
