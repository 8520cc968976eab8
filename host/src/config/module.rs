//! `[modules.NAME]`: the components that guests are made of.

use super::Context;
use super::names::NameOf;
use super::problem::Problems;
use super::section::{Keys, Section};
use crate::guest::{Digest, ModuleSource};

pub(super) const KEYS: Keys = Keys {
    known: &["path", "digest"],
    explained: &[("sha256", "write `digest = \"sha256:…\"`")],
};

/// Reads one `[modules.NAME]` table.
pub(super) fn read(
    name: &toml::Spanned<std::borrow::Cow<'_, str>>,
    section: &Section<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Option<ModuleSource> {
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
        let digest = text.get_ref().parse::<Digest>();
        if digest.is_err() {
            let help = "expected `sha256:` and 64 hexadecimal digits";
            problems.error(text.span(), "`digest` is no digest", help);
        }
        digest.ok()
    });
    let path = context.folder.join(path?.get_ref());
    Some(ModuleSource {
        name: name.get_ref().to_string(),
        path,
        digest,
    })
}
