//! New code for actors that live: what survives, and what is decided before anything is touched.

use std::sync::Arc;
use std::time::Duration;

use ractor::pg;
use ractor_host::directory;
use ractor_host::guest::{Grants, GuestOptions, Mode, RestartIntensity, RestartPolicy, RestartType};
use ractor_host::supervision::reload::{
    ConfiguredActor, OnFailure, Outcome, Refusal, Reload, ReloadError, ReloadReport, StartArguments, Verdict, rollback,
    undo,
};

use crate::reload_support::{Fail, Node, Says, Version, get, version};
use crate::support::{Native, cast, file, pid_bytes};

fn said(count: u64, version: u64, from: Option<u64>) -> Option<Says> {
    Some(Says {
        count,
        version,
        from,
        heard: 0,
    })
}

fn outcomes(report: &ReloadReport) -> Vec<&Outcome> {
    report.actors.iter().map(|actor| &actor.outcome).collect()
}

const RELOADED: Outcome = Outcome::Reloaded { mode: Mode::Snapshot };

#[tokio::test]
async fn the_code_changes_and_the_state_stays() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    assert_eq!(get(&guest.cell).await, said(5, 1, None));
    let report = node.reload(version(2).with_state(3), |_| ()).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded);
    assert_eq!(outcomes(&report), [&RELOADED]);
    assert_eq!(report.actors[0].pid, guest.cell.get_id().pid());
    assert_eq!(report.actors[0].state_bytes, Some(160));
    assert!(report.actors[0].pause_us.is_some());
    assert_eq!(report.changes, ["version of the state `1` → `3`"]);
    assert_ne!(report.old, report.new);
    assert_eq!(get(&guest.cell).await, said(5, 2, Some(1)));
    guest.cast("add", &[1]);
    node.reload(version(3).with_state(3), |_| ()).await.unwrap();
    assert_eq!(get(&guest.cell).await, said(6, 3, Some(3)));
    assert!(guest.supervisor.is_quiet() || !guest.live().cell().get_id().is_local());
}

#[tokio::test]
async fn the_same_code_is_no_change() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    let report = node.reload(version(1), |_| ()).await.unwrap();
    assert_eq!((report.verdict, report.actors.len()), (Verdict::Reloaded, 0));
    assert_eq!(get(&guest.cell).await, said(0, 1, None));
}

#[tokio::test]
async fn what_the_actor_is_and_has_stays() {
    let node = Node::with(version(1)).await;
    let mut options = node.options.clone();
    options.name = Some("reload-stays".to_owned());
    let guest = crate::support::start_module(&node.first, options).await.unwrap();
    let cell = &guest.cell;
    let other = Native::start(None).await;
    guest.cast("join", b"reload-stays");
    guest.cast("child", b"test-module");
    guest.cast("monitor", &pid_bytes(0, other.cell.get_id().pid()));
    guest.cast("timer", &300_u64.to_le_bytes());
    let open = guest.ask("put-off", b"");
    // The child has been heard of.
    while get(cell).await.unwrap().heard == 0 {
        tokio::task::yield_now().await;
    }
    let [child] = cell.get_children().try_into().unwrap();

    let report = node.reload(version(2), |_| ()).await.unwrap();
    assert_eq!(
        outcomes(&report),
        [&RELOADED, &RELOADED],
        "the child is of the module too"
    );
    assert_eq!(directory::where_is("reload-stays").as_ref(), Some(cell));
    assert_eq!(pg::get_members(&"reload-stays".to_owned()), std::slice::from_ref(cell));
    assert_eq!(cell.get_children(), std::slice::from_ref(&child));
    assert_eq!(get(&child).await.unwrap().version, 2);

    // The deferred reply goes to who waits for it, and the new instance can give it.
    guest.cast("reply", b"");
    assert_eq!(open.await.unwrap().len(), 8);
    // The timer of the old instance fires for the new one.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while get(cell).await.unwrap().count == 0 {
        assert!(tokio::time::Instant::now() < deadline, "the timer is lost");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // So are the monitor and the child.
    for (number, gone) in [other.cell.clone(), child].into_iter().enumerate() {
        gone.stop(None);
        while get(cell).await.unwrap().heard <= number as u64 {
            assert!(tokio::time::Instant::now() < deadline, "an end is not heard of");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn messages_that_wait_are_handled_by_the_new_code_in_their_order() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    for _ in 0..100 {
        guest.cast("add", &[1]);
    }
    let reload = node.reload(version(2), |_| ());
    let before = get(&guest.cell).await.unwrap();
    let report = reload.await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded);
    assert_eq!(before.count, 100);
    assert_eq!(get(&guest.cell).await, said(100, 2, Some(1)));
}

#[tokio::test]
async fn a_dry_run_touches_nothing_and_says_what_would_be() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    let report = node.reload(version(2), |reload| reload.dry_run = true).await.unwrap();
    assert_eq!(report.verdict, Verdict::DryRun);
    assert_eq!(outcomes(&report), [&Outcome::Planned { mode: Mode::Snapshot }]);
    assert_eq!(get(&guest.cell).await, said(0, 1, None));
    assert_eq!(node.modules.find("test-module").unwrap().digest(), node.first.digest());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_anything_is_touched() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let shorter = |length| crate::reload_support::Version {
        name_length: length,
        ..version(2)
    };
    for (new, expected) in [
        (version(2).with_state(0), "has version 0 of the state"),
        (
            version(2).plain(),
            "the new code does not export the interface `reload`",
        ),
        (shorter(5), "the new code is `Count`, what runs is `Counter`"),
    ] {
        let error = node.reload(new, |_| ()).await.unwrap_err();
        assert_eq!(error.step(), "check");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(get(&guest.cell).await, said(5, 1, None));
    }
    let report = node.reload(shorter(5), |reload| reload.force = true).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded);
    assert_eq!(get(&guest.cell).await, said(5, 2, Some(1)));
}

