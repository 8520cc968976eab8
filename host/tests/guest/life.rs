//! The life of a guest: names, groups, the end, and the root supervisor.

use std::sync::Arc;
use std::time::Duration;

use ractor::pg;
use ractor_host::directory;
use ractor_host::guest::{Grants, GuestHandle, GuestOptions, Modules, Profile, ReservedNames, spawn};
use ractor_host::supervision::{Counts, Root};

use crate::support::{Native, ask, named, options, pid_bytes, script, start, start_module};

#[tokio::test]
async fn it_can_be_found_from_its_start_to_its_end() {
    let guest = start(GuestOptions {
        groups: vec!["findable".to_owned()],
        ..named("findable")
    })
    .await;
    let pid = guest.cell.get_id().pid();
    assert_eq!(directory::where_is("findable"), Some(guest.cell.clone()));
    assert_eq!(directory::local_actor(pid), Some(guest.cell.clone()));
    assert!(guest.cell.supports_remoting());
    assert_eq!(
        pg::get_members(&"findable".to_owned()),
        std::slice::from_ref(&guest.cell)
    );
    guest.cell.stop(None);
    guest.guest.ended.await.unwrap();
    assert_eq!(directory::where_is("findable"), None);
    assert_eq!(directory::local_actor(pid), None);
    assert_eq!(pg::get_members(&"findable".to_owned()), Vec::new());
}

#[tokio::test]
async fn a_name_belongs_to_one_actor() {
    let native = Native::start(Some("taken-native")).await;
    let guest = start(named("taken-guest")).await;
    for name in ["taken-native", "taken-guest"] {
        let error = start_module(&script().await, named(name)).await.err().unwrap();
        assert!(
            error.to_string().contains(&format!("the actor name {name:?} is taken")),
            "{error}"
        );
    }
    // Those who had the names still have them.
    assert_eq!(directory::where_is("taken-native"), Some(native.cell.clone()));
    assert_eq!(directory::where_is("taken-guest"), Some(guest.cell.clone()));
}

/// Otherwise a child that is quick has the name, and the messages, of an actor that is just being started again.
#[tokio::test]
async fn a_child_gets_no_name_of_an_actor_that_the_node_starts() {
    let module = script().await;
    let modules = Modules::default();
    modules.insert(module.clone());
    let mut reserved = ReservedNames::default();
    reserved.add("bank-of-the-node", 1);
    let options = GuestOptions {
        profile: Arc::new(Profile {
            grants: Arc::new(Grants::of_actors()),
            reserved_names: Arc::new(reserved),
            ..Profile::default()
        }),
        modules,
        ..GuestOptions::default()
    };
    let parent = start_module(&module, options.clone()).await.unwrap();
    parent.cast("kid", b"nobodys");
    assert_eq!(parent.call("echo", b"done").await, Some(b"done".to_vec()));
    assert!(directory::where_is("test-module/nobodys").is_some());
    for name in ["bank-of-the-node", "ractor-host.control"] {
        let mut parent = start_module(&module, options.clone()).await.unwrap();
        // The fixture traps where a child is refused.
        parent.cast("kid", name.as_bytes());
        let ended = parent.supervisor.end().await;
        assert!(ended.contains("trapped"), "{name}: {ended}");
        assert_eq!(directory::where_is(name), None);
    }
}

