//! Guests that do what scripts say, in this process.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_host::directory;
use ractor_host::guest::{
    Allocation, Compilation, Engine, EngineConfig, Grants, GuestHandle, GuestOptions, Limits, Module, ModuleSource,
    Profile, spawn,
};
use ractor_host_tests::programs;
use ractor_host_tests::wait::PATIENCE;
use tokio::sync::{mpsc, oneshot};

/// Compiles what all tests use once. Its clock never ends a batch early.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(config()).unwrap());

fn config() -> EngineConfig {
    EngineConfig {
        allocation: Allocation::Pool { guests: 96 },
        memory_reservation: 64 << 20,
        epoch_tick: Duration::from_secs(600),
        ..EngineConfig::default()
    }
}

/// A guest and what its supervisor hears.
pub(crate) struct Guest {
    pub(crate) handle: GuestHandle,
    events: mpsc::UnboundedReceiver<String>,
}

pub(crate) fn options() -> GuestOptions {
    limited(|_| ())
}

pub(crate) fn limited(change: impl FnOnce(&mut Limits)) -> GuestOptions {
    let mut limits = Limits::default();
    change(&mut limits);
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

/// The asker, or the same code as if it were another version.
pub(crate) async fn module(version: u8) -> Module {
    let path = programs::guest("asker");
    if version == 1 {
        return load(&ENGINE, &path).await;
    }
    let mut bytes = std::fs::read(&path).unwrap();
    // A section that means nothing: its length, the length of its name, the name, and what is in it.
    bytes.extend([0, 4, 2, b'a', b'a', version]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asker.wasm");
    std::fs::write(&path, bytes).unwrap();
    load(&ENGINE, &path).await
}

/// The asker, in baseline code.
pub(crate) async fn baseline() -> Module {
    let engine = Engine::new(EngineConfig {
        compilation: Compilation::Tiered { smallest: 0 },
        ..config()
    });
    load(&engine.unwrap(), &programs::guest("asker")).await
}

async fn load(engine: &Engine, path: &Path) -> Module {
    let source = ModuleSource {
        name: "asker".to_owned(),
        path: path.to_owned(),
        source: None,
        digest: None,
    };
    engine.load(&source).await.unwrap()
}

pub(crate) async fn start() -> Guest {
    Guest::start(options()).await
}

impl Guest {
    pub(crate) async fn start(options: GuestOptions) -> Self {
        Self::of(&module(1).await, options).await
    }

    pub(crate) async fn of(module: &Module, options: GuestOptions) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let (supervisor, _) = Actor::spawn(None, Listener, sender).await.unwrap();
        let handle = spawn(module, options, supervisor.get_cell()).await.unwrap();
        Self { handle, events }
    }

    pub(crate) fn cell(&self) -> &ActorCell {
        &self.handle.cell
    }

    /// As scripts name it.
    pub(crate) fn pid(&self) -> String {
        format!("0:{}", self.cell().get_id().pid())
    }

    /// Sends a cast as guests and peers do.
    pub(crate) fn cast(&self, variant: &str, args: &str) {
        self.send(SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: args.as_bytes().to_vec(),
            metadata: None,
        });
    }

    /// Sends a cast as natives of this process do.
    pub(crate) fn cast_natively(&self, variant: &str, args: &str) {
        let cast = SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: args.as_bytes().to_vec(),
            metadata: None,
        };
        self.cell().send_serialized(cast).unwrap();
    }

    /// Sends a call without waiting for its reply.
    pub(crate) fn ask(&self, variant: &str, args: &str) -> Answer {
        let (port, reply) = oneshot::channel();
        self.send(SerializedMessage::Call {
            variant: variant.to_owned(),
            args: args.as_bytes().to_vec(),
            reply: port.into(),
            metadata: None,
        });
        Answer(reply)
    }

    pub(crate) async fn call(&self, variant: &str, args: &str) -> Option<String> {
        self.ask(variant, args).get().await
    }

    /// What it has noted so far, by a call that waits its turn.
    pub(crate) async fn log(&self) -> String {
        self.call("log", "").await.unwrap()
    }

    fn send(&self, message: SerializedMessage) {
        let local = directory::local(self.cell().get_id().pid()).unwrap();
        local.send(message).unwrap();
    }

    /// What the supervisor hears next.
    pub(crate) async fn event(&mut self) -> String {
        within(self.events.recv()).await.unwrap()
    }

    /// The event after its start.
    pub(crate) async fn end(&mut self) -> String {
        assert_eq!(self.event().await, "started");
        self.event().await
    }
}

/// A call that was sent.
pub(crate) struct Answer(oneshot::Receiver<Vec<u8>>);

impl Answer {
    /// The reply; none if the call was dropped.
    pub(crate) async fn get(self) -> Option<String> {
        let reply = within(self.0).await.ok()?;
        Some(String::from_utf8(reply).unwrap())
    }

    /// True if there is a reply, whatever it is.
    pub(crate) async fn received(self) -> bool {
        self.0.await.is_ok()
    }

    pub(crate) fn has_come(&mut self) -> bool {
        !matches!(self.0.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// Waits until this is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looks = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looks).await.expect(what);
}

/// Waits until this many calls of others have come to a guest that puts them off.
pub(crate) async fn asked(guest: &Guest, calls: usize) {
    until("the calls don't come", async || {
        guest.call("count", "").await == Some(calls.to_string())
    })
    .await;
}

struct Listener;

impl Actor for Listener {
    type Msg = ();
    type State = mpsc::UnboundedSender<String>;
    type Arguments = mpsc::UnboundedSender<String>;

    async fn pre_start(&self, _: ActorRef<()>, events: Self::Arguments) -> Result<Self::State, ActorProcessingErr> {
        Ok(events)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        events: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let event = match event {
            SupervisionEvent::ActorStarted(_) => "started".to_owned(),
            SupervisionEvent::ActorTerminated(_, _, reason) => format!("ended: {}", reason.unwrap_or_default()),
            SupervisionEvent::ActorFailed(_, error) => format!("failed: {error}"),
            _ => return Ok(()),
        };
        drop(events.send(event));
        Ok(())
    }
}
