//! `init`: a folder with what a node, or a small cluster, needs to run.

mod certificates;
mod texts;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use self::certificates::Authority;
use self::texts::{NodeText, gitignore};
use super::failure::Failure;
use super::output;
use super::schema::{SCHEMA, SCHEMA_FILE};
use crate::files;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host init
  ractor-host init shop --name shop
  ractor-host init trio --cluster 3 --tls
  ractor-host init trio --cluster 3 --tls --host a.example,b.example,c.example";

/// The most nodes that are made at once. A cluster connects each node with each other.
const MOST_NODES: i64 = 64;

/// The name of a node whose folder has none that a node could have.
const NAME: &str = "alpha";

/// The files that all nodes of a folder share.
const COOKIE: &str = "cookie";
const KEY: &str = "deploy.key";
const CA: &str = "ca.pem";
const CA_KEY: &str = "ca-key.pem";

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// The folder. It is made if it isn't there.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The name of the node. By default, that of the folder.
    #[arg(long, value_name = "NAME", conflicts_with = "cluster", value_parser = node_name)]
    name: Option<String>,
    /// Make this many nodes that find each other: node1.toml, node2.toml and so on.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(2..=MOST_NODES))]
    cluster: Option<u8>,
    /// The machine of each node of a cluster, by its DNS name or address. By default, all of them run on this one.
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',', requires_all = ["cluster", "tls"])]
    hosts: Vec<String>,
    /// Make a CA, and a certificate of it for each node, so that every connection is encrypted.
    #[arg(long)]
    tls: bool,
    /// The port of the node. Further nodes on the same machine take the ports behind it.
    #[arg(long, value_name = "PORT", default_value_t = 4697, value_parser = clap::value_parser!(u16).range(1..=65_000))]
    port: u16,
}

/// A node that is to be.
#[derive(Debug, PartialEq, Eq)]
struct NewNode {
    /// Its name, and for a cluster the stem of its files.
    name: String,
    /// The file that describes it.
    file: String,
    host: String,
    port: u16,
}

/// A file that is to be, and who may read it.
struct NewFile {
    name: String,
    content: Vec<u8>,
    readers: Readers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Everybody,
    OwnerAlone,
}

pub(super) fn init(arguments: &InitArguments) -> Result<ExitCode, Failure> {
    let nodes = nodes(arguments)?;
    let new = contents(arguments, &nodes)?;
    let folder = &arguments.folder;
    // Before the first one is written: whatever is there stays, and nothing is half made.
    let there: Vec<&str> = new
        .iter()
        .map(|file| file.name.as_str())
        .filter(|name| folder.join(name).symlink_metadata().is_ok())
        .collect();
    if !there.is_empty() {
        return Err(Failure::usage(format_args!(
            "these files are in {} already, and nothing is overwritten: {}; choose another folder, or move them away",
            folder.display(),
            there.join(", ")
        )));
    }
    write_all(folder, &new)?;
    output::write(|out| report(out, arguments, &nodes, &new))?;
    Ok(ExitCode::SUCCESS)
}

fn nodes(arguments: &InitArguments) -> Result<Vec<NewNode>, Failure> {
    let Some(count) = arguments.cluster else {
        return Ok(vec![NewNode {
            name: arguments.name.clone().unwrap_or_else(|| name_of(&arguments.folder)),
            file: "node.toml".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: arguments.port,
        }]);
    };
    let hosts = &arguments.hosts;
    if !hosts.is_empty() && hosts.len() != usize::from(count) {
        return Err(Failure::usage(format_args!(
            "--host names {} machines for {count} nodes; name one for each, separated by commas",
            hosts.len()
        )));
    }
    let node = |index: u8| {
        let host = hosts.get(usize::from(index)).cloned();
        NewNode {
            name: format!("node{}", index + 1),
            file: format!("node{}.toml", index + 1),
            // Nodes that share a machine need ports of their own.
            port: arguments.port + if host.is_some() { 0 } else { u16::from(index) },
            host: host.unwrap_or_else(|| "127.0.0.1".to_owned()),
        }
    };
    Ok((0..count).map(node).collect())
}

/// The name of the folder, if a node can have it.
fn name_of(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_default();
    let name = absolute.file_name().unwrap_or_default().to_string_lossy();
    node_name(&name).unwrap_or_else(|_| NAME.to_owned())
}

/// Narrower than what a node.toml takes: the name becomes part of file names, and is to need quotes nowhere.
fn node_name(text: &str) -> Result<String, String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
        return Err("expected at most 64 letters, digits, `-` and `_`".to_owned());
    }
    Ok(text.to_owned())
}