#[tokio::test]
async fn code_without_the_interface_is_restarted_where_that_is_allowed() {
    let node = Node::with(version(1).plain()).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let refused = node.reload(version(2).plain(), |_| ()).await.unwrap_err();
    let ReloadError::Refused(refused) = refused else {
        panic!("{refused}")
    };
    assert!(
        matches!(refused.refusals[..], [Refusal::NotReloadable { .. }]),
        "{refused}"
    );
    assert_eq!(get(&guest.cell).await, said(5, 1, None));

    let node = Node::with_profile(version(1).plain(), |profile| profile.reload_by_restart = true).await;
    let mut options = node.options.clone();
    options.groups = vec!["reload-restart".to_owned()];
    let guest = crate::support::start_module(&node.first, options).await.unwrap();
    let open = guest.ask("put-off", b"");
    guest.cast("add", &[5]);
    guest.cast("child", b"test-module");
    let failing = version(2).plain().failing(Fail::PreStart);
    let report = node.reload(failing, |_| ()).await.unwrap();
    assert_eq!(report.verdict, Verdict::RolledBack, "{report:?}");
    assert_eq!(
        get(&guest.cell).await.map(|says| (says.count, says.version)),
        Some((5, 1))
    );
    assert_eq!(guest.cell.get_children().len(), 1);

    let report = node.reload(version(2).plain(), |_| ()).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded, "{report:?}");
    assert_eq!(get(&guest.cell).await, said(0, 2, None));
    assert!(open.await.is_err(), "who waits for the old state hears that it is gone");
    assert_eq!(
        pg::get_members(&"reload-restart".to_owned()),
        std::slice::from_ref(&guest.cell)
    );
    assert_eq!(guest.cell.get_children(), [], "children were of the old state");
}

/// A restart can't be undone once the old instance has stopped, so it must not get there when nobody waits for it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_is_said_to_keep_its_code_keeps_it_though_the_new_code_has_started_meanwhile() {
    let node = Node::with_profile(version(1).plain(), |profile| profile.reload_by_restart = true).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let slow = version(2).plain().failing(Fail::SlowStart);
    let report = node.reload(slow, |plan| plan.patience = Duration::from_millis(1)).await;
    let report = report.unwrap();
    assert_eq!(report.verdict, Verdict::RolledBack, "{report:?}");
    // The answer comes when the actor is done with what it had begun.
    assert_eq!(get(&guest.cell).await, said(5, 1, None));
    let report = node.reload(slow, |_| ()).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded, "{report:?}");
    assert_eq!(get(&guest.cell).await, said(0, 2, None));
}

