//! What happens when a guest fails: who hears, and who is not disturbed.

use crate::support::{named, options, script, start, start_module};

#[tokio::test]
async fn a_trap_fails_the_actor_and_drops_the_call() {
    let mut guest = start(named("trapper")).await;
    assert_eq!(guest.call("trap", b"").await, None);
    let event = guest.supervisor.end().await;
    let pid = guest.cell.get_id().pid();
    assert!(
        event.starts_with(&format!(
            "failed: actor \"trapper\" (pid {pid}) failed in handle-call `trap`: trapped: "
        )),
        "{event}"
    );
    assert!(event.contains("unreachable"), "{event}");
    assert!(event.contains("(at handle_call)"), "{event}");
    guest.guest.ended.await.unwrap();
}

#[tokio::test]
async fn a_trap_drops_the_calls_that_were_put_off() {
    let guest = start(options()).await;
    let open = guest.ask("defer", b"");
    guest.cast("trap", b"");
    assert!(open.await.is_err());
}

#[tokio::test]
async fn an_error_from_a_callback_reaches_the_supervisor() {
    let mut guest = start(named("failer")).await;
    guest.cast("fail", b"out of\ncoffee");
    let event = guest.supervisor.end().await;
    assert!(
        event.ends_with("failed in handle-cast `fail`: out of\\ncoffee"),
        "{event}"
    );
}

#[tokio::test]
async fn an_error_from_pre_start_reaches_the_caller_of_spawn() {
    let mut options = named("unborn");
    options.arguments = b"!no licence".to_vec();
    options.groups = vec!["unborn".to_owned()];
    let module = script().await;
    let error = start_module(&module, options).await.err().unwrap();
    let text = error.to_string();
    assert!(text.contains("\"unborn\""), "{text}");
    assert!(text.ends_with("failed in pre-start: !no licence"), "{text}");
    assert_eq!(ractor::pg::get_members(&"unborn".to_owned()), Vec::new());
    // The name is free again.
    start_module(&module, named("unborn")).await.unwrap();
}

#[tokio::test]
async fn a_guest_that_fails_does_not_disturb_others_of_its_module() {
    let (one, other) = (start(options()).await, start(options()).await);
    one.cast("trap", b"");
    one.guest.ended.await.unwrap();
    assert_eq!(other.call("echo", b"fine").await, Some(b"fine".to_vec()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_guest_that_works_for_ever_leaves_the_thread_to_others_and_can_be_killed() {
    let (mut busy, other) = (start(options()).await, start(options()).await);
    let open = busy.ask("work", b"");
    for _ in 0..3 {
        assert_eq!(other.call("echo", b"fine").await, Some(b"fine".to_vec()));
    }
    assert_eq!(busy.supervisor.next().await, "started");
    assert!(busy.supervisor.is_quiet());
    busy.cell.kill();
    assert!(open.await.is_err());
    assert!(busy.supervisor.next().await.starts_with("ended: "));
    busy.guest.ended.await.unwrap();
}