/// All files, those without which the others are useless first.
fn contents(arguments: &InitArguments, nodes: &[NewNode]) -> Result<Vec<NewFile>, Failure> {
    let secret = |name: &str, content: Vec<u8>| NewFile {
        name: name.to_owned(),
        content,
        readers: Readers::OwnerAlone,
    };
    let open = |name: &str, content: String| NewFile {
        name: name.to_owned(),
        content: content.into_bytes(),
        readers: Readers::Everybody,
    };
    let is_cluster = arguments.cluster.is_some();
    let mut files = vec![secret(COOKIE, random_line())];
    if is_cluster {
        files.push(secret(KEY, random_line()));
    }
    if arguments.tls {
        let failed = |error: rcgen::Error| Failure::runtime(format_args!("the certificates can't be made: {error}"));
        let ca = Authority::new().map_err(failed)?;
        files.push(open(CA, ca.certificate()));
        files.push(secret(CA_KEY, ca.key().into_bytes()));
        for node in nodes {
            let issued = ca.issue(&node.name, &node.host).map_err(failed)?;
            files.push(open(&node.certificate(), issued.certificate));
            files.push(secret(&node.key(), issued.key.into_bytes()));
        }
    }
    for node in nodes {
        let peers = nodes.iter().filter(|other| *other != node).map(NewNode::address);
        let text = NodeText {
            node,
            peers: peers.collect(),
            tls: arguments.tls,
            is_cluster,
        };
        files.push(open(&node.file, text.to_string()));
    }
    files.push(open(SCHEMA_FILE, SCHEMA.to_owned()));
    files.push(open(".gitignore", gitignore()));
    Ok(files)
}

impl NewNode {
    /// Where other nodes reach it.
    fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    fn is_here(&self) -> bool {
        self.host == "127.0.0.1"
    }

    fn certificate(&self) -> String {
        format!("{}.pem", self.name)
    }

    fn key(&self) -> String {
        format!("{}-key.pem", self.name)
    }
}

/// 256 random bits, in hexadecimal digits.
fn random_line() -> Vec<u8> {
    format!("{}\n", hex::encode(rand::random::<[u8; 32]>())).into_bytes()
}

fn write_all(folder: &Path, new: &[NewFile]) -> Result<(), Failure> {
    let failed = |path: &Path, error: io::Error| Failure::runtime(format_args!("{}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for file in new {
        let path = folder.join(&file.name);
        let written = match file.readers {
            // With the mode from the beginning: there is no moment at which others could read it.
            Readers::OwnerAlone => files::create(&path, &file.content),
            Readers::Everybody => OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)
                .and_then(|mut opened| opened.write_all(&file.content)),
        };
        written.map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn report(out: &mut impl Write, arguments: &InitArguments, nodes: &[NewNode], new: &[NewFile]) -> io::Result<()> {
    let folder = arguments.folder.display();
    writeln!(out, "{folder} has now:")?;
    for file in new {
        let note = match file.name.as_str() {
            CA_KEY => "   # makes further certificates; keep it where no node runs",
            SCHEMA_FILE => "   # an editor completes node.toml by it",
            _ if file.readers == Readers::OwnerAlone => "   # secret",
            _ => "",
        };
        writeln!(out, "  {}{note}", file.name)?;
    }
    writeln!(out, "what to do next:")?;
    if arguments.folder != Path::new(".") {
        writeln!(out, "  cd {folder}")?;
    }
    for node in nodes {
        if node.is_here() {
            writeln!(out, "  ractor-host run {}", node.file)?;
        } else {
            let files = [COOKIE, KEY, CA, &node.certificate(), &node.key(), &node.file].join(" ");
            writeln!(out, "  # on {}, with {files}:", node.host)?;
            writeln!(out, "  ractor-host run {}", node.file)?;
        }
    }
    match nodes {
        [node] => writeln!(
            out,
            "  ractor-host doctor -f {}   # while it runs, and whenever something is wrong",
            node.file
        ),
        [first, ..] if first.is_here() => writeln!(out, "  ractor-host nodes -f {} --all-nodes", first.file),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_after_its_folder_if_it_can_be() {
        assert_eq!(name_of(Path::new("/srv/shop")), "shop");
        assert_eq!(name_of(Path::new("/srv/a b")), NAME);
        assert_eq!(name_of(Path::new("/")), NAME);
    }
}
