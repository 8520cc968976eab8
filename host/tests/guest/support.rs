//! What the guest tests share: components from text, a supervisor and a native actor that tell what they hear.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, RpcReplyPort, SupervisionEvent};
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, Grants, GuestHandle, GuestOptions, Limits, LoadError, Module, ModuleSource,
    Profile, SpawnError, spawn,
};
use tokio::sync::{mpsc, oneshot};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

pub(crate) const SCRIPT: &str = include_str!("fixtures/script.wat");
pub(crate) const HELLO: &str = include_str!("fixtures/hello.wat");

/// An engine for all tests that don't need one of their own.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(engine_config()).unwrap());

pub(crate) fn engine_config() -> EngineConfig {
    EngineConfig {
        allocation: Allocation::Pool { guests: 64 },
        memory_reservation: 16 << 20,
        epoch_tick: Duration::from_millis(1),
        ..EngineConfig::default()
    }
}

/// The component around a core module. `more` is WIT that the world includes besides `guest-actor`.
pub(crate) fn component(core: &str, packages: &str, imports: &str) -> Vec<u8> {
    component_around(wat::parse_str(core).unwrap(), packages, imports)
}

/// As [`component`], of a module that also makes headers of HTTP requests, or could.
pub(crate) fn importing_http(core: &str, imports: &str) -> Vec<u8> {
    let package = "package wasi:http@0.2.12 { interface types { resource fields { constructor(); } } }";
    let core = core.replacen(
        "(import",
        "(import \"wasi:http/types@0.2.12\" \"[constructor]fields\" (func (result i32)))\n(import",
        1,
    );
    component(&core, package, &format!("import wasi:http/types@0.2.12; {imports}"))
}

/// As [`component`], around a module that is compiled already.
pub(crate) fn component_around(mut module: Vec<u8>, packages: &str, imports: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(wit).unwrap();
    let world = format!(
        "package test:fixture;\n\
         world w {{ include ractor:actor/guest-actor@0.1.0; {imports} }}\n\
         {packages}"
    );
    let package = resolve.push_str("test.wit", &world).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// A file that lives as long as its directory.
pub(crate) struct ComponentFile {
    _directory: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn file(bytes: &[u8]) -> ComponentFile {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("guest.wasm");
    std::fs::write(&path, bytes).unwrap();
    ComponentFile {
        _directory: directory,
        path,
    }
}

pub(crate) fn source(path: &Path) -> ModuleSource {
    ModuleSource {
        name: "test-module".to_owned(),
        path: path.to_owned(),
        digest: None,
        source: None,
    }
}

pub(crate) async fn load(engine: &Engine, bytes: &[u8]) -> Result<Module, LoadError> {
    let file = file(bytes);
    engine.load(&source(&file.path)).await
}

pub(crate) async fn script() -> Module {
    load(&ENGINE, &component(SCRIPT, "", "")).await.unwrap()
}

pub(crate) fn options() -> GuestOptions {
    with_limits(Limits::default())
}

pub(crate) fn with_limits(limits: Limits) -> GuestOptions {
    GuestOptions {
        profile: Arc::new(Profile {
            node_name: Arc::from("test@localhost"),
            limits: Arc::new(limits),
            grants: Arc::new(Grants::of_actors()),
            ..Profile::default()
        }),
        ..GuestOptions::default()
    }
}

pub(crate) fn named(name: &str) -> GuestOptions {
    GuestOptions {
        name: Some(name.to_owned()),
        ..options()
    }
}

/// A guest under a supervisor that tells what it hears.
pub(crate) struct Running {
    pub(crate) guest: GuestHandle,
    pub(crate) supervisor: Supervisor,
}

impl std::ops::Deref for Running {
    type Target = GuestHandle;

    fn deref(&self) -> &GuestHandle {
        &self.guest
    }
}

pub(crate) async fn start(options: GuestOptions) -> Running {
    start_module(&script().await, options).await.unwrap()
}

pub(crate) async fn start_module(module: &Module, options: GuestOptions) -> Result<Running, SpawnError> {
    let supervisor = Supervisor::start().await;
    let guest = spawn(module, options, supervisor.cell.clone()).await?;
    Ok(Running { guest, supervisor })
}

impl Running {
    pub(crate) fn cast(&self, variant: &str, args: &[u8]) {
        cast(&self.cell, variant, args);
    }

    pub(crate) async fn call(&self, variant: &str, args: &[u8]) -> Option<Vec<u8>> {
        self.ask(variant, args).await.ok()
    }

    /// Sends a call without waiting for its reply.
    pub(crate) fn ask(&self, variant: &str, args: &[u8]) -> oneshot::Receiver<Vec<u8>> {
        ask(&self.cell, variant, args, None)
    }
}

pub(crate) fn cast(cell: &ActorCell, variant: &str, args: &[u8]) {
    cell.send_serialized(SerializedMessage::Cast {
        variant: variant.to_owned(),
        args: args.to_vec(),
        metadata: None,
    })
    .unwrap();
}

pub(crate) fn ask(cell: &ActorCell, variant: &str, args: &[u8], metadata: Option<&[u8]>) -> oneshot::Receiver<Vec<u8>> {
    let (sender, receiver) = oneshot::channel();
    cell.send_serialized(SerializedMessage::Call {
        variant: variant.to_owned(),
        args: args.to_vec(),
        reply: sender.into(),
        metadata: metadata.map(<[u8]>::to_vec),
    })
    .unwrap();
    receiver
}

/// A supervisor whose events can be awaited, as `started`, `ended: reason` or `failed: error`.
pub(crate) struct Supervisor {
    pub(crate) cell: ActorCell,
    events: mpsc::UnboundedReceiver<String>,
}

impl Supervisor {
    pub(crate) async fn start() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let (actor, _) = Actor::spawn(None, Listener, sender).await.unwrap();
        Self {
            cell: actor.get_cell(),
            events,
        }
    }

    pub(crate) async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(30), self.events.recv())
            .await
            .expect("no supervision event")
            .expect("the supervisor ended")
    }

    /// The event after `started`.
    pub(crate) async fn end(&mut self) -> String {
        assert_eq!(self.next().await, "started");
        self.next().await
    }

    /// True if nothing was heard since the last event.
    pub(crate) fn is_quiet(&self) -> bool {
        self.events.is_empty()
    }
}

