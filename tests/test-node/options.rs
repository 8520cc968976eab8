//! The command line: pairs of a key and a value.
//!
//! | key | value |
//! |---|---|
//! | `--name`, `--cookie` | as for every node |
//! | `--port` | where it listens; 0 by default |
//! | `--listen` | the address, without the port; 127.0.0.1 by default |
//! | `--peer` | `HOST:PORT` to stay connected to; may be repeated |
//! | `--outbox`, `--mailbox` | limits in bytes |
//! | `--peer-bytes`, `--all-peers-bytes` | what one peer, and all of them, may have of the node, in bytes |
//! | `--silence` | milliseconds after which a silent peer counts as down |
//! | `--stand-ins` | `bare` or `qualified`, as their names are; qualified by default, so that tests can tell nodes apart |
//! | `--stock-peers` | `accepted` or `refused`; accepted by default |
//! | `--wants` | a pattern of groups, and every member of them; may be repeated. Without it and the next one the node wants all |
//! | `--wants-one` | a pattern of groups, and one member of each node |
//! | `--actor` | `NAME:GROUP[:PAUSE_MS]`; may be repeated |

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ractor_host::node::{
    DEFAULT_MAX_MAILBOX_SIZE, DEFAULT_MAX_OUTBOX_SIZE, GroupPattern, PeerLimits, StandInNames, StockPeers, Timing,
};

use crate::Error;

pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) cookie: String,
    pub(crate) listen: IpAddr,
    pub(crate) port: u16,
    pub(crate) peers: Vec<String>,
    pub(crate) outbox: usize,
    pub(crate) mailbox: usize,
    pub(crate) peers_may: PeerLimits,
    pub(crate) timing: Timing,
    pub(crate) stand_in_names: StandInNames,
    pub(crate) stock_peers: StockPeers,
    pub(crate) wants: Vec<GroupPattern>,
    /// Name, group, pause.
    pub(crate) actors: Vec<(String, String, Duration)>,
}

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self {
            name: String::new(),
            cookie: String::new(),
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            peers: Vec::new(),
            outbox: DEFAULT_MAX_OUTBOX_SIZE,
            mailbox: DEFAULT_MAX_MAILBOX_SIZE,
            peers_may: PeerLimits::default(),
            timing: Timing::default(),
            stand_in_names: StandInNames::Qualified,
            stock_peers: StockPeers::Accepted,
            wants: Vec::new(),
            actors: Vec::new(),
        };
        while let Some(key) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{key} has no value"))?;
            match key.as_str() {
                "--name" => options.name = value,
                "--cookie" => options.cookie = value,
                "--listen" => options.listen = value.parse()?,
                "--port" => options.port = value.parse()?,
                "--peer" => options.peers.push(value),
                "--outbox" => options.outbox = value.parse()?,
                "--mailbox" => options.mailbox = value.parse()?,
                "--peer-bytes" => options.peers_may.peer_bytes = value.parse()?,
                "--all-peers-bytes" => options.peers_may.all_peers_bytes = value.parse()?,
                "--silence" => options.timing.silence = Duration::from_millis(value.parse()?),
                "--stand-ins" if value == "bare" => options.stand_in_names = StandInNames::Bare,
                "--stand-ins" if value == "qualified" => {}
                "--stock-peers" if value == "refused" => options.stock_peers = StockPeers::Refused,
                "--stock-peers" if value == "accepted" => {}
                "--wants" => options.wants.push(GroupPattern::every(value)),
                "--wants-one" => options.wants.push(GroupPattern::one_per_node(value)),
                "--actor" => options.actors.push(actor(&value)?),
                _ => return Err(format!("unknown option {key}").into()),
            }
        }
        Ok(options)
    }
}

fn actor(text: &str) -> Result<(String, String, Duration), Error> {
    let mut parts = text.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(group), pause) => {
            let pause = Duration::from_millis(pause.unwrap_or("0").parse()?);
            Ok((name.to_owned(), group.to_owned(), pause))
        }
        _ => Err(format!("{text} is not NAME:GROUP[:PAUSE_MS]").into()),
    }
}
