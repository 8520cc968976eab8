//! What the cargo features bring. `async-trait` is in the `impl Actor`s of these tests.

/// With `monitors`, an actor hears how another ends without being its supervisor, on whichever node that one lives.
#[cfg(feature = "monitors")]
mod monitors {
    use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
    use ractor_cluster::{NodeServerMessage, RactorMessage, client_connect_external};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use crate::support::{Kind, Node, adder, alone, in_time, pipe, remote_member};

    #[derive(RactorMessage)]
    struct Nothing;

    struct Watcher(UnboundedSender<(ActorId, Option<String>)>);

    #[cfg_attr(feature = "async-trait", ractor::async_trait)]
    impl Actor for Watcher {
        type Msg = Nothing;
        type State = ();
        type Arguments = ActorCell;

        async fn pre_start(&self, myself: ActorRef<Nothing>, watched: ActorCell) -> Result<(), ActorProcessingErr> {
            myself.monitor(watched);
            Ok(())
        }

        async fn handle(&self, _: ActorRef<Nothing>, Nothing: Nothing, (): &mut ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle_supervisor_evt(
            &self,
            _: ActorRef<Nothing>,
            event: SupervisionEvent,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            if let SupervisionEvent::ActorTerminated(who, _, reason) = event {
                self.0.send((who.get_id(), reason))?;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn an_actor_hears_how_an_actor_of_another_node_ends() {
        let _alone = alone().await;
        let (adder, adder_ends) = adder("watched").await;
        let (mut one, other) = (Node::start("one").await, Node::start("other").await);
        let (left, right) = pipe("one", "other");
        client_connect_external(&one.server, left).await.unwrap();
        other
            .server
            .cast(NodeServerMessage::ConnectionOpenedExternal {
                stream: right,
                is_server: true,
            })
            .unwrap();
        one.until(Kind::Ready).await;

        let remote = remote_member("watched").await;
        let (told, mut hears) = unbounded_channel();
        let (watcher, watcher_ends) = Actor::spawn(None, Watcher(told), remote.clone()).await.unwrap();
        adder.stop(None);
        adder_ends.await.unwrap();
        let (ended, _) = in_time("the end of the watched", hears.recv()).await.unwrap();
        assert_eq!(ended, remote.get_id());

        watcher.stop(None);
        watcher_ends.await.unwrap();
        one.stop().await;
        other.stop().await;
    }

    /// With which reason the session ends that `other` accepts from a node with this cookie, once `end` has done its part.
    async fn end_of_session(cookie: &str, end: impl AsyncFnOnce(Node, &mut Node)) -> Option<String> {
        let (one, mut other) = (Node::start_on(0, "one", cookie).await, Node::start("other").await);
        let (left, right) = pipe("one", "other");
        other
            .server
            .cast(NodeServerMessage::ConnectionOpenedExternal {
                stream: right,
                is_server: true,
            })
            .unwrap();
        let session = other.until(Kind::Opened).await.actor.get_cell();
        let (told, mut hears) = unbounded_channel();
        let (watcher, watcher_ends) = Actor::spawn(None, Watcher(told), session.clone()).await.unwrap();
        client_connect_external(&one.server, left).await.unwrap();
        end(one, &mut other).await;
        let (ended, reason) = in_time("the end of the session", hears.recv()).await.unwrap();
        assert_eq!(ended, session.get_id());
        watcher.stop(None);
        watcher_ends.await.unwrap();
        other.stop().await;
        reason
    }

    #[tokio::test]
    async fn an_actor_hears_in_a_word_why_a_session_ends() {
        let _alone = alone().await;
        let refused = end_of_session("another cookie", async |one, other| {
            other.until(Kind::Disconnected).await;
            one.stop().await;
        });
        assert_eq!(refused.await.as_deref(), Some("auth_fail"));
        let closed = end_of_session("cookie", async |one, other| {
            other.until(Kind::Ready).await;
            one.stop().await;
        });
        assert_eq!(closed.await.as_deref(), Some("tcp_session_closed"));
    }
}

/// With `message_span_propogation`, a handler runs in the span that its message was sent in.
#[cfg(feature = "message_span_propogation")]
mod message_span_propogation {
    use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call};
    use ractor_cluster::RactorMessage;
    use tracing::Instrument;
    use tracing_subscriber::util::SubscriberInitExt;

    #[derive(RactorMessage)]
    enum Where {
        Are(RpcReplyPort<Option<&'static str>>),
    }

    struct Traced;

    #[cfg_attr(feature = "async-trait", ractor::async_trait)]
    impl Actor for Traced {
        type Msg = Where;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Where>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<Where>,
            Where::Are(reply): Where,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            reply.send(tracing::Span::current().metadata().map(|span| span.name()))?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_handler_runs_in_the_span_of_the_sender() {
        let _subscriber = tracing_subscriber::registry().set_default();
        let (traced, ends) = Actor::spawn(None, Traced, ()).await.unwrap();
        let asked = async { call!(traced, Where::Are).unwrap() };
        assert_eq!(asked.instrument(tracing::info_span!("sender")).await, Some("sender"));
        traced.stop(None);
        ends.await.unwrap();
    }
}
