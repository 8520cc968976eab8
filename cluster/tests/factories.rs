//! Traces of native actors: between two nodes that trace, within one process, whose tracer is one of the test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "message_span_propogation")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use ractor::factory::queues::DefaultQueue;
use ractor::factory::routing::KeyPersistentRouting;
use ractor::factory::{
    DiscardSettings, Factory, FactoryArguments, FactoryMessage, Job, JobOptions, Worker, WorkerBuilder, WorkerId,
};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, pg};
use ractor_host_cluster::directory::send_remote;
use ractor_host_cluster::directory::trace::{self, ActiveSpan, Operation, TraceContext, Tracer};
use ractor_host_cluster::node::NodeConnectionMode;
use ractor_host_cluster::node::client::connect_until_ready;
use ractor_host_cluster::{NodeServer, NodeServerMessage};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::{Instrument as _, span};
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

/// Sends to an actor of a peer as part of the trace.
async fn send_in(number: u64, to: &ActorCell, message: impl Message) {
    let bytes = message.serialize().ok().unwrap();
    let sent = send_remote(to.get_id(), bytes).instrument(in_trace(number));
    sent.await.unwrap();
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
    send_in(7, &there.get_cell(), FactoryMessage::Dispatch(job)).await;
    let job = next(&mut hears).await;
    assert_eq!((job.key.as_str(), job.msg.as_str()), ("table 7", "soup"));
    assert_eq!(job.options.ttl(), Some(Duration::from_secs(3600)));
    assert_eq!(job.options.submit_time(), submitted);
    assert!(
        HANDLED.lock().unwrap().iter().any(|(parent, _)| *parent == 7),
        "it came without its trace"
    );
}

/// Says within which span it is told something.
struct Listener(UnboundedSender<Option<u64>>);

impl Actor for Listener {
    type Msg = String;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<String>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<String>, _: String, (): &mut ()) -> Result<(), ActorProcessingErr> {
        Ok(self.0.send(trace::current().map(|context| context.span()))?)
    }
}

#[test]
fn a_native_actor_is_the_end_of_a_trace() {
    RUNTIME.block_on(a_listener_in_a_trace());
}

async fn a_listener_in_a_trace() {
    let (told, mut hears) = unbounded_channel();
    let (listener, _) = Actor::spawn(None, Listener(told), ()).await.unwrap();
    pg::join("listeners".to_owned(), vec![listener.get_cell()]);
    nodes().await;
    let there = remote("listeners").await;
    send_in(8, &there, "go".to_owned()).await;
    // If ractor ever keeps the span for the handler, the documentation is to be changed.
    assert_eq!(next(&mut hears).await, None);
    assert!(HANDLED.lock().unwrap().iter().any(|(parent, _)| *parent == 8));
}
