//! What a new project consists of.

use crate::language::Language;

/// A file of a project, with places for its name: see `Name::fill`.
pub(super) struct Template {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// A list of templates: the path in a project, and the file in `templates/`.
macro_rules! templates {
    ($($path:literal = $file:literal),* $(,)?) => {
        &[$(Template { path: $path, text: include_str!(concat!("../../templates/", $file)) }),*]
    };
}

const RUST: &[Template] = templates![
    "src/lib.rs" = "rust/lib.rs",
    "tests/counts.rs" = "rust/counts.rs",
    "Cargo.toml" = "rust/manifest.toml",
    "node.toml" = "rust/node.toml",
    "README.md" = "rust/README.md",
    ".gitignore" = "gitignore",
];

const PYTHON: &[Template] = templates![
    "src/app.py" = "python/app.py",
    "tests/test_counts.py" = "python/test_counts.py",
    "pyproject.toml" = "python/pyproject.toml",
    "node.toml" = "python/node.toml",
    "README.md" = "python/README.md",
    ".gitignore" = "gitignore",
];

const JAVASCRIPT: &[Template] = templates![
    "src/actor.js" = "js/actor.js",
    "tests/counts.test.js" = "js/counts.test.js",
    "package.json" = "js/package.json",
    "jsconfig.json" = "js/jsconfig.json",
    "node.toml" = "js/node.toml",
    "README.md" = "js/README.md",
    ".gitignore" = "gitignore",
];

const TYPESCRIPT: &[Template] = templates![
    "src/actor.ts" = "ts/actor.ts",
    "tests/counts.test.ts" = "ts/counts.test.ts",
    "package.json" = "ts/package.json",
    "tsconfig.json" = "ts/tsconfig.json",
    "node.toml" = "js/node.toml",
    "README.md" = "ts/README.md",
    ".gitignore" = "gitignore",
];

const C: &[Template] = templates![
    "src/actor.c" = "c/actor.c",
    "tests/counts.c" = "c/counts.c",
    "guest.toml" = "c/guest.toml",
    "node.toml" = "c/node.toml",
    "README.md" = "c/README.md",
    ".gitignore" = "gitignore",
];

const GO: &[Template] = templates![
    "actor.go" = "go/actor.go",
    "actor_test.go" = "go/actor_test.go",
    "go.mod" = "go/go.mod.txt",
    "node.toml" = "go/node.toml",
    "README.md" = "go/README.md",
    ".gitignore" = "gitignore",
];

/// The files of a project in this language.
pub(super) fn of(language: Language) -> &'static [Template] {
    match language {
        Language::Rust => RUST,
        Language::Python => PYTHON,
        Language::JavaScript => JAVASCRIPT,
        Language::TypeScript => TYPESCRIPT,
        Language::C => C,
        Language::Go => GO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_new_actor_has_at_most_fifteen_lines() {
        for language in Language::ALL {
            let source = of(language).first().unwrap();
            let is_code =
                |line: &&str| !line.is_empty() && !["//", "\"\"\""].iter().any(|begin| line.starts_with(begin));
            let lines = source.text.lines().filter(is_code).count();
            assert!((1..=15).contains(&lines), "{}: {lines} lines", source.path);
        }
    }
}
