//! The sources of rustc's standard library and of wasi-libc, from the archive that this machine's apt uses anyway.
//!
//! apt runs with a configuration, a list and a cache of its own in a scratch folder: neither the packages nor the
//! sources nor the hooks of the system are touched, and no privilege is needed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::Run;
use crate::report;

/// Newer than most machines' own release: where a recent rust-src is found.
const SUITES: &str = "trixie-backports sid";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SOURCES: &str = "/etc/apt/sources.list.d/debian.sources";
const OLD_SOURCES: &str = "/etc/apt/sources.list";

/// What [`download`] unpacked.
pub(super) struct Sources {
    /// The `library` folder of rustc's source.
    pub(super) library: PathBuf,
    /// The folder with `libc.a` and the start objects for the target.
    pub(super) wasi_libc: PathBuf,
}

/// Downloads and unpacks the sources that fit this rustc release into `scratch`.
///
/// # Errors
/// Not a stable release, not a Debian machine, or its archive doesn't have the release.
pub(super) fn download(scratch: &Path, release: &str) -> Result<Sources> {
    if release.contains('-') {
        bail!("rustc {release} is not a stable release, and only those are packaged; use `cargo +stable`");
    }
    let apt = Apt::prepare(scratch)?;
    report::note(&format!("read the package lists of {SUITES}"));
    apt.run("apt-get", &["update", "--quiet"])?;
    let offered = apt.run("apt-cache", &["madison", "rust-src"])?;
    let version = matching_version(&offered, release)
        .with_context(|| format!("{SUITES} have no rust-src {release}, and it must match rustc exactly"))?;
    report::note(&format!("download rust-src {version} and wasi-libc"));
    apt.run(
        "apt-get",
        &["download", "--quiet", &format!("rust-src={version}"), "wasi-libc"],
    )?;
    let unpacked = scratch.join("unpacked");
    for package in apt.downloaded()? {
        Run::new("dpkg-deb")
            .args(["--extract".as_ref(), package.as_os_str(), unpacked.as_os_str()])
            .capture()?;
    }
    let sources = Sources {
        library: unpacked.join(format!("usr/src/rustc-{release}/library")),
        wasi_libc: unpacked.join("usr/lib/wasm32-wasip2"),
    };
    for folder in [&sources.library, &sources.wasi_libc] {
        if !folder.is_dir() {
            bail!("the packages do not hold {} as expected", folder.display());
        }
    }
    Ok(sources)
}

/// apt with everything it reads and writes in one folder.
struct Apt {
    folder: PathBuf,
    configuration: PathBuf,
}

impl Apt {
    fn prepare(scratch: &Path) -> Result<Self> {
        let archive = archive_uri()?;
        if !Path::new(KEYRING).exists() {
            bail!("{KEYRING} is missing; the package debian-archive-keyring has it");
        }
        let folder = scratch.join("apt");
        for sub in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(sub))?;
        }
        let list = format!("Types: deb\nURIs: {archive}\nSuites: {SUITES}\nComponents: main\nSigned-By: {KEYRING}\n");
        fs::write(folder.join("debian.sources"), list)?;
        let inherited = Run::new("apt-config").args(["dump"]).capture()?;
        let configuration = folder.join("apt.conf");
        fs::write(&configuration, private_configuration(&inherited, &folder))?;
        Ok(Self { folder, configuration })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        Run::new(program)
            .args(arguments)
            .env("APT_CONFIG", &self.configuration)
            .env("LC_ALL", "C")
            .within(&self.folder)
            .limit_minutes(10)
            .capture()
    }

    fn downloaded(&self) -> Result<Vec<PathBuf>> {
        let mut packages = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                packages.push(path);
            }
        }
        Ok(packages)
    }
}

