//! The node of this process, and the lines that only it knows:
//!
//! | line | what it does |
//! |---|---|
//! | `connect PORT` | connects, and waits until the other node's counters are known |
//! | `target PLACE KIND` | PLACE is `local`, `remote` or `relay`, KIND is `native` or `guest`: where loads go from now on |
//! | `crowd N` | starts and stops N guests |
//! | `language NAME COMPONENT` | loads a counter in a language, and starts one |
//! | `target language NAME` | loads go to it from now on |
//! | `crowd N NAME` | starts and stops N of them |
//! | `list ELEMENTS TIMES COMPONENT` | loads a kitchen, and has one give a list back, TIMES times |
//! | `reload GUESTS BYTES TIMES AT_ONCE` | reloads GUESTS guests with a state of BYTES, TIMES times |

use std::net::Ipv4Addr;

use anyhow::{Context, bail};
use bench_load::{Node, number, word};
use counter::Counter;
use ractor::{Actor, ActorCell, ActorRef, pg};
use ractor_host::guest::Engine;
use ractor_host::node::client::connect_until_ready;
use ractor_host::node::{NodeConnectionMode, listen_addr};
use ractor_host::{NodeServer, NodeServerMessage};
use serde_json::{Value, json};

use crate::Options;
use crate::counters::Counted;
use crate::crowd::{self, Guests, reloads};
use crate::languages::{Languages, lists};

/// The kinds of counters. The groups by which other nodes find one of each have the same names.
const KINDS: [&str; 2] = ["native", "guest"];

/// The node of this process.
pub(crate) struct GuestNode {
    server: ActorRef<NodeServerMessage>,
    port: u16,
    engine: Engine,
    guests: Guests,
    counters: Vec<Counters>,
    languages: Languages,
    target: Option<Counted>,
}

/// The counters of one kind.
struct Counters {
    kind: &'static str,
    /// The one that loads go to.
    direct: ActorCell,
    /// One that sends on what it gets, to the other member of a group that is this node's alone.
    relay: ActorCell,
    group: String,
}

impl Counters {
    async fn start(kind: &'static str, guests: &Guests, node: &str) -> anyhow::Result<Self> {
        let mut cells = Vec::new();
        for _ in 0..3 {
            cells.push(match kind {
                "guest" => guests.start().await?,
                _ => Actor::spawn(None, Counter, 0).await?.0.get_cell(),
            });
        }
        let group = format!("{node}-{kind}");
        let direct = cells.pop().context("three were started")?;
        let relay = cells.last().cloned().context("three were started")?;
        pg::join(group.clone(), cells);
        pg::join(kind.to_owned(), vec![direct.clone()]);
        Ok(Self {
            kind,
            direct,
            relay,
            group,
        })
    }
}

impl GuestNode {
    /// Starts the counters and the node server.
    pub(crate) async fn start(options: Options) -> anyhow::Result<Self> {
        let engine = crowd::engine()?;
        let guests = Guests::counters(&engine, options.component).await?;
        let mut counters = Vec::new();
        for kind in KINDS {
            counters.push(Counters::start(kind, &guests, &options.name).await?);
        }
        let server = NodeServer::new(
            0,
            "the cookie of the benchmark".to_owned(),
            options.name,
            "localhost".to_owned(),
            None,
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(Ipv4Addr::LOCALHOST.into());
        let (server, _) = Actor::spawn(None, server, ()).await?;
        let port = listen_addr(&server)
            .await
            .context("the node server doesn't listen")?
            .port();
        Ok(Self {
            server,
            port,
            engine,
            guests,
            counters,
            languages: Languages::default(),
            target: None,
        })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn target(&self, place: &str, kind: &str) -> anyhow::Result<Counted> {
        let mut counters = self.counters.iter();
        let here = counters
            .find(|counters| counters.kind == kind)
            .context("no such kind")?;
        Ok(match place {
            "local" => Counted::direct(here.direct.clone()),
            "relay" => Counted::relayed(here.relay.clone(), here.group.clone()),
            "remote" => {
                let mut members = pg::get_members(&kind.to_owned()).into_iter();
                let there = members.find(|member| member.get_id() != here.direct.get_id());
                Counted::direct(there.context("no node is connected")?)
            }
            _ => bail!("no place is called {place}"),
        })
    }
}

impl Node for GuestNode {
    type Target = Counted;

    fn sink(&self) -> anyhow::Result<Counted> {
        self.target.clone().context("no target yet")
    }

    fn callee(&self) -> anyhow::Result<Counted> {
        self.sink()
    }

    async fn own(&mut self, words: &[&str]) -> anyhow::Result<Value> {
        match words {
            ["connect", ..] => {
                let port = u16::try_from(number(word(words, 1)?)?)?;
                connect_until_ready(&self.server, ("127.0.0.1", port), None).await?;
                Ok(json!({}))
            }
            ["language", name, component] => {
                self.languages.start(&self.engine, name, component).await?;
                Ok(json!({}))
            }
            ["target", "language", name] => {
                self.target = Some(Counted::direct(self.languages.counter(name)?));
                Ok(json!({}))
            }
            ["target", place, kind] => {
                self.target = Some(self.target(place, kind)?);
                Ok(json!({}))
            }
            ["crowd", guests] => self.guests.crowd(u32::try_from(number(guests)?)?).await,
            ["crowd", guests, name] => self.languages.of(name)?.crowd(u32::try_from(number(guests)?)?).await,
            ["list", elements, times, component] => lists(number(elements)?, number(times)?, component).await,
            ["reload", guests, bytes, times, at_once] => {
                let [guests, bytes, times] = [guests, bytes, times].map(|word| number(word).map(u32::try_from));
                reloads(guests??, bytes??, times??, usize::try_from(number(at_once)?)?).await
            }
            _ => bail!("unknown command: {}", words.join(" ")),
        }
    }
}
