//! Whoever reaches the port without being a node.

use std::io::{Read, Write};
use std::net::TcpStream;

use ractor_host_tests::peer::Peer;
use ractor_host_tests::wait;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::{logged, node, wait_log, wait_logged};

/// The additional memory that a node may have in use after strangers: what allocators keep.
const ALLOWANCE: u64 = 32 * 1024 * 1024;

/// The number of strangers that come at once.
const CONNECTIONS: usize = 5_000;

/// A node with a peer that it serves throughout.
struct Served {
    node: Peer,
    peer: Peer,
}

impl Served {
    fn start() -> Self {
        let node = node("served", &["--actor", "worker:workers"]);
        let mut peer = crate::node("peer", &["--peer", node.address()]);
        peer.wait("members workers", "remote:worker@served@localhost");
        Self { node, peer }
    }

    /// Sends bytes as a stranger, and waits until the node hangs up.
    #[track_caller]
    fn hangs_up_on(&self, bytes: &[u8]) {
        let mut stranger = self.stranger();
        // The node may hang up before it has got everything, which is an error here.
        drop(stranger.write_all(bytes));
        drop(stranger.set_read_timeout(Some(wait::PATIENCE)));
        let mut rest = Vec::new();
        match stranger.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
        }
    }

    #[track_caller]
    fn stranger(&self) -> TcpStream {
        match TcpStream::connect(self.node.address()) {
            Ok(stream) => stream,
            Err(error) => panic!("a stranger's connection: {error}"),
        }
    }

    /// The good peer has noticed nothing.
    #[track_caller]
    fn goes_on(&mut self) {
        assert_eq!(self.peer.run("echo worker 1000"), "1000");
        let events = self.peer.events();
        assert!(!events.iter().any(|event| event.starts_with("closed")), "{events:?}");
    }
}

fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = (content.len() as u64).to_be_bytes().to_vec();
    frame.extend(content);
    frame
}

#[test]
fn garbage_is_one_line_with_a_reason() {
    let mut served = Served::start();
    served.hangs_up_on(&frame(&[0xff; 40]));
    wait_log(&mut served.node, "reason=\"malformed\"");
    wait_logged(&mut served.node, "refused a connection", 1);
    served.goes_on();
}

#[test]
fn a_length_beyond_the_limit_of_a_handshake_is_refused_before_its_bytes_come() {
    let mut served = Served::start();
    let before = served.node.process().memory();
    for announced in [17 * 1024, 16 * 1024 * 1024, u64::MAX] {
        served.hangs_up_on(&announced.to_be_bytes());
    }
    wait_log(&mut served.node, "reason=\"frame_too_large\"");
    wait_logged(&mut served.node, "refused a connection", 3);
    let after = served.node.process().memory();
    assert!(
        after < before + ALLOWANCE,
        "the node grew from {before} to {after} bytes"
    );
    served.goes_on();
}

#[test]
fn http_and_tls_at_the_port_are_refused() {
    let mut served = Served::start();
    served.hangs_up_on(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.hangs_up_on(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0]);
    wait_log(&mut served.node, "refused a connection");
    wait_logged(&mut served.node, "refused a connection", 2);
    served.goes_on();
}

#[test]
fn thousands_of_silent_connections_leave_service_going_and_memory_returns() {
    let mut served = Served::start();
    allow_many_files();
    let before = served.node.process().memory();
    let silent: Vec<TcpStream> = (0..CONNECTIONS).map(|_| served.stranger()).collect();
    served.goes_on();
    // A newcomer may have to wait until the silent ones from its address are thrown out, and keeps trying.
    let mut newcomer = node("newcomer", &["--peer", served.node.address()]);
    newcomer.wait("members workers", "remote:worker@served@localhost");
    drop(silent);
    let lines = logged(&mut served.node, "refused a connection");
    assert!(lines < CONNECTIONS / 10, "{lines} lines for {CONNECTIONS} connections");
    wait::until(
        "the memory to return",
        || served.node.process().memory(),
        |memory| *memory < before + ALLOWANCE,
    );
    served.goes_on();
}

/// This process holds all of the strangers' ends.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may have all the files that it is allowed");
}
