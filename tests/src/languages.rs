//! Counters in other languages than Rust, which behave as `examples/counter` does.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
        component(match self {
            Self::C => "c_counter",
            Self::JavaScript => "js_counter",
            Self::Python => "py_counter",
        })
    }
}

/// The component of a guest in another language than Rust, by the name of its file, as [`Language::counter`] gives that of a counter.
///
/// # Panics
/// There is none and the variable `CI` is set, or it doesn't compile.
#[track_caller]
pub fn component(name: &'static str) -> Option<PathBuf> {
    static COMPONENTS: Mutex<BTreeMap<&str, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    // Whoever comes meanwhile waits: two at once would compile the same.
    let mut components = COMPONENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = components.entry(name).or_insert_with(|| {
        let component = programs::guest_if_built(name)?;
        compile(&component);
        Some(component)
    });
    if found.is_none() {
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
    found.clone()
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
