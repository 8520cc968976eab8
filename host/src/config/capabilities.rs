//! `[actors.capabilities]`: what a guest may reach. What is not written here is denied.

use std::collections::{BTreeMap, BTreeSet};
use std::env::VarError;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::choice::{chosen_or, known};
use super::context::ReadContext;
use super::problem::Problems;
use super::section::{Keys, Section, kind};
use super::spans::{CapabilitySpans, PathSpan};
use crate::guest::{Access, Capability, Directory, Endpoint, Grants, HttpOrigin, Spawn, Variables};

pub(super) const KEYS: Keys = Keys {
    known: Capability::KEYS,
    explained: &[
        ("send", "write `messages = [\"NAME\", \"group:NAME\"]`"),
        ("send_to", "write `messages = [\"NAME\", \"group:NAME\"]`"),
        ("groups", "write `messages = [\"group:NAME\"]`"),
        ("modules", "write `spawn = [\"MODULE\"]`"),
        ("env", "write `environment = [\"NAME\", \"NAME=VALUE\"]`"),
        (
            "files",
            "write `directories = [{ host = \"data\", guest = \"/data\" }]`",
        ),
        ("dirs", "write `directories = [{ host = \"data\", guest = \"/data\" }]`"),
        ("https", "write `http = [\"https://HOST\"]`"),
        ("urls", "write `http = [\"https://HOST\"]`"),
        ("network", "write `tcp = [\"HOST:PORT\"]` or `udp = [\"HOST:PORT\"]`"),
    ],
};

pub(super) const DIRECTORY_KEYS: Keys = Keys {
    known: &["host", "guest", "access"],
    explained: &[("path", "write `host = \"data\", guest = \"/data\"`")],
};

const ENDPOINT: &str = "expected HOST:PORT such as `db.internal:5432`, `10.0.0.0/8:443`, `[::1]:80` or `*:53`";

const HTTP_ORIGIN: &str = "expected SCHEME://HOST or SCHEME://HOST:PORT such as `https://api.example.com`, \
                           `http://127.0.0.1:8080` or `https://*.example.com`";

/// Reads the table, and says where the paths of its directories are. `modules` are the names of all modules.
pub(super) fn read(
    section: &Section<'_>,
    modules: &[&str],
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> (Grants, CapabilitySpans) {
    let (mut grants, mut spans) = (Grants::default(), CapabilitySpans::default());
    for capability in Capability::ALL {
        let key = capability.key();
        match capability {
            Capability::Messages => {
                let expected = "expected an actor's name, `group:NAME`, `worker-*` or `*`";
                grants.messages = each(section, key, expected, problems).into_iter().collect();
            }
            Capability::Spawn => grants.spawn = read_spawn(section, key, modules, problems),
            Capability::Directories => {
                let directories = read_directories(section, key, context, problems);
                (grants.directories, spans.directories) = directories.into_iter().unzip();
            }
            Capability::Environment => {
                (grants.environment, spans.variables) = read_environment(section, key, context, problems);
            }
            Capability::Tcp => grants.tcp = read_endpoints(section, key, problems),
            Capability::Udp => grants.udp = read_endpoints(section, key, problems),
            Capability::Dns => {
                let expected = "expected a name such as `db.internal`, `*.internal` or `*`";
                grants.dns = each(section, key, expected, problems);
            }
            Capability::Http => grants.http = read_http(section, key, problems),
        }
    }
    (grants, spans)
}

/// None if the key isn't there.
fn read_http(section: &Section<'_>, key: &str, problems: &mut Problems) -> Option<Vec<HttpOrigin>> {
    section.value(key)?;
    let texts = section.texts(key, problems);
    let read = texts
        .iter()
        .filter_map(|text| match text.get_ref().parse::<HttpOrigin>() {
            Ok(origin) => Some(origin),
            Err(error) => {
                let help = match &error.instead {
                    Some(origin) => format!("did you mean \"{origin}\"?"),
                    None => HTTP_ORIGIN.to_owned(),
                };
                problems.error(text.span(), error.to_string(), help);
                None
            }
        });
    Some(read.collect())
}

fn read_endpoints(section: &Section<'_>, key: &str, problems: &mut Problems) -> Vec<Endpoint> {
    let texts = section.texts(key, problems);
    let read = texts
        .iter()
        .filter_map(|text| match text.get_ref().parse::<Endpoint>() {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                let help = error.instead.clone().unwrap_or_else(|| ENDPOINT.to_owned());
                problems.error(text.span(), error.to_string(), help);
                None
            }
        });
    read.collect()
}