/// Others find a child below its family's name only, so that it can't be taken for one of them, and two families may have children
/// of one name. Whoever spawned it finds it by the name that it gave.
#[tokio::test]
async fn a_child_has_its_name_below_that_of_its_parent() {
    let module = script().await;
    let modules = Modules::default();
    modules.insert(module.clone());
    let of = |name: &str| GuestOptions {
        name: Some(name.to_owned()),
        profile: Arc::new(Profile {
            node_name: Arc::from("alpha@localhost"),
            grants: Arc::new(Grants::of_actors()),
            ..Profile::default()
        }),
        modules: modules.clone(),
        ..GuestOptions::default()
    };
    let (one, two) = (of("family-one"), of("family-two"));
    let one = start_module(&module, one).await.unwrap();
    let two = start_module(&module, two).await.unwrap();
    for (parent, name) in [(&one, "family-one"), (&two, "family-two")] {
        parent.cast("kid", b"clerk");
        assert_eq!(parent.call("echo", b"done").await, Some(b"done".to_vec()));
        let clerk = directory::where_is(&format!("{name}/clerk")).expect("a child");
        assert_eq!(clerk.get_name().as_deref(), Some(&*format!("{name}/clerk")));
        for known_as in ["clerk", "clerk@alpha@localhost", &format!("{name}/clerk")] {
            let found = parent.call("registry", known_as.as_bytes()).await.expect("a pid");
            assert_eq!(found, pid_bytes(0, clerk.get_id().pid()), "{known_as}");
        }
        assert_eq!(ask(&clerk, "name", b"", None).await.as_deref(), Ok(&b"clerk"[..]));
    }
    assert_eq!(directory::where_is("clerk"), None);
    assert_eq!(directory::find("clerk").await, None);
}

#[tokio::test]
async fn start_and_orderly_end_are_told_to_the_guest() {
    let mut witness = Native::start(None).await;
    pg::join("witness-stop".to_owned(), vec![witness.cell.clone()]);
    let mut guest = start(with_witness("witness-stop")).await;
    assert_eq!(witness.next().await, "post-start:");
    guest.cast("stop", b"done");
    assert_eq!(witness.next().await, "post-stop:");
    assert_eq!(guest.supervisor.end().await, "ended: done");
}

#[tokio::test]
async fn a_kill_ends_it_without_asking() {
    let mut witness = Native::start(None).await;
    pg::join("witness-kill".to_owned(), vec![witness.cell.clone()]);
    for variant in ["work", "echo"] {
        let mut guest = start(GuestOptions {
            name: Some("killed".to_owned()),
            ..with_witness("witness-kill")
        })
        .await;
        assert_eq!(witness.next().await, "post-start:");
        // The callback has told the witness before ractor tells the supervisor that it is done.
        assert_eq!(guest.supervisor.next().await, "started");
        let open = guest.ask(variant, b"");
        tokio::task::yield_now().await;
        guest.cell.kill();
        assert!(guest.supervisor.next().await.starts_with("ended: "));
        guest.guest.ended.await.unwrap();
        drop(open);
        assert_eq!(directory::where_is("killed"), None);
    }
    // The next thing that the witness hears is from a new guest, not a `post-stop`.
    let _guest = start(with_witness("witness-kill")).await;
    assert_eq!(witness.next().await, "post-start:");
}

fn with_witness(group: &str) -> GuestOptions {
    GuestOptions {
        arguments: group.as_bytes().to_vec(),
        ..options()
    }
}

#[tokio::test]
async fn a_message_before_the_stop_is_handled_and_one_after_is_refused() {
    let guest = start(options()).await;
    let reply = guest.ask("echo", b"before");
    guest.cast("stop", b"");
    let GuestHandle { cell, ended, .. } = guest.guest;
    assert_eq!(reply.await, Ok(b"before".to_vec()));
    ended.await.unwrap();
    let after = cell.send_serialized(ractor::message::SerializedMessage::Cast {
        variant: "echo".to_owned(),
        args: Vec::new(),
        metadata: None,
    });
    assert!(after.is_err());
}

#[tokio::test]
async fn the_root_supervisor_counts_what_happens() {
    let root = Root::start().await.unwrap();
    let module = script().await;
    let mut cells = Vec::new();
    for _ in 0..3 {
        let guest = spawn(&module, options(), root.cell().clone()).await.unwrap();
        cells.push(guest.cell);
    }
    assert!(root.wait_until(|counts| counts.running == 3).await);
    crate::support::cast(&cells[0], "trap", b"");
    cells[1].stop(None);
    assert!(root.wait_until(|counts| counts.running == 1).await);
    let expected = Counts {
        running: 1,
        started: 3,
        restarted: 0,
        terminated: 1,
        failed: 1,
    };
    assert_eq!(root.counts(), expected);
    root.stop("the test is over", Duration::from_secs(10)).await.unwrap();
    assert_eq!(directory::local_actor(cells[2].get_id().pid()), None);
}