struct Listener;

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Listener {
    type Msg = NoMessage;
    type State = mpsc::UnboundedSender<String>;
    type Arguments = mpsc::UnboundedSender<String>;

    async fn pre_start(
        &self,
        _: ActorRef<NoMessage>,
        events: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(events)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<NoMessage>,
        event: SupervisionEvent,
        events: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let event = match event {
            SupervisionEvent::ActorStarted(_) => "started".to_owned(),
            SupervisionEvent::ActorTerminated(_, _, reason) => {
                format!("ended: {}", reason.unwrap_or_default())
            }
            SupervisionEvent::ActorFailed(_, error) => format!("failed: {error}"),
            _ => return Ok(()),
        };
        drop(events.send(event));
        Ok(())
    }
}

pub(crate) struct NoMessage;
impl Message for NoMessage {}

/// Any message, as a native actor gets it from a guest.
pub(crate) enum Heard {
    Cast(String, Vec<u8>),
    Call(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

impl Message for Heard {
    fn serializable() -> bool {
        true
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Cast { variant, args, .. } => Ok(Self::Cast(variant, args)),
            SerializedMessage::Call { args, reply, .. } => Ok(Self::Call(args, reply)),
            SerializedMessage::CallReply(..) => Err(BoxedDowncastErr),
        }
    }
}

/// A native actor that tells the variant of each cast and answers each call with `native ` and its arguments,
/// but not one with the argument `silence`.
pub(crate) struct Native {
    pub(crate) cell: ActorCell,
    casts: mpsc::UnboundedReceiver<String>,
}

impl Native {
    pub(crate) async fn start(name: Option<&str>) -> Self {
        let (sender, casts) = mpsc::unbounded_channel();
        let (actor, _) = Actor::spawn(name.map(str::to_owned), NativeActor, sender)
            .await
            .unwrap();
        Self {
            cell: actor.get_cell(),
            casts,
        }
    }

    pub(crate) async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(30), self.casts.recv())
            .await
            .expect("no cast")
            .expect("the actor ended")
    }
}

struct NativeActor;

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for NativeActor {
    type Msg = Heard;
    type State = mpsc::UnboundedSender<String>;
    type Arguments = mpsc::UnboundedSender<String>;

    async fn pre_start(&self, _: ActorRef<Heard>, casts: Self::Arguments) -> Result<Self::State, ActorProcessingErr> {
        Ok(casts)
    }

    async fn handle(
        &self,
        _: ActorRef<Heard>,
        message: Heard,
        casts: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Heard::Cast(variant, args) => {
                drop(casts.send(format!("{variant}:{}", String::from_utf8_lossy(&args))));
            }
            Heard::Call(args, reply) if args == b"silence" => drop(reply),
            Heard::Call(args, reply) => drop(reply.send([b"native ", &*args].concat())),
        }
        Ok(())
    }
}

/// The pid as the fixture reads it from memory.
pub(crate) fn pid_bytes(node: u64, id: u64) -> Vec<u8> {
    [node.to_le_bytes(), id.to_le_bytes()].concat()
}
