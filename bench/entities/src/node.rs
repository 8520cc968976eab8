//! The node of this process, and the lines that only it knows:
//!
//! | line | what it does |
//! |---|---|
//! | `joined TYPE` | waits until this node has entities of the type |
//! | `shared TYPE` | waits until another node has some, too |
//! | `target PLACE KIND` | PLACE is `local` or `remote`, KIND is `actor` or `entity`: where loads go from now on |
//! | `callers N MS` | N callers, each of a durable entity of its own, and what that had the store do |
//! | `bare BATCH MS` | what the bare store commits, BATCH states at a time |
//! | `activate N` | activations of N guests, and what they are made of |
//! | `touch N` | N durable entities are called, one after the other, most of which don't stay active |
//! | `watch N` | begins to call N entities of another node, each again and again |
//! | `watched` | ends that, and says how long each had to wait at most |
//! | `idle MS` | does nothing, from when the node is at rest, and says how many transactions the database had meanwhile |
//! | `leave` | stops the node in order |

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use bench_load::{Node, number, word};
use ractor::{Actor, ActorRef, pg};
use ractor_host::Host;
use ractor_host::entities::{EntityRef, Location, located};
use ractor_host::host::RunningHost;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::activations;
use crate::ballast::{Ballast, BallastMsg};
use crate::bare::Bare;
use crate::callers::{PATIENCE, Poked, Watch, call_all, elsewhere, entities};
use crate::crowd;
use crate::metrics::Metrics;
use crate::settings::{self, MODULE, Options, types, url};

/// The group of the actors that are no entities.
const ACTORS: &str = "actors";
/// Transactions of the database, those of this question left out.
const TRANSACTIONS: &str = "SELECT xact_commit::int8 FROM pg_stat_database WHERE datname = current_database()";

/// The time after which a node of a cluster is at rest: in the first minute it looks for reminders that were due while there was no node.
const AT_REST: Duration = Duration::from_secs(70);

/// See the module.
pub(crate) struct EntityNode {
    begun: Instant,
    host: Option<RunningHost>,
    store: Option<u16>,
    actor: ActorRef<BallastMsg>,
    bare: Bare,
    target: Option<Poked>,
    watch: Option<Watch>,
    _folder: TempDir,
}

impl EntityNode {
    /// Starts it, in a folder of its own.
    pub(crate) async fn start(options: Options) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = settings::write(&options, folder.path())?;
        let builder = Host::builder().entity(MODULE, |_| (Ballast, ()));
        let config = builder.config(&file)?;
        let host = builder.start(config).await?;
        let (actor, _) = Actor::spawn(None, Ballast, ()).await?;
        pg::join(ACTORS.to_owned(), vec![actor.get_cell()]);
        Ok(Self {
            begun: Instant::now(),
            host: Some(host),
            store: options.store,
            actor,
            bare: Bare::new(folder.path(), options.store).await?,
            target: None,
            watch: None,
            _folder: folder,
        })
    }

    fn host(&self) -> anyhow::Result<&RunningHost> {
        self.host.as_ref().context("the node has stopped")
    }

    fn target(&self, place: &str, kind: &str) -> anyhow::Result<Poked> {
        Ok(match (place, kind) {
            ("local", "actor") => Poked::Actor(self.actor.clone()),
            ("local", "entity") => Poked::Entity(first(types::PLAIN, |place| *place == Location::Here)?),
            ("remote", "entity") => Poked::Entity(first(types::PLAIN, |place| matches!(place, Location::Node(_)))?),
            ("remote", "actor") => {
                let mut members = pg::get_members(&ACTORS.to_owned()).into_iter();
                let there = members.find(|member| member.get_id() != self.actor.get_id());
                Poked::Actor(there.context("no node is connected")?.into())
            }
            _ => bail!("no target is called {place} {kind}"),
        })
    }

    async fn metrics(&self) -> anyhow::Result<Metrics> {
        let admin = self.host()?.admin_addr().context("there is no admin HTTP")?;
        Metrics::read(admin).await
    }

    async fn callers(&self, count: u64, duration: Duration) -> anyhow::Result<Value> {
        let all = entities(types::DURABLE, count)?;
        // Their activations are no part of it.
        call_all(all.clone(), Duration::from_millis(1)).await?;
        let before = self.metrics().await?;
        let report = tokio::spawn(call_all(all, duration)).await??;
        let after = self.metrics().await?;
        let grown = |name: &str| anyhow::Ok(after.value(name)? - before.value(name)?);
        Ok(json!({
            "rate": report.count as f64 / report.seconds,
            "commits": grown("ractor_host_entities_commits_total{outcome=\"committed\"}")?,
            "writes": grown("ractor_host_entities_writes_total{outcome=\"written\"}")?,
        }))
    }

    async fn idle(&self, duration: Duration) -> anyhow::Result<Value> {
        let port = self.store.context("there is no database")?;
        tokio::time::sleep(AT_REST.saturating_sub(self.begun.elapsed())).await;
        let (client, connection) = tokio_postgres::connect(&url(port), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let begun = Instant::now();
        let before: i64 = client.query_one(TRANSACTIONS, &[]).await?.get(0);
        tokio::time::sleep(duration).await;
        let after: i64 = client.query_one(TRANSACTIONS, &[]).await?.get(0);
        let nodes = pg::get_members(&ACTORS.to_owned()).len();
        // The question after the pause counts itself.
        let transactions = (after - before - 1).max(0) as f64;
        Ok(json!({ "rate": transactions / begun.elapsed().as_secs_f64() / nodes as f64 }))
    }
}

