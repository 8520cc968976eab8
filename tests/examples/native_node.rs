//! A node with native actors, for `nodes/given_up.rs`: the command line of `ractor-host`.

use std::process::ExitCode;

use counter::Counter;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_host::{Host, cli};

fn main() -> ExitCode {
    let builder = Host::builder().native("counter", Counter::default);
    cli::main(builder.native("panicking", || Panicking))
}

/// Panics as soon as it has started.
struct Panicking;

impl Actor for Panicking {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    #[expect(clippy::panic, reason = "it is what it is for")]
    async fn post_start(&self, _: ActorRef<()>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        panic!("on purpose")
    }
}
