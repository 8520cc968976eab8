//! A node that stops while an actor's handler is pending.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::{Signal, Stream};
use ractor_host_tests::programs;

#[test]
fn a_node_that_stops_lets_a_pending_handler_finish() {
    let guest = programs::guest("asker");
    let script = "print begun; sleep 1500; print finished";
    let mut node = HostNode::start(
        "alpha",
        &format!(
            "[modules.asker]\npath = {guest:?}\n\n[[actors]]\nname = \"asker\"\nmodule = \"asker\"\narguments = \"str:{script}\"\n"
        ),
    );
    let begun = |line: &str| line.contains("begun");
    node.process().wait_line(Stream::Stderr, 0, "the handler begins", begun);
    node.process().signal(Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
    let log = node.process().lines(Stream::Stderr).join("\n");
    assert!(log.contains("finished"), "{log}");
}
