//! Each step of a reload fails once, and the code before answers afterwards.

use std::sync::Arc;
use std::time::Duration;

use ractor::pg;
use ractor_host::guest::{
    Access, Aftermath, Allocation, Directory, Engine, EngineConfig, Grants, GuestOptions, Limits, Step,
};
use ractor_host::supervision::reload::{Outcome, ReloadReport, Verdict};

use crate::reload_support::{Fail, Node, Says, Version, get, version};
use crate::support::{Native, Running, engine_config, file, source, start_module};

async fn started() -> (Node, Running) {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    add_five(&guest).await;
    (node, guest)
}

/// What is still in the mailbox when the code changes would be handled by the new code, which is to fail at a later message.
async fn add_five(guest: &Running) {
    guest.cast("add", &[5]);
    assert_eq!(get(&guest.cell).await, said(5, None));
}

fn said(count: u64, from: Option<u64>) -> Option<Says> {
    Some(Says {
        count,
        version: 1,
        from,
        heard: 0,
    })
}

/// What became of the one actor.
fn failed(report: &ReloadReport) -> (Step, &str, Aftermath) {
    assert_eq!(report.verdict, Verdict::RolledBack, "{report:?}");
    match &report.actors[..] {
        [actor] => match &actor.outcome {
            Outcome::Failed {
                step,
                reason,
                aftermath,
            } => (*step, reason, *aftermath),
            other => panic!("{other:?}"),
        },
        actors => panic!("{actors:?}"),
    }
}