/// The first entity of a type of which this is true of its place.
fn first(of: &str, is_there: impl Fn(&Location) -> bool) -> anyhow::Result<EntityRef<BallastMsg>> {
    let mut all = entities(of, 10_000)?.into_iter();
    let found = all.find(|entity| located(entity.entity()).is_some_and(|place| is_there(&place)));
    found.context("no node has such an entity")
}

/// Waits until some entity of the type is in such a place.
async fn wait_for(of: &str, is_there: impl Fn(&Location) -> bool) -> anyhow::Result<()> {
    let begun = Instant::now();
    while first(of, &is_there).is_err() {
        ensure!(
            begun.elapsed() < 3 * PATIENCE,
            "no entity of the type {of} is in such a place"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

impl Node for EntityNode {
    type Target = Poked;

    fn sink(&self) -> anyhow::Result<Poked> {
        self.target.clone().context("no target yet")
    }

    fn callee(&self) -> anyhow::Result<Poked> {
        self.sink()
    }

    async fn own(&mut self, words: &[&str]) -> anyhow::Result<Value> {
        let number = |at: usize| number(word(words, at)?);
        match words {
            ["joined", of] => wait_for(of, |place| *place == Location::Here).await?,
            ["shared", of] => wait_for(of, |place| matches!(place, Location::Node(_))).await?,
            ["target", place, kind] => {
                let target = self.target(place, kind)?;
                // It comes to life before anything is measured.
                bench_load::Target::echo(&target, &[], Some(PATIENCE)).await?;
                self.target = Some(target);
            }
            ["callers", ..] => return self.callers(number(1)?, Duration::from_millis(number(2)?)).await,
            ["bare", ..] => {
                let rate = self.bare.rate(number(1)?, Duration::from_millis(number(2)?)).await?;
                return Ok(json!({ "rate": rate }));
            }
            ["activate", ..] => {
                let module = self.host()?.modules().find(MODULE).context("the module")?;
                return activations::measure(number(1)?, &module, &self.bare).await;
            }
            ["touch", ..] => return crowd::touch(number(1)?).await,
            ["watch", ..] => {
                let all = elsewhere(types::DURABLE, usize::try_from(number(1)?)?)?;
                call_all(all.clone(), Duration::from_millis(1)).await?;
                self.watch = Some(Watch::begin(all));
            }
            ["watched"] => return self.watch.take().context("nothing is watched")?.end().await,
            ["idle", ..] => return self.idle(Duration::from_millis(number(1)?)).await,
            ["leave"] => {
                let left = self.host.take().context("the node has stopped")?.shutdown().await;
                ensure!(left.is_empty(), "{} didn't end", left.join(", "));
            }
            _ => bail!("unknown command: {}", words.join(" ")),
        }
        Ok(json!({}))
    }
}