/// An entry of node.toml whose actor has ended, or was given up, starts with the node again.
#[tokio::test]
async fn code_with_which_an_actor_could_not_start_is_refused_though_the_actor_does_not_run() {
    let node = Node::with_profile(version(1), |profile| {
        let grants = Arc::make_mut(&mut profile.grants);
        grants.http = Some(Vec::new());
    })
    .await;
    let guest = node.start().await;
    let idle = |keeps_state| {
        vec![ConfiguredActor {
            name: "idle".to_owned(),
            grants: Arc::new(Grants::of_actors()),
            keeps_state,
            arguments: StartArguments::new(Vec::new(), |_, _| None),
        }]
    };
    let reload = |version: Version, keeps_state| {
        let node = &node;
        async move { node.reload(version, |plan| plan.configured = idle(keeps_state)).await }
    };
    let refused = reload(version(2).with_http(), false).await.unwrap_err().to_string();
    assert!(refused.contains("actor `idle` is not granted"), "{refused}");
    let refused = reload(version(2).plain(), true).await.unwrap_err().to_string();
    assert!(
        refused.contains("`checkpoint` in the entry of actor `idle`"),
        "{refused}"
    );
    assert_eq!(get(&guest.cell).await, said(0, 1, None));
    reload(version(2), true).await.unwrap();
    node.reload(version(3).with_http(), |_| ()).await.unwrap();
}

/// A state that is written down later must not be taken for one of the code that runs by then.
#[tokio::test]
async fn a_state_is_of_the_code_that_wrote_it() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    let before = guest.live().snapshot().await.unwrap();
    node.reload(version(2), |_| ()).await.unwrap();
    let after = guest.live().snapshot().await.unwrap();
    assert_eq!(before.digest, node.first.digest());
    assert_eq!(after.digest, guest.live().module().digest());
    assert_ne!(before.digest, after.digest);
}

#[tokio::test]
async fn a_reload_that_is_taken_back_leaves_what_there_was_to_go_back_to() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    node.reload(version(2), |_| ()).await.unwrap();
    let before = node.modules.versions("test-module").unwrap();
    let put = node.reload(version(3), |_| ()).await.unwrap().new.parse().unwrap();
    let back = |put| undo(&node.modules, Reload::of("test-module"), (put, before.clone()));
    assert_eq!(back(put).await.unwrap().verdict, Verdict::Reloaded);
    assert_eq!(guest.live().module().digest(), before.current().digest());
    let kept = node.modules.previous("test-module");
    let kept: Vec<_> = kept.iter().map(|version| version.digest()).collect();
    assert_eq!(kept, [node.first.digest()]);

    let put = node.reload(version(3), |_| ()).await.unwrap().new.parse().unwrap();
    let deployed = node.reload(version(4), |_| ()).await.unwrap().new;
    let refused = back(put).await.unwrap_err();
    assert!(matches!(refused, ReloadError::Replaced(_)), "{refused}");
    assert_eq!(guest.live().module().digest().to_string(), deployed, "it stays");
}

#[tokio::test]
async fn the_version_before_comes_back() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    let nothing = rollback(&node.modules, Reload::of("test-module")).await.unwrap_err();
    assert!(matches!(nothing, ReloadError::NoPrevious { .. }), "{nothing}");
    node.reload(version(2), |_| ()).await.unwrap();
    guest.cast("add", &[7]);
    let report = rollback(&node.modules, Reload::of("test-module")).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded);
    assert_eq!(get(&guest.cell).await, said(7, 1, Some(1)));
    rollback(&node.modules, Reload::of("test-module")).await.unwrap();
    assert_eq!(
        get(&guest.cell).await,
        said(7, 2, Some(1)),
        "a second rollback undoes the first"
    );
    for number in 3..=6 {
        node.reload(version(number), |_| ()).await.unwrap();
    }
    assert_eq!(node.modules.previous("test-module").len(), 3, "the last three are kept");
    let mut to = Reload::of("test-module");
    to.digest = Some(node.first.digest());
    assert!(
        rollback(&node.modules, to.clone()).await.is_err(),
        "the first is not among them"
    );
    to.digest = Some(version(3).load().await.digest());
    rollback(&node.modules, to).await.unwrap();
    assert_eq!(get(&guest.cell).await, said(7, 3, Some(1)));
}

