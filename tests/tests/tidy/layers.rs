//! Compares what the source uses with the table of layers, and both with ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::Finding;
use crate::files::SourceFile;
use crate::table::{AT_THE_ROOT, COMPOSITION, LAYERS, Layer, WHOLE};
use crate::uses::{Root, Use, uses};

/// Each use in the source of something that its layer may not use.
pub(crate) fn imports(files: &[SourceFile]) -> Vec<Finding> {
    let layered = COMPOSITION.iter().flat_map(|(of, composition)| {
        let dependencies = dependencies(files, of);
        source(files, of).flat_map(move |(file, path)| {
            let module = root_module(path);
            if composition.contains(&module) {
                return Vec::new();
            }
            match LAYERS.iter().find(|layer| layer.of == *of && layer.name == module) {
                Some(layer) => findings(file, path, &format!("the layer `{module}`"), |found| {
                    refused(layer, found, &dependencies)
                }),
                None => vec![Finding::new(
                    file,
                    1,
                    format!("`{module}` is not in the table of layers of the tidy test"),
                )],
            }
        })
    });
    let whole = WHOLE.iter().flat_map(|(of, not_std)| {
        let found = source(files, of);
        found.flat_map(move |(file, path)| {
            findings(file, path, &format!("the crate `{of}`"), |found| {
                refused_std(not_std, found)
            })
        })
    });
    layered.chain(whole).collect()
}

fn findings(file: &SourceFile, path: &str, who: &str, refused: impl Fn(&Use) -> Vec<String>) -> Vec<Finding> {
    match uses(path, &file.text) {
        Ok(found) => found
            .iter()
            .flat_map(|each| refused(each).into_iter().map(|what| (each.line, what)))
            .map(|(line, what)| Finding::new(file, line, format!("{who} may not use {what}")))
            .collect(),
        Err(error) => vec![Finding::new(file, 1, format!("this is not Rust: {error}"))],
    }
}

/// What of this use the layer may not use. Its tests may use any crate, and all of std.
fn refused(layer: &Layer, found: &Use, dependencies: &BTreeSet<String>) -> Vec<String> {
    match &found.of {
        Root::Module(name) if name == layer.name || has(layer.modules, name) || has(AT_THE_ROOT, name) => Vec::new(),
        // Chance is the same for every simulation.
        Root::Module(name) if found.by_tests && name == "internals" => Vec::new(),
        Root::Module(name) => vec![format!("`crate::{name}`, only {}", spoken(layer.modules))],
        Root::Name(..) if found.by_tests => Vec::new(),
        Root::Name(name, _) if dependencies.contains(name) && !has(layer.crates, name) => {
            vec![format!("the crate `{name}`, only {}", spoken(layer.crates))]
        }
        Root::Name(..) => refused_std(layer.not_std, found),
    }
}

fn refused_std(not_std: &[&str], found: &Use) -> Vec<String> {
    match &found.of {
        Root::Name(name, then) if !found.by_tests => {
            let paths = then.iter().map(|next| format!("{name}::{next}"));
            let refused = paths.filter(|path| has(not_std, path));
            refused.map(|path| format!("`{path}`")).collect()
        }
        _ => Vec::new(),
    }
}

/// Each folder of the host's source that ARCHITECTURE.md doesn't name.
pub(crate) fn described(files: &[SourceFile]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|file| file.path == "ARCHITECTURE.md") else {
        return vec![Finding {
            path: "ARCHITECTURE.md".into(),
            line: 1,
            rule: "this page has to exist".into(),
        }];
    };
    let crates = COMPOSITION.iter().map(|(of, _)| *of);
    let folders: BTreeSet<(&str, &str)> = crates
        .flat_map(|of| source(files, of).filter_map(move |(_, path)| Some((of, path.split_once('/')?.0))))
        .collect();
    folders
        .into_iter()
        .filter(|(_, folder)| {
            ![format!("`{folder}`"), format!("`{folder}/`")]
                .iter()
                .any(|name| page.text.contains(name))
        })
        .map(|(of, folder)| {
            Finding::new(
                page,
                1,
                format!("{of}/src/{folder} is nowhere named, as `{folder}` or `{folder}/`"),
            )
        })
        .collect()
}

/// The Rust files of a crate with their paths from its `src`.
fn source<'a>(files: &'a [SourceFile], of: &str) -> impl Iterator<Item = (&'a SourceFile, &'a str)> + use<'a> {
    let folder = format!("{of}/src/");
    let rust = files.iter().filter(|file| file.is_rust());
    rust.filter_map(move |file| Some((file, file.path.strip_prefix(&folder)?)))
}

