//! What building guests needs that this program doesn't bring along.

use std::path::Path;
use std::process::{Command, Stdio};

use super::finding::Finding;

/// The target that guests in Rust are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// A language, the programs that its projects are built with, and where to get them.
const LANGUAGES: [(&str, &[&str], &str); 4] = [
    ("rust", &["cargo", "rustc"], "install Rust: https://rustup.rs"),
    ("python", &["python3"], "install Python 3.10 or later"),
    ("javascript", &["node", "npm"], "install Node.js 20 or later"),
    ("go", &["go"], "install Go 1.24 or later: https://go.dev/dl"),
];

pub(super) fn examine() -> Vec<Finding> {
    LANGUAGES
        .into_iter()
        .map(|(language, programs, remedy)| {
            let missing: Vec<&str> = programs.iter().copied().filter(|program| !is_there(program)).collect();
            if !missing.is_empty() {
                let what = format!("{} is not there", missing.join(" and "));
                return Finding::warn("tools", language, what)
                    .because(format!("projects in {language} can't be built"))
                    .mend(remedy);
            }
            if language == "rust" && !has_target() {
                return Finding::warn("tools", language, format!("the target {TARGET} is not installed"))
                    .because("guests in Rust are compiled for it")
                    .mend(format!("`rustup target add {TARGET}`"));
            }
            Finding::ok("tools", language, format!("{} is there", programs.join(" and ")))
        })
        .collect()
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The compiler says where the target's libraries would be.
fn has_target() -> bool {
    let said = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    said.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_dir())
}