#[tokio::test]
async fn actors_that_start_later_or_again_have_the_current_version() {
    let node = Node::with(version(1)).await;
    let restarting = RestartPolicy::new(
        RestartType::Transient,
        RestartIntensity {
            backoff: Duration::ZERO,
            ..RestartIntensity::default()
        },
    );
    let options = GuestOptions {
        restarting,
        ..node.options.clone()
    };
    let first = crate::support::start_module(&node.first, options).await.unwrap();
    node.reload(version(2), |_| ()).await.unwrap();
    // As a supervisor does, with the module that it was given once.
    let second = node.start().await;
    assert_eq!(get(&second.cell).await, said(0, 2, None));
    first.live().restart("the test wants it");
    assert_eq!(get(&first.cell).await, said(0, 2, None));
    cast(&first.cell, "child", b"test-module");
    get(&first.cell).await;
    let [child] = first.cell.get_children().try_into().unwrap();
    assert_eq!(get(&child).await, said(0, 2, None));
}

#[tokio::test]
async fn many_actors_are_reloaded_and_one_that_fails_takes_them_back() {
    let node = Node::with(version(1)).await;
    let mut guests = Vec::new();
    for number in 0..20 {
        let guest = node.start().await;
        guest.cast("add", &[number]);
        guests.push(guest);
    }
    // One of them is to handle a message with new code that fails at it.
    let bad = version(2).failing(Fail::Message);
    guests[3].cast("add", &[0]);
    let stopper = guests[19].cell.clone();
    stopper.stop(None);
    let reload = node.reload(bad, |reload| reload.probation_time = Duration::from_secs(2));
    let prod = async {
        // Whenever it is reloaded, there is a message for it.
        for _ in 0..50 {
            guests[3].cast("add", &[0]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (report, ()) = tokio::join!(reload, prod);
    let report = report.unwrap();
    assert_eq!(report.verdict, Verdict::RolledBack, "{report:?}");
    assert!(report.failures().next().is_some());
    for (number, guest) in guests.iter().enumerate().take(19) {
        assert_eq!(get(&guest.cell).await, said(number as u64, 1, None), "{report:?}");
    }

    let reload = node.reload(bad, |reload| {
        reload.on_failure = OnFailure::Mixed;
        reload.probation_time = Duration::from_millis(500);
    });
    let prod = async {
        for _ in 0..20 {
            guests[3].cast("add", &[0]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (report, ()) = tokio::join!(reload, prod);
    let report = report.unwrap();
    assert_eq!(report.verdict, Verdict::Mixed, "{report:?}");
    assert_eq!(report.failures().count(), 1);
    assert_eq!(get(&guests[3].cell).await, said(3, 1, None));
}

#[tokio::test]
async fn one_reload_of_a_module_at_a_time() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    let held = node.modules.reloading("test-module");
    let busy = node.reload(version(2), |_| ()).await.unwrap_err();
    assert!(matches!(busy, ReloadError::Busy(_)), "{busy}");
    drop(held);
    node.reload(version(2), |_| ()).await.unwrap();
    assert_eq!(get(&guest.cell).await.unwrap().version, 2);
    let file = file(b"");
    let mut unknown = Reload::of("nobody");
    unknown.file = Some(file.path.clone());
    let unknown = ractor_host::supervision::reload::reload(&node.modules, unknown)
        .await
        .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no module `nobody`; there is: test-module"
    );
}

#[tokio::test]
async fn an_actor_that_never_comes_to_a_boundary_keeps_its_code() {
    let node = Node::with(version(1)).await;
    let guest = node.start().await;
    let busy = || guest.live().figures().done.busy;
    let before = busy();
    guest.cast("spin", b"");
    // As long as the message waits, there is a boundary before it.
    while busy() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let report = node
        .reload(version(2), |reload| reload.patience = Duration::from_millis(50))
        .await;
    let report = report.unwrap();
    let (_, step, reason) = report.failures().next().unwrap();
    assert_eq!(step.to_string(), "boundary");
    assert!(reason.contains("for more than 50ms"), "{reason}");
    guest.cell.kill();
}

#[tokio::test]
async fn a_report_is_plain_data() {
    let node = Node::with(version(1)).await;
    let _guest = node.start().await;
    let report = node.reload(version(2), |_| ()).await.unwrap();
    let json = serde_json::to_string(&report).unwrap();
    assert!(
        json.contains("\"outcome\":\"reloaded\",\"mode\":\"snapshot\""),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<ReloadReport>(&json).unwrap(), report);
}