/// `node` for `node/link.rs`, `directory` for `directory.rs`.
fn root_module(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The names by which a crate's source knows its dependencies, but for those of this workspace.
fn dependencies(files: &[SourceFile], of: &str) -> BTreeSet<String> {
    let manifest = files
        .iter()
        .find(|file| file.path == format!("{of}/Cargo.toml"))
        .expect("each crate has a manifest");
    let manifest: toml::Table = manifest.text.parse().expect("cargo reads the same file");
    let crates = manifest["dependencies"].as_table().expect("`dependencies` is a table");
    let foreign = crates.keys().filter(|name| !name.starts_with("ractor-host-"));
    foreign.map(|name| name.replace('-', "_")).collect()
}

fn has(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}

fn spoken(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[test]
fn finds_uses_that_break_the_layers() {
    const MANIFEST: &str = "[dependencies]\nractor = '0'\ntokio = '0'\nprost-types = '0'\nwasmtime = '0'\n";
    let check = |path: &str, text: &str, expected: &str| {
        let file = |path: &str, text: &str| SourceFile {
            path: path.into(),
            text: text.into(),
        };
        let findings = imports(&[
            file("cluster/Cargo.toml", MANIFEST),
            file("host/Cargo.toml", MANIFEST),
            file("sandbox/Cargo.toml", MANIFEST),
            file(path, text),
        ]);
        let rules: Vec<String> = findings
            .iter()
            .map(|each| format!("{} {}", each.line, each.rule))
            .collect();
        let rules = rules.join("; ");
        assert!(
            rules.starts_with(expected) && rules.is_empty() == expected.is_empty(),
            "{path}: {text}\n{rules}"
        );
    };
    check(
        "cluster/src/wire/a.rs",
        "use prost_types::X;\nuse std::fmt; use Vec::A;",
        "",
    );
    check(
        "cluster/src/wire/a.rs",
        "use std::fmt;\nuse ractor::X;",
        "2 the layer `wire` may not use the crate `ractor`",
    );
    check(
        "cluster/src/wire/a.rs",
        "use std::{fmt, fs};",
        "1 the layer `wire` may not use `std::fs`",
    );
    check(
        "cluster/src/session/a.rs",
        "fn f() { tokio::x() }",
        "1 the layer `session` may not use the crate `tokio`",
    );
    check(
        "cluster/src/session/a.rs",
        "let x = Instant::now();",
        "1 the layer `session` may not use `Instant::now`",
    );
    check(
        "cluster/src/session/a.rs",
        "mod tests { fn f() { Instant::now(); tokio::x() } }",
        "",
    );
    check(
        "cluster/src/session/tests/a.rs",
        "use tokio::X; use std::fs; use crate::NodeId;",
        "",
    );
    check(
        "cluster/src/session/tests/a.rs",
        "use crate::node;",
        "1 the layer `session` may not use `crate::node`",
    );
    check(
        "cluster/src/node/a.rs",
        "use crate::guest::X;",
        "1 the layer `node` may not use `crate::guest`",
    );
    check(
        "cluster/src/node/a.rs",
        "use crate::*;",
        "1 the layer `node` may not use `crate::*`",
    );
    check(
        "directory/src/a.rs",
        "use crate::X; let x = Instant::now();",
        "1 the crate `directory` may not use `Instant::now`",
    );
    check("sandbox/src/actor/a.rs", "use crate::store::data::X;", "");
    check(
        "sandbox/src/store/a.rs",
        "use crate::actor::guest::X;",
        "1 the layer `store` may not use `crate::actor`",
    );
    check(
        "sandbox/src/policy/a.rs",
        "use wasmtime::Y;",
        "1 the layer `policy` may not use the crate `wasmtime`",
    );
    check(
        "host/src/config/a.rs",
        "use super::super::cli;",
        "1 the layer `config` may not use `crate::cli`",
    );
    check("host/src/cli/a.rs", "use crate::host::X; use wasmtime::Y;", "");
    check("host/src/extra/mod.rs", "", "1 `extra` is not in the table of layers");
}

#[test]
fn finds_layers_that_the_architecture_leaves_out() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.into(),
        text: text.into(),
    };
    let source = || file("cluster/src/wire/mod.rs", "");
    assert_eq!(described(&[source()]).len(), 1);
    assert_eq!(described(&[source(), file("ARCHITECTURE.md", "the wire")]).len(), 1);
    assert_eq!(described(&[source(), file("ARCHITECTURE.md", "the `wire` layer")]), []);
}
