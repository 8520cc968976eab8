//! Compares what the host's source uses with the table of its layers, and both with ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::Finding;
use crate::files::SourceFile;
use crate::table::{AT_THE_ROOT, COMPOSITION, LAYERS, Layer};
use crate::uses::{Root, Use, uses};

const SOURCE: &str = "host/src/";

/// Each use in the host's source of something that its layer may not use.
pub(crate) fn imports(files: &[SourceFile]) -> Vec<Finding> {
    let (dependencies, for_tests) = (
        dependencies(files, "dependencies"),
        dependencies(files, "dev-dependencies"),
    );
    host_source(files)
        .flat_map(|(file, path)| imports_of(file, path, &dependencies, &for_tests))
        .collect()
}

fn imports_of(
    file: &SourceFile,
    path: &str,
    dependencies: &BTreeSet<String>,
    for_tests: &BTreeSet<String>,
) -> Vec<Finding> {
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
    let found = match uses(path, &file.text) {
        Ok(found) => found,
        Err(error) => return vec![Finding::new(file, 1, format!("this is not Rust: {error}"))],
    };
    let refused = found.iter().filter_map(|Use { line, of, by_tests }| {
        let rule = match of {
            Root::Module(name) if name != layer.name && !has(layer.modules, name) && !has(AT_THE_ROOT, name) => {
                format!(
                    "the layer `{}` may not use `crate::{name}`, only {}",
                    layer.name,
                    spoken(layer.modules)
                )
            }
            Root::Name(name) if *by_tests && for_tests.contains(name) => return None,
            Root::Name(name) if dependencies.contains(name) && !has(layer.crates, name) => {
                format!(
                    "the layer `{}` may not use the crate `{name}`, only {}",
                    layer.name,
                    spoken(layer.crates)
                )
            }
            _ => return None,
        };
        Some(Finding::new(file, *line, rule))
    });
    refused.chain(std_of(file, layer)).collect()
}

/// Uses of the parts of std that a layer does without.
fn std_of<'a>(file: &'a SourceFile, layer: &'a Layer) -> impl Iterator<Item = Finding> + 'a {
    let code = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(move |(index, line)| {
        let named = layer.not_std.iter().filter(move |name| line.contains(**name));
        named.map(move |name| {
            Finding::new(
                file,
                index + 1,
                format!("the layer `{}` may not use `{name}`", layer.name),
            )
        })
    })
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

/// The names by which the host's source knows the crates of this table of its manifest.
fn dependencies(files: &[SourceFile], table: &str) -> BTreeSet<String> {
    let manifest = files
        .iter()
        .find(|file| file.path == "host/Cargo.toml")
        .expect("the host has a manifest");
    let manifest: toml::Table = manifest.text.parse().expect("cargo reads the same file");
    let crates = manifest[table].as_table().expect("a table of dependencies is a table");
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
    let check = |path: &str, text: &str, expected: &[&str]| {
        let manifest = "[dependencies]\nractor = '0'\ntokio = '0'\nprost-types = '0'\nwasmtime = '0'\ntempfile = '0'\n\
                        [dev-dependencies]\ntempfile = '0'\n";
        let file = |path: &str, text: &str| SourceFile {
            path: path.into(),
            text: text.into(),
        };
        let findings = imports(&[file("host/Cargo.toml", manifest), file(path, text)]);
        assert_eq!(findings.len(), expected.len(), "{path}: {findings:?}");
        for (finding, expected) in findings.iter().zip(expected) {
            assert!(
                finding.to_string().starts_with(expected),
                "{finding}\nshould start with\n{expected}"
            );
        }
    };
    check("host/src/wire/a.rs", "//! A.\nuse prost_types::X;\nuse std::fmt;", &[]);
    check(
        "host/src/wire/a.rs",
        "//! A.\nuse ractor::X;",
        &["host/src/wire/a.rs:2: the layer `wire` may not use the crate `ractor`"],
    );
    check(
        "host/src/session/a.rs",
        "fn f() { tokio::spawn() }",
        &["host/src/session/a.rs:1: the layer `session` may not use the crate `tokio`"],
    );
    check(
        "host/src/session/a.rs",
        "let now = Instant::now();",
        &["host/src/session/a.rs:1: the layer `session` may not use `Instant::now`"],
    );
    check(
        "host/src/node/a.rs",
        "use crate::guest::Engine;",
        &["host/src/node/a.rs:1: the layer `node` may not use `crate::guest`"],
    );
    check(
        "host/src/guest/a.rs",
        "use crate::node::X;",
        &["host/src/guest/a.rs:1: the layer `guest` may not use `crate::node`"],
    );
    check(
        "host/src/guest/a.rs",
        "use crate::directory::X; use crate::guest::Y;",
        &[],
    );
    check(
        "host/src/config/a.rs",
        "use super::super::cli::X;",
        &["host/src/config/a.rs:1: the layer `config` may not use `crate::cli`"],
    );
    check("host/src/config/tests.rs", "use tempfile::X; use crate::NodeId;", &[]);
    check(
        "host/src/config/a.rs",
        "use tempfile::X;",
        &["host/src/config/a.rs:1: the layer `config` may not use the crate `tempfile`"],
    );
    check("host/src/cli/a.rs", "use crate::host::Host; use wasmtime::Engine;", &[]);
    check(
        "host/src/node/a.rs",
        "use crate::*;",
        &["host/src/node/a.rs:1: the layer `node` may not use `crate::*`"],
    );
    check(
        "host/src/extra/mod.rs",
        "",
        &["host/src/extra/mod.rs:1: `extra` is not in the table of layers"],
    );
    check("guest-sdk/src/lib.rs", "use ractor::X; use crate::cli;", &[]);
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
