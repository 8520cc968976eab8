//! Compares what the host's source uses with the table of its layers, and both with ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::Finding;
use crate::files::SourceFile;
use crate::table::{AT_THE_ROOT, COMPOSITION, LAYERS, Layer};
use crate::uses::{Root, Use, uses};

const SOURCE: &str = "host/src/";

/// Each use in the host's source of something that its layer may not use.
pub(crate) fn imports(files: &[SourceFile]) -> Vec<Finding> {
    let dependencies = dependencies(files);
    host_source(files)
        .flat_map(|(file, path)| imports_of(file, path, &dependencies))
        .collect()
}

fn imports_of(file: &SourceFile, path: &str, dependencies: &BTreeSet<String>) -> Vec<Finding> {
    let module = root_module(path);
    if COMPOSITION.contains(&module) {
        return Vec::new();
    }
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == module) else {
        return vec![Finding::new(
            file,
            1,
            format!("`{module}` is not in the table of layers of the tidy test"),
        )];
    };
    match uses(path, &file.text) {
        Ok(found) => found
            .iter()
            .flat_map(|each| {
                refused(layer, each, dependencies)
                    .into_iter()
                    .map(|what| (each.line, what))
            })
            .map(|(line, what)| Finding::new(file, line, format!("the layer `{module}` may not use {what}")))
            .collect(),
        Err(error) => vec![Finding::new(file, 1, format!("this is not Rust: {error}"))],
    }
}

/// What of this use the layer may not use. Its tests may use any crate, and all of std.
fn refused(layer: &Layer, found: &Use, dependencies: &BTreeSet<String>) -> Vec<String> {
    match &found.of {
        Root::Module(name) if name == layer.name || has(layer.modules, name) || has(AT_THE_ROOT, name) => Vec::new(),
        Root::Module(name) => vec![format!("`crate::{name}`, only {}", spoken(layer.modules))],
        Root::Name(..) if found.by_tests => Vec::new(),
        Root::Name(name, _) if dependencies.contains(name) && !has(layer.crates, name) => {
            vec![format!("the crate `{name}`, only {}", spoken(layer.crates))]
        }
        Root::Name(name, then) => {
            let paths = then.iter().map(|next| format!("{name}::{next}"));
            paths
                .filter(|path| has(layer.not_std, path))
                .map(|path| format!("`{path}`"))
                .collect()
        }
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
    let folders: BTreeSet<&str> = host_source(files)
        .filter_map(|(_, path)| Some(path.split_once('/')?.0))
        .collect();
    folders
        .into_iter()
        .filter(|folder| {
            ![format!("`{folder}`"), format!("`{folder}/`")]
                .iter()
                .any(|name| page.text.contains(name))
        })
        .map(|folder| {
            Finding::new(
                page,
                1,
                format!("{SOURCE}{folder} is nowhere named, as `{folder}` or `{folder}/`"),
            )
        })
        .collect()
}

/// The Rust files of the host with their paths from its `src`.
fn host_source(files: &[SourceFile]) -> impl Iterator<Item = (&SourceFile, &str)> {
    files
        .iter()
        .filter(|file| file.is_rust())
        .filter_map(|file| Some((file, file.path.strip_prefix(SOURCE)?)))
}

/// `node` for `node/link.rs`, `directory` for `directory.rs`.
fn root_module(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The names by which the host's source knows its dependencies.
fn dependencies(files: &[SourceFile]) -> BTreeSet<String> {
    let manifest = files
        .iter()
        .find(|file| file.path == "host/Cargo.toml")
        .expect("the host has a manifest");
    let manifest: toml::Table = manifest.text.parse().expect("cargo reads the same file");
    let crates = manifest["dependencies"].as_table().expect("`dependencies` is a table");
    crates.keys().map(|name| name.replace('-', "_")).collect()
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
            file("host/Cargo.toml", MANIFEST),
            file(&format!("host/src/{path}"), text),
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
    check("wire/a.rs", "use prost_types::X;\nuse std::fmt; use Vec::A;", "");
    check(
        "wire/a.rs",
        "use std::fmt;\nuse ractor::X;",
        "2 the layer `wire` may not use the crate `ractor`",
    );
    check(
        "wire/a.rs",
        "use std::{fmt, fs};",
        "1 the layer `wire` may not use `std::fs`",
    );
    check(
        "session/a.rs",
        "fn f() { tokio::x() }",
        "1 the layer `session` may not use the crate `tokio`",
    );
    check(
        "session/a.rs",
        "let x = Instant::now();",
        "1 the layer `session` may not use `Instant::now`",
    );
    check(
        "session/a.rs",
        "mod tests { fn f() { Instant::now(); tokio::x() } }",
        "",
    );
    check(
        "session/tests/a.rs",
        "use tokio::X; use std::fs; use crate::NodeId;",
        "",
    );
    check(
        "session/tests/a.rs",
        "use crate::node;",
        "1 the layer `session` may not use `crate::node`",
    );
    check(
        "node/a.rs",
        "use crate::guest::X;",
        "1 the layer `node` may not use `crate::guest`",
    );
    check(
        "node/a.rs",
        "use crate::*;",
        "1 the layer `node` may not use `crate::*`",
    );
    check(
        "guest/a.rs",
        "use crate::node::X;",
        "1 the layer `guest` may not use `crate::node`",
    );
    check("guest/a.rs", "use crate::directory::X; use crate::guest::Y;", "");
    check(
        "config/a.rs",
        "use super::super::cli;",
        "1 the layer `config` may not use `crate::cli`",
    );
    check("cli/a.rs", "use crate::host::X; use wasmtime::Y;", "");
    check("extra/mod.rs", "", "1 `extra` is not in the table of layers");
}

#[test]
fn finds_layers_that_the_architecture_leaves_out() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.into(),
        text: text.into(),
    };
    let source = || file("host/src/wire/mod.rs", "");
    assert_eq!(described(&[source()]).len(), 1);
    assert_eq!(described(&[source(), file("ARCHITECTURE.md", "the wire")]).len(), 1);
    assert_eq!(described(&[source(), file("ARCHITECTURE.md", "the `wire` layer")]), []);
}
