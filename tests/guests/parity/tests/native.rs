//! What guests can do, asked of the same source compiled natively.

use std::mem::forget;

use parity::behaviours::{Place, Subject};
use parity::{MODULE, Parity};
use ractor::registry;
use ractor::testing::TestHost;

async fn subject(name: &str) -> Subject {
    let host = TestHost::new().await;
    host.config("parity", "yes");
    host.module(MODULE, Parity::default);
    let actor = host.spawn_named::<Parity>(name, "hello".to_owned()).await;
    let subject = Subject {
        actor: actor.expect("it starts"),
        name: name.to_owned(),
        find: Box::new(|name| Box::pin(async { registry::where_is(name) })),
        place: Place::Here,
    };
    // Its actors end with it, and the test is not done with them.
    forget(host);
    subject
}

fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(test);
}

parity::each_behaviour!(subject, run);
