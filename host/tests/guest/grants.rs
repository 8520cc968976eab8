//! What a guest was not granted, it hears of as such, and its log says what would grant it.

use std::sync::Arc;

use ractor::pg;
use ractor_host::guest::{Grants, GuestOptions, Limits, Profile};

use crate::support::{
    ENGINE, Native, SCRIPT, importing_http, load, options, pid_bytes, start, start_module, with_limits,
};

/// What the fixture replies when it may not send.
const DENIED: u8 = 7;

fn granted(grants: Grants) -> GuestOptions {
    GuestOptions {
        profile: Arc::new(Profile {
            limits: Arc::new(Limits::default()),
            grants: Arc::new(grants),
            ..Profile::default()
        }),
        ..GuestOptions::default()
    }
}

#[tokio::test]
async fn a_component_that_imports_http_takes_a_grant_of_it() {
    let module = load(&ENGINE, &importing_http(SCRIPT, "")).await.unwrap();
    assert!(module.describe().await.is_ok(), "that takes no grant");
    let refused = start_module(&module, granted(Grants::default())).await.err().unwrap();
    assert!(
        refused.to_string().contains(
            "it imports `wasi:http/types@0.2.12`; add under [actors.capabilities]: http = [\"https://HOST\"], or http = []"
        ),
        "{refused}"
    );
    let to_nobody = Grants {
        http: Some(Vec::new()),
        ..Grants::default()
    };
    start_module(&module, granted(to_nobody)).await.unwrap();
}

#[tokio::test]
async fn a_guest_calls_whom_it_may_call() {
    let native = Native::start(Some("grants-native")).await;
    let pid = pid_bytes(0, native.cell.get_id().pid());
    let nobody = start(granted(Grants::default())).await;
    assert_eq!(nobody.call("pid", &pid).await, Some(vec![DENIED]));
    for recipient in ["grants-native", "grants-*", "*"] {
        let guest = start(granted(Grants {
            messages: [recipient.parse().unwrap()].into_iter().collect(),
            ..Grants::default()
        }))
        .await;
        assert!(
            guest.call("pid", &pid).await.unwrap().starts_with(b"native "),
            "{recipient}"
        );
    }
    let everybody = start(options()).await;
    assert!(everybody.call("pid", &pid).await.unwrap().starts_with(b"native "));
}

#[tokio::test]
async fn members_of_a_group_may_be_called_while_they_are_in_it() {
    let native = Native::start(None).await;
    let pid = pid_bytes(0, native.cell.get_id().pid());
    let guest = start(granted(Grants {
        messages: ["group:grants-group".parse().unwrap()].into_iter().collect(),
        ..Grants::default()
    }))
    .await;
    assert_eq!(guest.call("pid", &pid).await, Some(vec![DENIED]), "not yet");
    pg::join("grants-group".to_owned(), vec![native.cell.clone()]);
    assert!(guest.call("pid", &pid).await.unwrap().starts_with(b"native "));
    pg::leave("grants-group".to_owned(), vec![native.cell.clone()]);
    // It is remembered for a while.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while guest.call("pid", &pid).await != Some(vec![DENIED]) {
        assert!(std::time::Instant::now() < deadline, "it may still call who has left");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_guest_may_always_call_its_supervisor() {
    let guest = start(with_limits(Limits::default())).await;
    let supervisor = pid_bytes(0, guest.supervisor.cell.get_id().pid());
    let alone = start(granted(Grants::default())).await;
    assert_eq!(
        alone.call("pid", &supervisor).await,
        Some(vec![DENIED]),
        "that of another"
    );
    let own = pid_bytes(0, alone.supervisor.cell.get_id().pid());
    assert_ne!(alone.call("pid", &own).await, Some(vec![DENIED]));
}
