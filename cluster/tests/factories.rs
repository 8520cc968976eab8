//! Traces of native actors: between two nodes that trace, within one process, whose tracer is one of the test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "message_span_propogation")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use ractor::factory::queues::DefaultQueue;
use ractor::factory::routing::KeyPersistentRouting;
use ractor::factory::{
    DiscardSettings, Factory, FactoryArguments, FactoryMessage, Job, JobOptions, Worker, WorkerBuilder, WorkerId,
};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, pg};
use ractor_host_cluster::directory::trace::{self, ActiveSpan, Operation, TraceContext, Tracer};
use ractor_host_cluster::node::NodeConnectionMode;
use ractor_host_cluster::node::client::connect_until_ready;
use ractor_host_cluster::{NodeServer, NodeServerMessage};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::span;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The longest time for anything before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

/// The nodes outlive each test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// The spans that belong to a trace.
static SPANS: LazyLock<Mutex<HashMap<span::Id, TraceContext>>> = LazyLock::new(Mutex::default);
/// The spans in which natives handled something: the parent, and the variant.
static HANDLED: LazyLock<Mutex<Vec<(u64, u64)>>> = LazyLock::new(Mutex::default);
static LAST: AtomicU64 = AtomicU64::new(1000);

/// A tracer that counts its spans up.
struct Counting;

impl Tracer for Counting {
    fn begin(&self, _: Option<&TraceContext>, _: &Operation<'_>) -> Option<ActiveSpan> {
        None
    }

    fn current(&self) -> Option<TraceContext> {
        let current = tracing::Span::current().id()?;
        SPANS.lock().unwrap().get(&current).cloned()
    }

    fn native(&self, parent: &TraceContext, _: &Operation<'_>) -> tracing::Span {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        HANDLED.lock().unwrap().push((parent.span(), number));
        in_trace(number)
    }
}

/// A `tracing` span that is that of this number in the trace.
fn in_trace(number: u64) -> tracing::Span {
    let span = tracing::info_span!("traced");
    let context = TraceContext::new(TRACE, number, 1, "").unwrap();
    SPANS.lock().unwrap().insert(span.id().unwrap(), context);
    span
}

/// The two nodes of this process, connected.
async fn nodes() {
    static NODES: OnceCell<()> = OnceCell::const_new();
    let connect = async {
        tracing_subscriber::registry().init();
        trace::install(Box::new(Counting));
        let (one, _) = node("one").await;
        let (_, port) = node("other").await;
        connect_until_ready(&one, (Ipv4Addr::LOCALHOST, port), None)
            .await
            .unwrap();
    };
    NODES.get_or_init(|| connect).await;
}

async fn node(name: &str) -> (ActorRef<NodeServerMessage>, u16) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (cookie, host) = ("cookie".to_owned(), "localhost".to_owned());
    let mode = Some(NodeConnectionMode::Isolated);
    let server = NodeServer::new(port, cookie, name.to_owned(), host, None, mode);
    let server = server.with_listen_addr(Ipv4Addr::LOCALHOST.into());
    (Actor::spawn(None, server, ()).await.unwrap().0, port)
}

