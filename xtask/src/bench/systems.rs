//! What is compared: who sends and who receives.

use anyhow::Result;

use super::node::Node;
use super::programs::Programs;

/// A program at each end, and what is between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct System {
    /// How it is called in tables and in JSON.
    pub(super) name: &'static str,
    client: Program,
    server: Program,
    tls: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Program {
    Raw,
    Stock,
    Ours,
}

impl Program {
    fn start(self, programs: &Programs, arguments: &[String]) -> Result<Node> {
        let program = match self {
            Self::Raw => return Node::start(&programs.raw, &[]),
            Self::Stock => &programs.stock,
            Self::Ours => &programs.ours,
        };
        Node::start(program, arguments)
    }
}

const fn system(name: &'static str, client: Program, server: Program, tls: bool) -> System {
    System {
        name,
        client,
        server,
        tls,
    }
}

/// TCP alone: the floor.
pub(super) const RAW: System = system("raw", Program::Raw, Program::Raw, false);
/// The published cluster at both ends.
pub(super) const STOCK: System = system("stock", Program::Stock, Program::Stock, false);
/// This one at both ends.
pub(super) const OURS: System = system("ours", Program::Ours, Program::Ours, false);
/// The published one sends, this one receives.
pub(super) const STOCK_TO_OURS: System = system("stock-to-ours", Program::Stock, Program::Ours, false);
/// This one sends, the published one receives.
pub(super) const OURS_TO_STOCK: System = system("ours-to-stock", Program::Ours, Program::Stock, false);
/// The published cluster over TLS.
pub(super) const STOCK_TLS: System = system("stock-tls", Program::Stock, Program::Stock, true);
/// This one over TLS.
pub(super) const OURS_TLS: System = system("ours-tls", Program::Ours, Program::Ours, true);

/// All of them.
pub(super) const ALL: [System; 7] = [RAW, STOCK, OURS, STOCK_TO_OURS, OURS_TO_STOCK, STOCK_TLS, OURS_TLS];

/// Two nodes, not connected yet. Both end when this is dropped.
pub(super) struct Pair {
    pub(super) client: Node,
    pub(super) server: Node,
}

impl System {
    /// Starts both nodes. `crowd` is what the server gets besides.
    pub(super) fn start(self, programs: &Programs, crowd: &[String]) -> Result<Pair> {
        self.start_with(programs, crowd, &[])
    }

    /// The same, with what the client gets besides.
    pub(super) fn start_with(self, programs: &Programs, crowd: &[String], wants: &[String]) -> Result<Pair> {
        let arguments = |name: &str| {
            let mut arguments = vec!["--name".to_owned(), name.to_owned()];
            if self.tls {
                arguments.extend(["--tls".to_owned(), programs.certificates.display().to_string()]);
            }
            arguments
        };
        let server = [arguments("server"), crowd.to_vec()].concat();
        Ok(Pair {
            server: self.server.start(programs, &server)?,
            client: self
                .client
                .start(programs, &[arguments("client"), wants.to_vec()].concat())?,
        })
    }
}

/// The group that a crowd may be in.
pub(super) const GROUP: &str = "crowd";

impl Pair {
    /// Connects the two, and waits until the server's actors are there, `crowd` of them in [`GROUP`].
    pub(super) fn connect<T: serde::de::DeserializeOwned>(&mut self, crowd: u64) -> Result<T> {
        let line = format!("connect {} {crowd} {GROUP}", self.server.port());
        self.client.ask(&line)
    }
}
