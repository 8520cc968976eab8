//! A node.toml as somebody might write it, with variables of the environment and values of the command line.

use std::env::VarError;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::config::{ConfigError, NodeConfig};

/// What a line begins with that is a `--set` of the command line. To TOML it is a comment.
const SET: &str = "#set ";

/// The value of the variables `SECRET` and `RACTOR_COOKIE`, and the content of the file `cookie`.
const SECRET: &str = "Zq-s3cret-7719-xyzzy";

/// The most values of a command line that are tried.
const MOST_SETS: usize = 8;

/// A folder with the files that texts of the corpus name.
static FOLDER: LazyLock<Option<TempDir>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().ok()?;
    for name in ["cookie", "deploy.key"] {
        let path = folder.path().join(name);
        fs::write(&path, SECRET).ok()?;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).ok()?;
    }
    for name in ["counter.wasm", "greeter.wasm"] {
        fs::write(folder.path().join(name), b"").ok()?;
    }
    Some(folder)
});

/// A file that is no configuration is refused with the place of each mistake; one that is, always means the same; and neither
/// shows a secret.
pub fn configuration(bytes: &[u8]) {
    let Some(folder) = &*FOLDER else { return };
    // What is no text is refused before.
    let text = String::from_utf8_lossy(bytes);
    let set: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix(SET))
        .take(MOST_SETS)
        .map(str::to_owned)
        .collect();
    let read = read(&text, folder.path(), &set);
    let again = self::read(&text, folder.path(), &set);
    assert_eq!(
        format!("{read:?}"),
        format!("{again:?}"),
        "the same file means the same"
    );
    let shown = shown(&read);
    assert!(!shown.contains(SECRET), "a secret is shown: {shown}");
    let findings = match &read {
        Ok(config) => &config.warnings,
        Err(ConfigError::Wrong(findings)) => {
            assert!(!findings.first.is_empty(), "it is refused for nothing");
            findings
        }
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    // What comes from the command line is in lines of its own, before or behind those of the file.
    let lines = text.lines().count().max(1) + 1;
    for finding in &findings.first {
        assert!(finding.line >= 1 && finding.column >= 1, "{finding:?} is nowhere");
        let is_of_the_file = finding.file == Path::new("node.toml");
        assert!(
            !is_of_the_file || finding.line <= lines,
            "{finding:?} is behind the end"
        );
        assert!(
            !finding.message.is_empty() && !finding.help.is_empty(),
            "{finding:?} says nothing"
        );
    }
}

fn read(text: &str, folder: &Path, set: &[String]) -> Result<NodeConfig, ConfigError> {
    let variable = |name: &str| match name {
        "SECRET" | "RACTOR_COOKIE" => Ok(SECRET.to_owned()),
        "NAME" => Ok("beta".to_owned()),
        "PORT" => Ok("4697".to_owned()),
        "EMPTY" => Ok(String::new()),
        "QUOTES" => Ok("\"]\n[node]\nname = ${NAME}\u{7f}\\".to_owned()),
        "BINARY" => Err(VarError::NotUnicode("\u{fffd}".into())),
        _ => Err(VarError::NotPresent),
    };
    NodeConfig::of_text(text, folder, set.to_vec(), &variable)
}

/// What an operator or a log sees of it.
fn shown(read: &Result<NodeConfig, ConfigError>) -> String {
    match read {
        Ok(config) => format!("{:?} {:?} {}", config.node, config.control, config.warnings),
        Err(error) => format!("{error}"),
    }
}
