//! The conformance suite of actors: one source, compiled natively and as a guest, in one process, and the same behaviours
//! asked of each. `tests/guests/parity/tests/native.rs` asks them of natives in the test host of the SDK.

use parity::behaviours::Subject;
use ractor::{ActorCell, registry};
use ractor_host::directory;

use crate::here::{self, RUNTIME};
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
);

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
        at: "",
    }
}

fn find_here(name: &str) -> Option<ActorCell> {
    directory::where_is(name).or_else(|| registry::where_is(name))
}
