//! The layers of the host: which may use which, and which crates. ARCHITECTURE.md says why.

use std::collections::BTreeSet;

use crate::Finding;
use crate::files::SourceFile;
use crate::uses::{Root, Use, uses};

const SOURCE: &str = "host/src/";

/// One module at the root of the host.
struct Layer {
    name: &'static str,
    /// Other modules at the root that it may use.
    modules: Allowed,
    /// Of the host's dependencies, those that it may use.
    crates: Allowed,
    /// Of std, what it may not use.
    not_std: &'static [&'static str],
}

enum Allowed {
    Everything,
    These(&'static [&'static str]),
}

use Allowed::{Everything, These};

/// A layer that is given time, randomness and bytes, and fetches none of them.
const PURE: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
];

const LAYERS: &[Layer] = &[
    Layer {
        name: "wire",
        modules: These(&[]),
        crates: These(&["bytes", "prost", "prost_types", "thiserror"]),
        not_std: PURE,
    },
    Layer {
        name: "session",
        modules: These(&["wire"]),
        crates: These(&["sha2", "subtle", "thiserror"]),
        not_std: PURE,
    },
    Layer {
        name: "transport",
        modules: These(&["wire"]),
        crates: These(&["bytes", "socket2", "thiserror", "tokio", "tokio_rustls", "tracing"]),
        not_std: &[],
    },
    Layer {
        name: "node",
        modules: These(&["wire", "session", "transport", "directory"]),
        crates: These(&[
            "bytes",
            "rand",
            "ractor",
            "thiserror",
            "tokio",
            "tokio_rustls",
            "tracing",
        ]),
        not_std: &[],
    },
    Layer {
        name: "guest",
        modules: These(&["directory"]),
        crates: These(&[
            "bytes",
            "hex",
            "ractor",
            "sha2",
            "tempfile",
            "thiserror",
            "tokio",
            "tracing",
            "wasmtime",
            "wasmtime_wasi",
        ]),
        not_std: &["std::net"],
    },
    Layer {
        name: "supervision",
        modules: These(&["guest", "directory"]),
        crates: These(&["ractor", "thiserror", "tokio", "tracing"]),
        not_std: &["std::net"],
    },
    Layer {
        name: "config",
        modules: These(&["guest", "node", "supervision", "transport"]),
        // ractor for how a literal becomes the bytes of an argument.
        crates: These(&["hex", "ractor", "serde", "strsim", "thiserror", "toml"]),
        not_std: &["std::thread", "std::process"],
    },
    // The seam between `node` and `guest`.
    Layer {
        name: "directory",
        modules: These(&[]),
        crates: These(&["ractor", "thiserror"]),
        not_std: &["std::fs", "std::net"],
    },
    // Composition: uses everything, and nothing uses it.
    Layer {
        name: "cli",
        modules: Everything,
        crates: Everything,
        not_std: &[],
    },
    Layer {
        name: "host",
        modules: Everything,
        crates: Everything,
        not_std: &[],
    },
    Layer {
        name: "lib",
        modules: Everything,
        crates: Everything,
        not_std: &[],
    },
    Layer {
        name: "macros",
        modules: Everything,
        crates: Everything,
        not_std: &[],
    },
    Layer {
        name: "main",
        modules: Everything,
        crates: Everything,
        not_std: &[],
    },
    Layer {
        name: "ops",
        modules: Everything,
        crates: Everything,
        not_std: &[],
    },
];

/// Each use in the host's source of something that its layer may not use.
pub(crate) fn imports(files: &[SourceFile]) -> Vec<Finding> {
    let dependencies = dependencies(files);
    host_source(files)
        .flat_map(|(file, path)| imports_of(file, path, &dependencies))
        .collect()
}

fn imports_of(file: &SourceFile, path: &str, dependencies: &BTreeSet<String>) -> Vec<Finding> {
    let module = root_module(path);
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
    let refused = found.iter().filter_map(|Use { line, of }| {
        let rule = match of {
            Root::Module(name) if name != layer.name && !layer.modules.has(name) => {
                format!(
                    "the layer `{}` may not use `crate::{name}`, only {}",
                    layer.name, layer.modules
                )
            }
            Root::Name(name) if dependencies.contains(name) && !layer.crates.has(name) => {
                format!(
                    "the layer `{}` may not use the crate `{name}`, only {}",
                    layer.name, layer.crates
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

/// The names by which the host's source knows its dependencies.
fn dependencies(files: &[SourceFile]) -> BTreeSet<String> {
    let manifest = files
        .iter()
        .find(|file| file.path == "host/Cargo.toml")
        .expect("the host has a manifest");
    let manifest: toml::Table = manifest.text.parse().expect("cargo reads the same file");
    let table = manifest["dependencies"].as_table().expect("`dependencies` is a table");
    table.keys().map(|name| name.replace('-', "_")).collect()
}

impl Allowed {
    fn has(&self, name: &str) -> bool {
        match self {
            Everything => true,
            These(names) => names.contains(&name),
        }
    }
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Everything => out.write_str("everything"),
            These([]) => out.write_str("none"),
            These(names) => out.write_str(&names.join(", ")),
        }
    }
}

#[test]
fn finds_uses_that_break_the_layers() {
    let check = |path: &str, text: &str, expected: &[&str]| {
        let manifest = "[dependencies]\nractor = \"0\"\ntokio = \"0\"\nprost-types = \"0\"\nwasmtime = \"0\"\n";
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
