//! Addresses to listen on.

use std::net::SocketAddr;

use toml::Spanned;

use super::address::EXAMPLE_PORT;
use super::problem::Problems;
use crate::guest::{Instead, mistaken};

/// The address of a key `listen`.
pub(super) fn read_listen(listen: &Spanned<&str>, problems: &mut Problems) -> Option<SocketAddr> {
    let text = *listen.get_ref();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    problems.error(
        listen.span(),
        "`listen` is not an address with a port",
        listen_help(text),
    );
    None
}

/// What to write in place of this text, which is no address to listen on.
fn listen_help(text: &str) -> String {
    let meant = match mistaken(text, EXAMPLE_PORT).map(|mistaken| mistaken.instead) {
        Some(Instead::Several(_)) => return "`listen` takes one address".to_owned(),
        Some(Instead::Address(address)) => address,
        Some(Instead::Nothing) | None => text.to_owned(),
    };
    if meant.parse::<SocketAddr>().is_ok() {
        return format!("did you mean `{meant}`?");
    }
    // Names are not looked up, so that only their port can be right.
    let port = meant.rsplit_once(':').map_or(meant.as_str(), |(_, port)| port);
    match port.parse::<u16>() {
        Ok(port) => format!("did you mean `127.0.0.1:{port}`?"),
        Err(_) => "expected IP:PORT such as `127.0.0.1:4697` or `[::1]:4697`".to_owned(),
    }
}

/// True if this machine alone can reach it.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
