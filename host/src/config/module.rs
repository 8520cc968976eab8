//! `[modules.NAME]`: the components that guests are made of.

use std::path::PathBuf;
use std::time::Duration;

use super::context::ReadContext;
use super::names::NameOf;
use super::problem::Problems;
use super::section::{Keys, Section};
use super::spans::{ModuleSpans, PathSpan};
use crate::guest::{Digest, ModuleSource, SourceFile};

pub(super) const KEYS: Keys = Keys {
    known: &["path", "source", "digest", "watch", "build", "sources"],
    explained: &[("sha256", "write `digest = \"sha256:…\"`")],
};

/// What is done about a module while the node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleBuild {
    /// The module.
    pub module: String,
    /// Its actors are reloaded when its file changes.
    pub watch: bool,
    /// How long an actor with new code is watched after its file has changed; none for the usual time.
    pub probation_time: Option<Duration>,
    /// The command that makes the file, run in the folder of node.toml; none if the file doesn't say.
    pub build: Option<String>,
    /// The files and folders that the command makes it from.
    pub sources: Vec<PathBuf>,
}

/// What one table says.
pub(super) struct ReadModule {
    pub(super) source: ModuleSource,
    pub(super) build: ModuleBuild,
    pub(super) spans: ModuleSpans,
}

/// Reads one `[modules.NAME]` table.
pub(super) fn read(
    name: &toml::Spanned<std::borrow::Cow<'_, str>>,
    section: &Section<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Option<ReadModule> {
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
    let source = section.text("source", problems);
    if let Some(source) = source.as_ref().filter(|source| source.get_ref().is_empty()) {
        let help = "expected the path of the source that the component runs, or leave it out";
        problems.error(source.span(), "`source` is empty", help);
    }
    let digest = section.text("digest", problems).and_then(|text| {
        let digest = text.get_ref().parse::<Digest>();
        if digest.is_err() {
            let help = "expected `sha256:` and 64 hexadecimal digits";
            problems.error(text.span(), "`digest` is not a digest", help);
        }
        digest.ok()
    });
    let build = read_build(name.get_ref(), section, context, problems);
    if let Some(pinned) = section.value("digest").filter(|_| build.watch) {
        let message = "a module with a `digest` can't change: there is nothing to watch";
        problems.error(pinned.span(), message, "leave out `digest` or `watch`");
    }
    let path = path?;
    let source = ModuleSource {
        name: name.get_ref().to_string(),
        path: context.path(&path),
        source: source.map(|source| SourceFile::new(context.path(&source))),
        digest,
    };
    Some(ReadModule {
        source,
        spans: ModuleSpans {
            path: PathSpan::of(&path),
            build: build.build.clone(),
            digest: section.value("digest").map(toml::Spanned::span),
        },
        build,
    })
}

fn read_build(name: &str, section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> ModuleBuild {
    let build = section.text("build", problems);
    if let Some(build) = &build
        && build.get_ref().trim().is_empty()
    {
        problems.error(build.span(), "`build` is empty", "expected a command, or leave it out");
    }
    let sources = section.texts("sources", problems);
    if let Some(sources) = section.value("sources").filter(|_| build.is_none()) {
        let message = "`sources` without a `build`";
        problems.error(
            sources.span(),
            message,
            "add the command that makes the module of them: `build = \"…\"`",
        );
    }
    ModuleBuild {
        module: name.to_owned(),
        watch: section.boolean("watch", problems).unwrap_or_default(),
        probation_time: None,
        build: build.map(|build| build.into_inner().to_owned()),
        sources: sources.iter().map(|source| context.path(source)).collect(),
    }
}