/// A list of texts that each stand for something.
fn each<T: FromStr<Err: Display>>(section: &Section<'_>, key: &str, expected: &str, problems: &mut Problems) -> Vec<T> {
    let texts = section.texts(key, problems);
    let read = texts.iter().filter_map(|text| match text.get_ref().parse::<T>() {
        Ok(value) => Some(value),
        Err(error) => {
            problems.error(text.span(), error.to_string(), expected);
            None
        }
    });
    read.collect()
}

fn read_spawn(section: &Section<'_>, key: &str, modules: &[&str], problems: &mut Problems) -> Spawn {
    let texts = section.texts(key, problems);
    if texts.iter().any(|text| *text.get_ref() == "*") {
        return Spawn::Anything;
    }
    let message = "there is no module `{}`";
    let known = |text| known(text, message, modules, "add a table `[modules.…]` for it", problems);
    let names: BTreeSet<String> = texts.iter().filter_map(known).collect();
    if names.is_empty() {
        Spawn::Nothing
    } else {
        Spawn::Modules(names)
    }
}

fn read_directories(
    section: &Section<'_>,
    key: &str,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Vec<(Directory, PathSpan)> {
    let Some(value) = section.value(key) else {
        return Vec::new();
    };
    let DeValue::Array(tables) = value.get_ref() else {
        let message = format!("`{key}` is {}", kind(value.get_ref()));
        let help = "expected a list of tables: `[{ host = \"data\", guest = \"/data\", access = \"read\" }]`";
        problems.error(value.span(), message, help);
        return Vec::new();
    };
    let mut directories: Vec<(Directory, PathSpan)> = Vec::new();
    for table in tables.iter() {
        let title = format!("an element of `{key}`");
        let directory = Section::open(&title, table, DIRECTORY_KEYS, problems)
            .and_then(|section| read_directory(&section, context, problems));
        match directory {
            Some((directory, _)) if directories.iter().any(|(other, _)| other.guest == directory.guest) => {
                let message = format!("two directories are `{}` to the guest", directory.guest.escape_debug());
                problems.error(table.span(), message, "each has a path of its own");
            }
            Some(directory) => directories.push(directory),
            None => {}
        }
    }
    directories
}

fn read_directory(
    section: &Section<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Option<(Directory, PathSpan)> {
    let host = section.required_text("host", "\"data\"", problems);
    let guest = section.required_text("guest", "\"/data\"", problems);
    let access = chosen_or("access", &Access::NAMES, Access::Read, section, problems)?;
    let (host, guest) = (host?, guest?);
    for text in [&host, &guest] {
        if text.get_ref().is_empty() || text.get_ref().contains(char::is_control) {
            problems.error(
                text.span(),
                "this is not the path of a directory",
                "expected for example `data`",
            );
            return None;
        }
    }
    let directory = Directory {
        host: context.path(&host),
        guest: (*guest.get_ref()).to_owned(),
        access,
    };
    Some((directory, PathSpan::of(&host)))
}

/// The variables, and where each is in the file.
fn read_environment(
    section: &Section<'_>,
    key: &str,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> (Variables, BTreeMap<String, Range<usize>>) {
    let (mut variables, mut spans) = (Variables::default(), BTreeMap::new());
    for text in section.texts(key, problems) {
        let name = text.get_ref().split_once('=').map_or(*text.get_ref(), |(name, _)| name);
        spans.insert(name.to_owned(), text.span());
        let set = match text.get_ref().split_once('=') {
            Some((name, value)) => variables.set(name, value),
            None => match inherited(&text, context, problems) {
                Some(value) => variables.set(text.get_ref(), &value),
                None => continue,
            },
        };
        if let Err(error) = set {
            let help = "expected `NAME`, for the value that the node itself has, or `NAME=VALUE`";
            problems.error(text.span(), error.to_string(), help);
        }
    }
    (variables, spans)
}

/// The value that this process has for a variable.
fn inherited(name: &Spanned<&str>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<String> {
    if name.get_ref().is_empty() || name.get_ref().contains('\0') {
        // The name can't be looked up, and `Variables::set` says what is wrong with it.
        return Some(String::new());
    }
    match (context.variable)(name.get_ref()) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => {
            let message = format!("the environment has no variable `{}`", name.get_ref().escape_debug());
            let help = "the guest won't see it either; `NAME=VALUE` gives it one";
            problems.warning(name.span(), message, help);
            None
        }
        Err(VarError::NotUnicode(_)) => {
            let message = format!("the variable `{}` is not UTF-8", name.get_ref().escape_debug());
            problems.error(name.span(), message, "guests only take UTF-8; leave it out");
            None
        }
    }
}