/// How the machine downloads (proxies, certificates, retries) stays as it is; where apt keeps things does not, and
/// hooks are left out.
fn private_configuration(inherited: &str, folder: &Path) -> String {
    let kept = inherited
        .lines()
        .filter(|line| line.starts_with("Acquire::") && !line.starts_with("Acquire::Languages"));
    let folder = folder.display();
    let own = [
        "Dir::Etc::main \"/dev/null\";".to_owned(),
        "Dir::Etc::parts \"/dev/null\";".to_owned(),
        "Dir::Etc::preferences \"/dev/null\";".to_owned(),
        "Dir::Etc::preferencesparts \"/dev/null\";".to_owned(),
        format!("Dir::Etc::sourcelist \"{folder}/debian.sources\";"),
        "Dir::Etc::sourceparts \"/dev/null\";".to_owned(),
        format!("Dir::State::lists \"{folder}/lists\";"),
        format!("Dir::Cache \"{folder}/cache\";"),
        "Acquire::Languages \"none\";".to_owned(),
        "Acquire::Retries \"3\";".to_owned(),
        // The folder belongs to whoever runs this; apt's own user couldn't write in it.
        "APT::Sandbox::User \"root\";".to_owned(),
    ];
    let mut text = kept.map(str::to_owned).chain(own).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

/// The archive that the machine's own apt uses.
fn archive_uri() -> Result<String> {
    for (path, parse) in [
        (SOURCES, uri_of_stanzas as fn(&str) -> Option<String>),
        (OLD_SOURCES, uri_of_lines),
    ] {
        if let Some(uri) = fs::read_to_string(path).ok().and_then(|text| parse(&text)) {
            return Ok(uri);
        }
    }
    bail!("this is no Debian machine: neither {SOURCES} nor {OLD_SOURCES} names an archive")
}

/// The first archive of a file with `Field: value` stanzas that isn't one for security updates only.
fn uri_of_stanzas(text: &str) -> Option<String> {
    let field = |stanza: &str, name: &str| {
        stanza
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|value| Some(value.split_whitespace().next()?.to_owned()))
    };
    text.split("\n\n")
        .filter(|stanza| !field(stanza, "Suites:").is_some_and(|suite| suite.contains("-security")))
        .find_map(|stanza| field(stanza, "URIs:"))
}

/// The same for the older format, `deb [options] uri suite component…` a line.
fn uri_of_lines(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut words = line
            .strip_prefix("deb ")?
            .split_whitespace()
            .skip_while(|word| !word.contains("://"));
        let (uri, suite) = (words.next()?, words.next()?);
        (!suite.contains("-security")).then(|| uri.to_owned())
    })
}

/// From lines `package | version | origin`, the first version of exactly this release.
fn matching_version<'a>(madison: &'a str, release: &str) -> Option<&'a str> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|version| {
            version
                .strip_prefix(release)
                .is_some_and(|rest| rest.starts_with(['+', '-', '~']))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_the_exact_release() {
        let madison =
            " rust-src | 1.95.1+dfsg1-1 | uri sid/main\n rust-src | 1.95.0+dfsg1-1~bpo13+1 | uri backports/main\n";
        for (release, expected) in [
            ("1.95.0", Some("1.95.0+dfsg1-1~bpo13+1")),
            ("1.95.1", Some("1.95.1+dfsg1-1")),
            ("1.95", None),
            ("1.9", None),
            ("1.96.0", None),
        ] {
            assert_eq!(matching_version(madison, release), expected, "{release}");
        }
        assert_eq!(matching_version("", "1.95.0"), None);
    }

    #[test]
    fn finds_the_archive_in_both_formats() {
        let stanzas = "Types: deb\nURIs: http://a.example/debian-security\nSuites: bookworm-security\n\n\
                       # main\nTypes: deb\nURIs: http://b.example/debian http://c.example\nSuites: bookworm\n";
        assert_eq!(uri_of_stanzas(stanzas).as_deref(), Some("http://b.example/debian"));
        assert_eq!(uri_of_stanzas("Types: deb\n"), None);
        let lines = "# deb http://no.example x main\ndeb http://a.example bookworm-security main\n\
                     deb [signed-by=/k.gpg] https://b.example/debian bookworm main\n";
        assert_eq!(uri_of_lines(lines).as_deref(), Some("https://b.example/debian"));
        assert_eq!(uri_of_lines("deb-src http://a.example x main\n"), None);
    }

    #[test]
    fn keeps_how_to_download_and_drops_hooks_and_places() {
        let dump = "Acquire::http::Proxy \"http://proxy.example\";\nAPT::Update::Post-Invoke:: \"rm -f everything\";\n\
                    Dir::State \"var/lib/apt\";\nAcquire::Languages:: \"de\";\n";
        let text = private_configuration(dump, Path::new("/scratch"));
        assert!(
            text.contains("http://proxy.example") && text.contains("/scratch/lists"),
            "{text}"
        );
        assert!(
            !text.contains("rm -f") && !text.contains("var/lib/apt") && !text.contains("\"de\""),
            "{text}"
        );
    }
}
