//! Parity actors of both worlds, as [`parity::behaviours`] want them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::pin::Pin;
use std::sync::{Arc, Once};

use bench_guests::Supervisor;
use parity::{MODULE, Parity};
use ractor::{Actor, ActorCell};
use ractor_guest::address::{self, Addresses};
use ractor_guest::{BytesConvertable as _, config, module};
use ractor_host::ActorAddress;
use ractor_host::guest::{Engine, EngineConfig, Grants, GuestOptions, Module, ModuleSource, Modules, Profile, spawn};
use ractor_host_tests::programs;
use tokio::sync::OnceCell;

/// What parity actors get at their start.
const ARGUMENT: &str = "hello";

/// The one or the other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum World {
    Native,
    Guest,
}

impl World {
    #[cfg_attr(test, expect(dead_code, reason = "for the command line of the node"))]
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "native" => Some(Self::Native),
            "guest" => Some(Self::Guest),
            _ => None,
        }
    }

    /// Starts an actor under this name, below a supervisor.
    pub(crate) async fn start(self, name: &str) -> ActorCell {
        let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await.expect("a supervisor starts");
        let supervisor = supervisor.get_cell();
        match self {
            Self::Native => start_native(name, supervisor).await,
            Self::Guest => start_guest(name, supervisor).await,
        }
    }
}

async fn start_native(name: &str, supervisor: ActorCell) -> ActorCell {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        config::set("parity", "yes");
        module::register(MODULE, Parity::default);
        address::install(OfTheNode);
    });
    let started = Actor::spawn_linked(Some(name.to_owned()), Parity, ARGUMENT.to_owned(), supervisor).await;
    started.expect("it starts").0.get_cell()
}

async fn start_guest(name: &str, supervisor: ActorCell) -> ActorCell {
    static MODULE: OnceCell<Module> = OnceCell::const_new();
    let module = MODULE.get_or_init(load).await;
    let modules = Modules::default();
    modules.insert(module.clone());
    let options = GuestOptions {
        name: Some(name.to_owned()),
        arguments: ARGUMENT.to_owned().into_bytes(),
        profile: Arc::new(Profile {
            grants: Arc::new(Grants::of_actors()),
            config: Arc::new([("parity".to_owned(), "yes".to_owned())].into()),
            ..Profile::default()
        }),
        modules,
        ..GuestOptions::default()
    };
    spawn(module, options, supervisor).await.expect("it starts").cell
}

async fn load() -> Module {
    let engine = Engine::new(EngineConfig::default()).expect("an engine");
    let source = ModuleSource {
        name: MODULE.to_owned(),
        path: programs::guest(MODULE),
        digest: None,
        source: None,
    };
    engine.load(&source).await.expect("it loads")
}

/// Addresses of natives, as their documentation has it.
struct OfTheNode;

impl Addresses for OfTheNode {
    fn of(&self, actor: &ActorCell) -> Option<Vec<u8>> {
        ActorAddress::of(actor).map(|address| address.into_bytes())
    }

    fn resolve(&self, address: Vec<u8>) -> Pin<Box<dyn Future<Output = Option<ActorCell>> + Send>> {
        Box::pin(async move { ActorAddress::try_from_bytes(&address)?.resolve().await })
    }
}
