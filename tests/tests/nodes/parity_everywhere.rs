//! The conformance suite of actors: one source, compiled natively and as a guest, here and on another node, and the same
//! behaviours asked of each. `tests/guests/parity/tests/native.rs` asks them of natives in the test host of the SDK.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use parity::behaviours::{Place, Subject};
use ractor::{ActorCell, registry};
use ractor_host::directory;
use ractor_host_tests::peer::Peer;
use ractor_host_tests::programs;
use tokio::sync::OnceCell;

use crate::here::{self, RUNTIME, eventually};
use crate::world::World;

/// Makes a test of each behaviour for each place.
macro_rules! places {
    ($($place:ident: $start:expr;)*) => {$(
        mod $place {
            use super::*;

            async fn subject(name: &str) -> Subject {
                $start(name.replace("::", "-")).await
            }

            parity::each_behaviour!(subject, super::run);
        }
    )*};
}

places!(
    native_here: async |name| in_this_process(World::Native, name).await;
    guest_here: async |name| in_this_process(World::Guest, name).await;
    native_there: async |name| on_another_node(&NATIVE_NODE, "native", name).await;
    guest_there: async |name| on_another_node(&GUEST_NODE, "guest", name).await;
);

/// The other nodes, one for all tests of a place, each connected once: a second connection would take the place of the first,
/// and end its calls.
static NATIVE_NODE: OnceCell<Mutex<Peer>> = OnceCell::const_new();
static GUEST_NODE: OnceCell<Mutex<Peer>> = OnceCell::const_new();

fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

async fn in_this_process(world: World, name: String) -> Subject {
    // An address names a node.
    here::node().await;
    Subject {
        actor: world.start(&name).await.into(),
        name,
        find: Box::new(|name| Box::pin(async move { find_here(&name) })),
        place: Place::Here,
    }
}

fn find_here(name: &str) -> Option<ActorCell> {
    directory::where_is(name).or_else(|| registry::where_is(name))
}

async fn on_another_node(node: &OnceCell<Mutex<Peer>>, world: &'static str, name: String) -> Subject {
    let node = node.get_or_init(|| start_node(world)).await;
    let its_name = {
        let mut node = node.lock().unwrap_or_else(PoisonError::into_inner);
        node.run(&name);
        node.name().to_owned()
    };
    let find = move |name: String| {
        let full = format!("{name}@{its_name}");
        async move { directory::find(&full).await }
    };
    let actor = eventually(&name, async || find(name.clone()).await, Option::is_some).await;
    Subject {
        actor: actor.expect("found").into(),
        name,
        find: Box::new(move |name| Box::pin(find(name))),
        place: Place::OtherNode,
    }
}

async fn start_node(world: &str) -> Mutex<Peer> {
    let name = format!("parity-{world}");
    let mut command = Command::new(programs::example("parity_node"));
    command.args([name.as_str(), world]).env("RUST_LOG", "info");
    let node = Peer::start_program(&name, &mut command);
    here::connect(node.address()).await;
    Mutex::new(node)
}
