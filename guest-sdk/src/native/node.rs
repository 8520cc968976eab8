//! The node that the actors live on. Natively a process is what its program makes of it, so the program says what it is called.

use parking_lot::RwLock;

use crate::native::context;

/// The name of a process that nobody gave one, in Erlang's words.
const NO_NODE: &str = "nonode@nohost";

static NAME: RwLock<Option<String>> = RwLock::new(None);

/// The full name of the node, `name@hostname`. In a test it is that of its `TestHost`, if that has one.
pub fn name() -> String {
    let of_test = context::current().and_then(|context| context.node_name());
    let name = of_test.or_else(|| NAME.read().clone());
    name.unwrap_or_else(|| NO_NODE.to_owned())
}

/// Says what the node is called that this process is, `name@hostname`. Only natively.
pub fn set_name(name: impl Into<String>) {
    *NAME.write() = Some(name.into());
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call_t};

    use crate::testing::TestHost;

    /// Says what its node is called.
    #[derive(Default)]
    struct Sign;

    #[derive(ractor_host_derive::RactorMessage)]
    struct Read(RpcReplyPort<String>);

    impl Actor for Sign {
        type Msg = Read;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Read>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(&self, _: ActorRef<Read>, Read(reply): Read, (): &mut ()) -> Result<(), ActorProcessingErr> {
            Ok(reply.send(super::name())?)
        }
    }

    #[tokio::test]
    async fn a_node_has_the_name_that_it_was_given_and_a_test_one_of_its_own() {
        let host = TestHost::new().await;
        let sign = host.spawn::<Sign>(()).await.unwrap();
        assert_eq!(call_t!(sign, Read, 10_000).unwrap(), "nonode@nohost");
        super::set_name("shop@example.com");
        assert_eq!(call_t!(sign, Read, 10_000).unwrap(), "shop@example.com");
        host.node_name("test@example.com");
        assert_eq!(call_t!(sign, Read, 10_000).unwrap(), "test@example.com");
    }
}
