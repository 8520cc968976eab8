//! The example as its users run it: two processes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Ends the server with the test, however that ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

#[test]
fn one_process_is_greeted_by_an_actor_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nodes.sock");
    let program = env!("CARGO_BIN_EXE_unix-socket");

    let server = Command::new(program)
        .arg("serve")
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Server(server);
    let mut said = BufReader::new(server.0.stdout.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().starts_with("serving on "));

    let greet = Command::new(program)
        .arg("greet")
        .arg(&path)
        .arg("Ada")
        .output()
        .unwrap();
    assert!(greet.status.success(), "{}", String::from_utf8_lossy(&greet.stderr));
    assert_eq!(
        String::from_utf8(greet.stdout).unwrap(),
        "connected to server@localhost\nHello, Ada!\n"
    );
    assert_eq!(said.next().unwrap().unwrap(), "greeting Ada");

    let nobody = Command::new(program)
        .arg("greet")
        .arg("no.sock")
        .arg("Ada")
        .output()
        .unwrap();
    assert!(!nobody.status.success());
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("connecting to no.sock"));
}
