//! Where the node listens, and the nodes that it dials.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::Life;
use super::finding::Finding;
use crate::cli::client::{ClientError, ClusterClient, Deadline};
use crate::cli::units::short;
use crate::config::{NodeConfig, PeerAddress};

/// The longest wait for a peer.
const DIALLING: Duration = Duration::from_secs(3);

pub(super) async fn examine(config: &NodeConfig, life: Life) -> Vec<Finding> {
    let admin = config.admin.as_ref().map(|admin| admin.listen);
    let addresses = [Some(config.node.listen), admin];
    let mut findings = Vec::new();
    // A node that runs has its address, and nobody else does.
    if life == Life::Down {
        findings.extend(addresses.into_iter().flatten().map(listen));
    }
    findings.extend(join_all(config.node.peers.iter().map(|peer| dial(peer, config))).await);
    findings
}

/// Tries to have the address for a moment.
fn listen(address: SocketAddr) -> Finding {
    let subject = format!("listen = \"{address}\"");
    if address.port() == 0 {
        return Finding::ok("listen", subject, "the system chooses a port at each start");
    }
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok("listen", subject, "the address is free"),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let by = owner(address.port()).unwrap_or_else(|| "a process of another user".to_owned());
            Finding::fail("listen", subject, format!("{by} listens there"))
                .because("the node would not start")
                .mend("end that process, or choose another port")
        }
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            Finding::fail("listen", subject, "this machine does not have that address")
                .mend("write an address of this machine (`ip address` lists them), or 0.0.0.0 for all of them")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Finding::fail("listen", subject, error)
            .mend("choose a port above 1023, or give the process CAP_NET_BIND_SERVICE"),
        Err(error) => Finding::fail("listen", subject, error),
    }
}

/// The process that listens on the port, as far as this user may know.
fn owner(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let socket = tables.iter().find_map(|table| listening_socket(table, port))?;
    let wanted = format!("socket:[{socket}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let path = process.path();
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if has_open(&path.join("fd"), &wanted) {
            let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
            return Some(format!("process {pid} ({})", name.trim()));
        }
    }
    None
}

fn has_open(folder: &Path, wanted: &str) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| target.as_os_str() == wanted)
}

/// The number of the socket that listens on this port, in a table of `/proc/net`.
fn listening_socket(table: &str, port: u16) -> Option<&str> {
    const LISTENING: &str = "0A";
    let port = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
        (local.ends_with(&port) && *state == LISTENING).then_some(*inode)
    })
}

/// Connects as a command does, with the cookie and the certificates of the node: what a peer would refuse is refused here.
async fn dial(peer: &PeerAddress, config: &NodeConfig) -> Finding {
    let begun = Instant::now();
    let by = config.node.dial();
    let connected = ClusterClient::connect(peer, &config.node.cookie, &by, Deadline::after(DIALLING)).await;
    match connected {
        Ok(client) => {
            let took = short(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
            let finding = Finding::ok("peer", peer, format!("{} answers, after {took}", client.peer_name()));
            // What was found is found, whether the goodbye arrives or not.
            client.leave().await.ok();
            finding
        }
        Err(error @ (ClientError::Connect { .. } | ClientError::ConnectTimeout { .. })) => {
            Finding::warn("peer", peer, error)
                .because("without it the cluster is smaller; a node dials it again and again")
                .mend(
                    "start it, or look for a firewall between the two; if it is gone for good, take it out of `peers`",
                )
        }
        Err(error) => Finding::fail("peer", peer, error)
            .because("it is there, and the two don't come together")
            .mend("compare the cookies, [node.tls] and versions of the two; the peer's log has its side of it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn who_listens_is_found_in_the_tables_of_the_system() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1259 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 41 1\n\
                     1: 0100007F:1259 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1\n";
        assert_eq!(listening_socket(table, 4697), Some("42"));
        assert_eq!(listening_socket(table, 4698), None);
    }

    #[test]
    fn an_address_that_is_taken_is_said_to_be_so_and_by_whom() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let finding = listen(address);
        assert_eq!(finding.level, Level::Fail);
        let own = format!("process {} (", std::process::id());
        assert!(
            cfg!(not(target_os = "linux")) || finding.what.contains(&own),
            "{}",
            finding.what
        );
        drop(taken);
        // Somebody else may have taken it since, who is given the next free one as this test was.
        let is_free = |_| {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            listen(free).level == Level::Ok
        };
        assert!(listen(address).level == Level::Ok || (0..10).any(is_free));
        assert_eq!(listen("127.0.0.1:0".parse().unwrap()).level, Level::Ok);
    }
}
