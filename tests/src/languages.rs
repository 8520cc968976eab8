//! Counters in other languages than Rust, which behave as `examples/counter` does.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::host::{NodeFolder, node_toml};
use crate::{COOKIE, programs};

/// A language that a guest is written in.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    /// Compiled to WebAssembly, without a runtime.
    C,
    /// Interpreted by QuickJS.
    JavaScript,
    /// Interpreted by CPython.
    Python,
}

impl Language {
    /// The component of the counter, compiled already: the nodes of all tests share the cache. Without its tools there is no
    /// component; then this says so, and gives none.
    ///
    /// # Panics
    /// There is none and the variable `CI` is set, or it doesn't compile.
    #[track_caller]
    pub fn counter(self) -> Option<PathBuf> {
        static COUNTERS: [OnceLock<Option<PathBuf>>; 3] = [const { OnceLock::new() }; 3];
        let (counter, name) = match self {
            Self::C => (&COUNTERS[0], "c_counter"),
            Self::JavaScript => (&COUNTERS[1], "js_counter"),
            Self::Python => (&COUNTERS[2], "py_counter"),
        };
        ready(counter, name)
    }
}

/// The component of the kitchen in TypeScript, as [`Language::counter`].
///
/// # Panics
/// As that.
#[track_caller]
pub fn kitchen_ts() -> Option<PathBuf> {
    static KITCHEN: OnceLock<Option<PathBuf>> = OnceLock::new();
    ready(&KITCHEN, "kitchen_ts")
}

/// A component, compiled once. Says so if there is none.
#[track_caller]
fn ready(component: &OnceLock<Option<PathBuf>>, name: &str) -> Option<PathBuf> {
    let component = component.get_or_init(|| {
        let component = programs::guest_if_built(name)?;
        compile(&component);
        Some(component)
    });
    if component.is_none() {
        assert!(
            env::var_os("CI").is_none_or(|value| value.is_empty()),
            "{name}.wasm isn't there; `cargo xtask build-guests` says why"
        );
        // Past the capturing of what tests print: whoever runs them has to see it.
        drop(writeln!(
            std::io::stderr(),
            "NOT TESTED: {name}.wasm isn't there; `cargo xtask build-guests` says why"
        ));
    }
    component.clone()
}

/// Compiles a component into the cache of the nodes. The largest take longer than a node is given to start.
#[track_caller]
fn compile(component: &Path) {
    let module = format!("[modules.counter]\npath = {component:?}\n");
    let folder = NodeFolder::new(&node_toml("compiler", &module), COOKIE);
    let checked = programs::ractor_host()
        .arg("check")
        .arg(folder.path("node.toml"))
        .output();
    match checked {
        Ok(checked) if checked.status.success() => {}
        Ok(checked) => panic!("{}", String::from_utf8_lossy(&checked.stderr)),
        Err(error) => panic!("starting ractor-host: {error}"),
    }
}
