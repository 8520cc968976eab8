//! What the node is told on its command line, and the file that this comes to.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bench_guests::ballast::component;
use clap::Parser;

/// The types of entities of each node.
pub(crate) mod types {
    /// Native, and never written.
    pub(crate) const PLAIN: &str = "plain";
    /// Native, and written before each reply.
    pub(crate) const DURABLE: &str = "durable";
    /// Guests, written when they end.
    pub(crate) const GUEST: &str = "guest";
}

/// The bytes of each state.
pub(crate) const STATE: u32 = 1 << 10;
/// The module of the guests.
pub(crate) const MODULE: &str = "ballast";

/// A node of the benchmark with entities, driven through stdin and stdout.
#[derive(Parser, Debug)]
pub(crate) struct Options {
    /// The node's name.
    #[arg(long, default_value = "alone")]
    pub(crate) name: String,
    /// The port of a PostgreSQL on this machine, which makes it one of a cluster.
    #[arg(long)]
    pub(crate) store: Option<u16>,
    /// Run a PostgreSQL, and nothing else.
    #[arg(long)]
    pub(crate) postgres: bool,
}

/// The URL of the server at this port.
pub(crate) fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

/// Writes the file of a node and what belongs to it, and gives its path.
///
/// # Errors
/// The folder can't be written, or there is no free port.
pub(crate) fn write(options: &Options, folder: &Path) -> anyhow::Result<PathBuf> {
    write_secret(&folder.join("cookie"), "the cookie of the benchmark")?;
    fs::write(folder.join("ballast.wasm"), component(1)?)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let cluster = match options.store {
        None => String::new(),
        Some(store) => {
            write_secret(&folder.join("store"), &url(store))?;
            format!("[cluster]\nstore_file = \"store\"\nadvertise = \"127.0.0.1:{port}\"\n")
        }
    };
    let of_type =
        |name: &str, rest: &str| format!("[entities.{name}]\npassivate_after = \"1h\"\nshards = 256\n{rest}\n");
    let types = [
        of_type(types::PLAIN, "native = \"ballast\"\ndurability = \"none\""),
        of_type(types::DURABLE, "native = \"ballast\"\ndurability = \"before-reply\""),
        of_type(
            types::GUEST,
            &format!(
                "module = \"{MODULE}\"\ndurability = \"every 1h\"\narguments = \"bytes:{}\"",
                hexadecimal(STATE)
            ),
        ),
    ];
    let text = format!(
        "[node]\nname = \"{}\"\nlisten = \"127.0.0.1:{port}\"\ncookie_file = \"cookie\"\n{cluster}\
         [runtime]\nstate_dir = \"state\"\ncache_dir = \"cache\"\nactivations_at_once = 256\nactivations_per_second = 1000000\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n[modules.{MODULE}]\npath = \"ballast.wasm\"\n{}",
        options.name,
        types.concat(),
    );
    let file = folder.join("node.toml");
    fs::write(&file, text)?;
    Ok(file)
}

/// Writes a file that nobody else may read.
fn write_secret(file: &Path, content: &str) -> anyhow::Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

/// A number as the guest reads it.
fn hexadecimal(number: u32) -> String {
    let bytes = number.to_le_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
