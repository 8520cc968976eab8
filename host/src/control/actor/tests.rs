//! The control actor of a node that is about to stop, and one that is slow.

use super::*;
use parking_lot::Mutex;

use crate::control::RequestId;
use crate::control::client::upload;
use crate::control::idle::Idle;
use crate::control::message::{Answer, Request};
use crate::control::{AskError, ComponentStore, ControlClient, ControlKey, Role, StoreLimits};
use crate::guest::Digest;
use crate::supervision::reload::Reload;

const NODE: &str = "alpha@localhost";

fn key() -> ControlKey {
    ControlKey::new(b"0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_vec()).unwrap()
}

fn setup(folder: &std::path::Path) -> ControlSetup {
    let store = ComponentStore::open(folder.to_owned(), StoreLimits::default()).unwrap();
    ControlSetup {
        keys: ControlKeys::new([(Role::Deploy, key())]),
        node: NODE.to_owned(),
        worker: Arc::new(RequestWorker::new(
            Arc::new(Idle { node: NODE }),
            Some(Arc::new(Mutex::new(store))),
        )),
    }
}

/// As one of a supervisor, without a name that another test may have.
struct Nobody;

impl Actor for Nobody {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn a_node_that_stops_says_what_runs_and_takes_no_deployment() {
    let folder = tempfile::tempdir().unwrap();
    let (supervisor, _) = Actor::spawn(None, Nobody, ()).await.unwrap();
    let setup = setup(folder.path());
    let worker = setup.worker.clone();
    let _guard = start(setup, supervisor.get_cell()).await.unwrap();
    let actor = ractor::registry::where_is(CONTROL).unwrap();
    let mut client = ControlClient::new(actor, NODE.to_owned(), key());
    let rollback = || Request::Rollback {
        id: RequestId::random(),
        module: "m".to_owned(),
        planned: None,
    };
    let asked = client.ask(&rollback(), &[], soon()).await;
    assert!(matches!(asked, Err(AskError::Failed(reason)) if reason == "it was asked"));
    worker.close();
    for request in [
        rollback(),
        Request::Reload {
            id: RequestId::random(),
            digest: None,
            planned: None,
            reload: Reload::of("m"),
        },
        Request::BeginUpload {
            digest: Digest::of(b"code").to_string(),
            size: 4,
        },
    ] {
        let refused = client.ask(&request, &[], soon()).await;
        assert!(
            matches!(&refused, Err(AskError::Failed(reason)) if reason.contains("the node is stopping")),
            "{refused:?}"
        );
    }
    let status = client.ask(&Request::Status, &[], soon()).await;
    assert!(matches!(status, Ok(Answer::Status(_))), "{status:?}");
    supervisor.stop(None);
}

/// Hands each message on after a while, as a slow network does.
struct Slow(ActorRef<ControlMessage>);

/// What a slow network takes for each message.
const SLOWNESS: Duration = Duration::from_secs(10);

impl Actor for Slow {
    type Msg = ControlMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<ControlMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<ControlMessage>,
        message: ControlMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        tokio::time::sleep(SLOWNESS).await;
        self.0.cast(message)?;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_takes_no_longer_than_the_command_may() {
    let folder = tempfile::tempdir().unwrap();
    let (control, _) = Actor::spawn(None, ControlActor, setup(folder.path())).await.unwrap();
    let (slow, _) = Actor::spawn(None, Slow(control.clone()), ()).await.unwrap();
    let mut client = ControlClient::new(slow.get_cell(), NODE.to_owned(), key());
    // Five pieces, each of them well within the time that there is for all.
    let bytes = vec![7; 5 << 20];
    let digest = Digest::of(&bytes);
    let (began, timeout) = (Instant::now(), 4 * SLOWNESS);
    let deadline = began + timeout;
    let late = upload(
        async |request, piece| client.ask(request, piece, deadline).await,
        digest,
        &bytes,
    )
    .await;
    assert!(matches!(late, Err(AskError::Timeout)), "{late:?}");
    assert!(began.elapsed() <= timeout + Duration::from_secs(1));
    // A next attempt goes on where the first one stopped.
    let deadline = Instant::now() + 60 * SLOWNESS;
    let sent = upload(
        async |request, piece| client.ask(request, piece, deadline).await,
        digest,
        &bytes,
    )
    .await
    .unwrap();
    assert!(sent < bytes.len() as u64, "{sent}");
    for actor in [slow.get_cell(), control.get_cell()] {
        actor.stop(None);
    }
}