/// The member of this group, as the other node has it.
async fn remote(group: &str) -> ActorCell {
    let found = async {
        loop {
            let members = pg::get_members(&group.to_owned());
            if let Some(remote) = members.into_iter().find(|member| !member.get_id().is_local()) {
                return remote;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

async fn next<T>(heard: &mut UnboundedReceiver<T>) -> T {
    tokio::time::timeout(PATIENCE, heard.recv()).await.unwrap().unwrap()
}

/// Does as it is told, and says so.
struct Cook(UnboundedSender<Job<String, String>>);

impl Worker for Cook {
    type Key = String;
    type Message = String;
    type State = ();
    type Arguments = ();

    async fn pre_start(
        &self,
        _: WorkerId,
        _: &ActorRef<FactoryMessage<String, String>>,
        (): (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: WorkerId,
        _: &ActorRef<FactoryMessage<String, String>>,
        job: Job<String, String>,
        (): &mut (),
    ) -> Result<String, ActorProcessingErr> {
        let key = job.key.clone();
        self.0.send(job)?;
        Ok(key)
    }
}

struct Cooks(UnboundedSender<Job<String, String>>);

impl WorkerBuilder<Cook, ()> for Cooks {
    fn build(&mut self, _: WorkerId) -> (Cook, ()) {
        (Cook(self.0.clone()), ())
    }
}

type Kitchen = Factory<String, String, (), Cook, KeyPersistentRouting<String, String>, DefaultQueue<String, String>>;

#[test]
fn a_job_for_a_factory_of_another_node_keeps_its_metadata_in_a_trace() {
    RUNTIME.block_on(a_job_in_a_trace());
}

async fn a_job_in_a_trace() {
    let (told, mut hears) = unbounded_channel();
    let arguments = FactoryArguments {
        num_initial_workers: 1,
        queue: DefaultQueue::default(),
        router: KeyPersistentRouting::default(),
        capacity_controller: None,
        dead_mans_switch: None,
        discard_handler: None,
        discard_settings: DiscardSettings::None,
        lifecycle_hooks: None,
        worker_builder: Box::new(Cooks(told)),
        stats: None,
    };
    let (factory, _) = Actor::spawn(None, Kitchen::default(), arguments).await.unwrap();
    pg::join("kitchens".to_owned(), vec![factory.get_cell()]);
    nodes().await;
    let there: ActorRef<FactoryMessage<String, String>> = remote("kitchens").await.into();

    let options = JobOptions::new(Some(Duration::from_secs(3600)));
    let submitted = options.submit_time();
    let job = Job {
        key: "table 7".to_owned(),
        msg: "soup".to_owned(),
        options,
        accepted: None,
    };
    in_trace(7).in_scope(|| there.cast(FactoryMessage::Dispatch(job)).unwrap());
    let job = next(&mut hears).await;
    assert_eq!((job.key.as_str(), job.msg.as_str()), ("table 7", "soup"));
    assert_eq!(job.options.ttl(), Some(Duration::from_secs(3600)));
    assert_eq!(job.options.submit_time(), submitted);
    assert!(
        HANDLED.lock().unwrap().iter().any(|(parent, _)| *parent == 7),
        "it came without its trace"
    );
}

/// Passes on what it is told, and says within which span it was.
struct Relay {
    to: Arc<Mutex<Option<ActorCell>>>,
    told: UnboundedSender<Option<u64>>,
}

impl Actor for Relay {
    type Msg = String;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<String>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<String>, message: String, (): &mut ()) -> Result<(), ActorProcessingErr> {
        self.told.send(trace::current().map(|context| context.span()))?;
        let to = self.to.lock().unwrap().clone();
        if let Some(to) = to {
            ActorRef::<String>::from(to).cast(message)?;
        }
        Ok(())
    }
}

#[test]
fn a_native_actor_handles_a_message_within_its_span_and_passes_it_on() {
    RUNTIME.block_on(a_relay_in_a_trace());
}

async fn a_relay_in_a_trace() {
    let to = Arc::<Mutex<Option<ActorCell>>>::default();
    let (told, mut first_hears) = unbounded_channel();
    let (first, _) = Actor::spawn(None, Relay { to: to.clone(), told }, ()).await.unwrap();
    let (told, mut last_hears) = unbounded_channel();
    let (last, _) = Actor::spawn(
        None,
        Relay {
            to: Arc::default(),
            told,
        },
        (),
    )
    .await
    .unwrap();
    pg::join("first".to_owned(), vec![first.get_cell()]);
    pg::join("last".to_owned(), vec![last.get_cell()]);
    nodes().await;
    *to.lock().unwrap() = Some(remote("last").await);
    let there: ActorRef<String> = remote("first").await.into();

    in_trace(8).in_scope(|| there.cast("go".to_owned()).unwrap());
    let within = next(&mut first_hears).await.unwrap();
    let then = next(&mut last_hears).await.unwrap();
    let handled = HANDLED.lock().unwrap().clone();
    assert!(
        handled.contains(&(8, within)) && handled.contains(&(within, then)),
        "{handled:?}: {within}, {then}"
    );

    // What is sent in no trace is handled in none.
    there.cast("go".to_owned()).unwrap();
    assert_eq!(
        (next(&mut first_hears).await, next(&mut last_hears).await),
        (None, None)
    );
}