#[tokio::test]
async fn a_file_that_is_no_actor_changes_nothing() {
    let (node, guest) = started().await;
    let other_world = wat::parse_str("(component)").unwrap();
    let no_reload = wat::parse_str("(component (import \"nobody:has/this\" (func)))").unwrap();
    for (bytes, step, reason) in [
        (b"hello".to_vec(), "load", "this is not a WebAssembly component"),
        (version(2).bytes()[..2000].to_vec(), "load", "does not compile"),
        (other_world, "link", "does not export `ractor:actor/actor@0.1.0`"),
        (no_reload, "link", "does not export `ractor:actor/actor@0.1.0`"),
    ] {
        let error = node.reload_bytes(&bytes, |_| ()).await.unwrap_err();
        assert_eq!(error.step(), step, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(get(&guest.cell).await, said(5, None));
    }
}

#[tokio::test]
async fn new_code_that_fails_before_its_first_message_leaves_the_old_one_unharmed() {
    for (fail, step, reason) in [
        (Fail::Instantiation, Step::Instantiate, "instantiation: trapped"),
        (Fail::RestoreError, Step::Restore, "restore: as the test wants"),
        (Fail::RestoreTrap, Step::Restore, "restore: trapped"),
        (
            Fail::RestoreActs,
            Step::Restore,
            "`restore` used an import that acts on others",
        ),
        (Fail::RestoreGrows, Step::Restore, "bytes of memory (memory_bytes)"),
        (
            Fail::PostReloadError,
            Step::PostReload,
            "post-reload: as the test wants",
        ),
        (Fail::PostReloadTrap, Step::PostReload, "post-reload: trapped"),
    ] {
        let (node, guest) = started().await;
        let open = guest.ask("put-off", b"");
        let report = match node
            .reload(version(2).failing(fail), |reload| reload.force = true)
            .await
        {
            Ok(report) => report,
            // What can't even be made doesn't describe itself.
            Err(error) if fail == Fail::Instantiation => {
                assert!(error.to_string().contains("does not describe itself"), "{error}");
                assert_eq!(get(&guest.cell).await, said(5, None));
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let (at, why, aftermath) = failed(&report);
        assert_eq!((at, aftermath), (step, Aftermath::Unharmed), "{fail:?}");
        assert!(why.contains(reason), "{why}");
        // What the new code had begun is ended, and what the old one had is there. Its timer is due much later than it fails.
        if fail == Fail::PostReloadError {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert_eq!(get(&guest.cell).await, said(5, None), "{fail:?}");
        assert_eq!(pg::get_members(&"reload-leftover".to_owned()), [], "{fail:?}");
        guest.cast("reply", b"");
        assert_eq!(open.await.unwrap(), 5_u64.to_le_bytes(), "{fail:?}");
        assert_eq!(node.modules.find("test-module").unwrap().digest(), node.first.digest());
    }
}

#[tokio::test]
async fn new_code_that_imports_what_the_actor_is_not_granted_is_refused() {
    let (node, guest) = started().await;
    let refused = node.reload(version(2).with_http(), |_| ()).await.unwrap_err();
    let (step, why) = (refused.step(), refused.to_string());
    assert_eq!(step, "check");
    assert!(
        why.contains("it imports `wasi:http/types@0.2.12`; add under [actors.capabilities]: http = "),
        "{why}"
    );
    assert_eq!(get(&guest.cell).await, said(5, None));
}

#[tokio::test]
async fn old_code_that_will_not_give_its_state_keeps_it() {
    let node = Node::with(version(1).failing(Fail::SnapshotError)).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let report = node.reload(version(2), |_| ()).await.unwrap();
    let (step, reason, aftermath) = failed(&report);
    assert_eq!((step, aftermath), (Step::Snapshot, Aftermath::Unharmed));
    assert_eq!(reason, "snapshot: as the test wants");
    assert_eq!(get(&guest.cell).await, said(5, None));
}

#[tokio::test]
async fn old_code_that_traps_in_its_snapshot_goes_on_afresh() {
    let node = Node::with(version(1).failing(Fail::SnapshotTrap)).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let report = node.reload(version(2), |_| ()).await.unwrap();
    let (step, reason, aftermath) = failed(&report);
    assert_eq!((step, aftermath), (Step::Snapshot, Aftermath::StateLost));
    assert!(reason.contains("trapped"), "{reason}");
    // The same actor, though it is never restarted by its own policy.
    assert_eq!(get(&guest.cell).await, said(0, None));
}

#[tokio::test]
async fn a_state_that_is_too_large_stays_where_it_is() {
    let node = Node::with_profile(version(1), |profile| {
        profile.limits = Arc::new(Limits {
            state_bytes: 15,
            ..Limits::default()
        });
    })
    .await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let report = node.reload(version(2), |_| ()).await.unwrap();
    let (step, reason, aftermath) = failed(&report);
    assert_eq!((step, aftermath), (Step::Snapshot, Aftermath::Unharmed));
    assert!(reason.contains("beyond the limit of 15 (state_bytes)"), "{reason}");
    assert_eq!(get(&guest.cell).await, said(5, None));
}

#[tokio::test]
async fn without_room_for_a_second_instance_the_first_goes_on() {
    let engine = Engine::new(EngineConfig {
        allocation: Allocation::Pool { guests: 1 },
        ..engine_config()
    })
    .unwrap();
    let load = async |version: Version| {
        let file = file(&version.bytes());
        engine.load(&source(&file.path)).await.unwrap()
    };
    let (old, new) = (load(version(1)).await, load(version(2)).await);
    // As long as there is room.
    assert!(old.contract().await.is_some());
    assert!(new.contract().await.is_some());
    let guest = start_module(&old, GuestOptions::default()).await.unwrap();
    guest.cast("add", &[5]);
    let swap = ractor_host::guest::Swap {
        module: new,
        mode: ractor_host::guest::Mode::Snapshot,
        probation: 1,
    };
    let error = guest.live().reload(swap).await.unwrap_err().to_string();
    assert!(
        error.starts_with("at instantiate: instantiation: it could not be made"),
        "{error}"
    );
    assert_eq!(get(&guest.cell).await, said(5, None));
}

#[tokio::test]
async fn the_message_at_which_new_code_fails_is_handled_by_the_old_one() {
    let (node, guest) = started().await;
    let report = reload_with_traffic(&node, &guest, Fail::Message).await;
    let (step, reason, aftermath) = failed(&report);
    assert_eq!((step, aftermath), (Step::Probation, Aftermath::GivenAgain));
    assert!(reason.starts_with("handle-cast `add`: trapped"), "{reason}");
    // Of what was sent in all, nothing is lost and nothing was counted twice.
    assert_eq!(get(&guest.cell).await, said(6, None));
}

#[tokio::test]
async fn so_is_a_call_and_its_caller_gets_the_reply() {
    let (node, guest) = started().await;
    let reload = node.reload(version(2).failing(Fail::Message), |reload| {
        reload.probation_time = Duration::from_secs(30);
    });
    let call = async {
        until_new(&node, &guest).await;
        get(&guest.cell).await
    };
    let (report, says) = tokio::join!(reload, call);
    assert_eq!(says, said(5, None));
    assert_eq!(failed(&report.unwrap()).2, Aftermath::GivenAgain);
}

#[tokio::test]
async fn a_message_of_which_others_noticed_something_is_not_handled_twice() {
    let (node, guest) = started().await;
    let mut witness = Native::start(None).await;
    pg::join("reload-witness".to_owned(), vec![witness.cell.clone()]);
    let reload = node.reload(version(2).failing(Fail::MessageAfterActing), |reload| {
        reload.probation_time = Duration::from_secs(30);
    });
    let message = async {
        until_new(&node, &guest).await;
        guest.cast("add", b"reload-witness");
    };
    let (report, ()) = tokio::join!(reload, message);
    let report = report.unwrap();
    assert_eq!(failed(&report).2, Aftermath::MessageLost);
    assert_eq!(witness.next().await, "seen:");
    assert_eq!(get(&guest.cell).await, said(5, None));
}

#[tokio::test]
async fn nor_is_one_by_whoever_may_have_written_to_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let directory = |access| Grants {
        directories: vec![Directory {
            host: folder.path().to_owned(),
            guest: "/data".to_owned(),
            access,
        }],
        ..Grants::of_actors()
    };
    let tcp = Grants {
        tcp: vec!["localhost:5432".parse().unwrap()],
        ..Grants::of_actors()
    };
    let udp = Grants {
        udp: vec!["localhost:123".parse().unwrap()],
        ..Grants::of_actors()
    };
    let http = |origins: &[&str]| Grants {
        http: Some(origins.iter().map(|origin| origin.parse().unwrap()).collect()),
        ..Grants::of_actors()
    };
    for (grants, aftermath) in [
        (directory(Access::Read), Aftermath::GivenAgain),
        (directory(Access::ReadWrite), Aftermath::MessageLost),
        (tcp, Aftermath::MessageLost),
        (udp, Aftermath::MessageLost),
        (http(&[]), Aftermath::GivenAgain),
        (http(&["https://localhost"]), Aftermath::MessageLost),
    ] {
        let node = Node::with_profile(version(1), |profile| profile.grants = Arc::new(grants)).await;
        let guest = node.start().await;
        add_five(&guest).await;
        let report = reload_with_traffic(&node, &guest, Fail::Message).await;
        assert_eq!(failed(&report).2, aftermath);
        let count = if aftermath == Aftermath::GivenAgain { 6 } else { 5 };
        assert_eq!(get(&guest.cell).await, said(count, None));
    }
}

#[tokio::test]
async fn after_messages_that_new_code_handled_their_effect_stays() {
    let (node, guest) = started().await;
    let reload = node.reload(version(2).failing(Fail::SecondMessage), |reload| {
        reload.probation_messages = 3;
        reload.probation_time = Duration::from_secs(30);
    });
    let messages = async {
        until_new(&node, &guest).await;
        guest.cast("add", &[10]);
        guest.cast("add", &[20]);
        guest.cast("add", &[30]);
    };
    let (report, ()) = tokio::join!(reload, messages);
    assert_eq!(failed(&report.unwrap()).2, Aftermath::GivenAgain);
    // The first was handled by the new code, whose state the old code took over.
    assert_eq!(get(&guest.cell).await, said(65, Some(1)));
}

/// One that had started with the old code while the others were reloaded rejects the new one, which is current by then.
#[tokio::test]
async fn who_starts_with_new_code_that_is_rejected_goes_back_with_the_rest() {
    let node = Node::with(version(1)).await;
    let first = node.start().await;
    let reload = node.reload(version(2).failing(Fail::Message), |reload| {
        reload.probation_time = Duration::from_secs(30);
    });
    let others = async {
        until_new(&node, &first).await;
        let late = node.start().await;
        assert_eq!(late.live().module().digest(), node.first.digest());
        // Nothing is left that the new code could fail at, and it becomes current.
        first.cell.stop(None);
        until_new(&node, &late).await;
        let meanwhile = node.start().await;
        assert_ne!(meanwhile.live().module().digest(), node.first.digest());
        late.cast("add", &[1]);
        (late, meanwhile)
    };
    let (report, (late, meanwhile)) = tokio::join!(reload, others);
    let report = report.unwrap();
    assert_eq!(report.verdict, Verdict::RolledBack);
    let outcomes: Vec<_> = report.actors.iter().map(|actor| &actor.outcome).collect();
    assert!(
        matches!(
            outcomes[..],
            [Outcome::Ended, Outcome::Failed { .. }, Outcome::RolledBack]
        ),
        "{outcomes:?}"
    );
    assert_eq!(get(&late.cell).await, said(1, None));
    assert_eq!(get(&meanwhile.cell).await, said(0, Some(1)));
    let after = node.start().await;
    assert_eq!(get(&after.cell).await, said(0, None));
    let kept = node.modules.previous("test-module");
    assert!(kept.is_empty(), "what was rejected is nothing to go back to: {kept:?}");
}

/// Waits until the guest runs other code than the node was started with. Not than when this is asked, which may be too late.
async fn until_new(node: &Node, guest: &Running) {
    let before = node.first.digest();
    for _ in 0..3000 {
        if guest.live().module().digest() != before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the guest was never reloaded");
}

async fn reload_with_traffic(node: &Node, guest: &Running, fail: Fail) -> ReloadReport {
    let reload = node.reload(version(2).failing(fail), |reload| {
        reload.probation_time = Duration::from_secs(30);
    });
    let message = async {
        until_new(node, guest).await;
        guest.cast("add", &[1]);
    };
    tokio::join!(reload, message).0.unwrap()
}
