//! The page changes as the node does, and changes the node.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::programs;
use serde_json::json;

use crate::browser::Browser;
use crate::node::{DEPLOY, OPERATE, at, component, node, url};

#[test]
fn the_page_shows_at_once_that_an_actor_was_killed_and_lives_again() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    let url = url(&mut alpha);
    browser.open(&format!("{url}/#/actors"));
    browser.until("#state", |text| text == "ready");
    browser.enter("input[type=search]", "counters");
    let pid = |browser: &Browser| browser.text(".virtual tbody tr[data-pid] td:nth-child(2)");
    let before = browser.until(".virtual tbody tr[data-pid]", |text| text.starts_with("counter\t"));
    let first = pid(&browser);
    assert!(before.contains(&first), "{before}");
    assert_eq!(at(&alpha, &["kill", "counter"]).code, Some(0));
    browser.until(".virtual tbody tr[data-pid] td:nth-child(2)", |now| {
        !now.is_empty() && now != first
    });
    browser.open(&format!("{url}/#/events"));
    let events = browser.until(".events", |text| text.contains("counter started"));
    assert!(
        events.contains("counter ended: ") || events.contains("counter failed: "),
        "{events}"
    );
    // Messages that pass are seen.
    browser.open(&format!("{url}/#/"));
    assert_eq!(at(&alpha, &["stop", "counter"]).code, Some(0));
    browser.until("main .notice", |text| {
        text.contains("counter was stopped by an operator")
    });
    browser.finish();
}

#[test]
fn other_nodes_that_come_and_go_are_in_the_graph_and_among_the_events() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    browser.open(&url(&mut alpha));
    browser.until(".graph", |text| text.contains("alpha@localhost"));
    let beta = HostNode::start("beta", &format!("peers = [{:?}]\n", alpha.address()));
    browser.until(".graph", |text| text.contains("beta@localhost"));
    browser.until(".events", |text| text.contains("Session with beta@localhost"));
    browser.until("td", |text| text.contains("ms") || text.contains("µs"));
    drop(beta);
    browser.until(".events", |text| text.contains("Session with beta@localhost is over"));
    browser.until(".graph", |text| !text.contains("beta@localhost"));
    browser.finish();
}

#[test]
fn links_between_other_nodes_are_in_the_graph_too() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("key");
    std::fs::write(&key, "observe 0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, private).expect("permissions");
    let control = format!("[control]\nkey_file = {key:?}\n");
    let mut alpha = node("alpha", &control);
    let (state, first) = ("[runtime]\nstate_dir = \"state\"\n", alpha.address().to_owned());
    let beta = HostNode::start("beta", &format!("peers = [{first:?}]\n{control}{state}"));
    let second = beta.address();
    let _gamma = HostNode::start("gamma", &format!("peers = [{first:?}, {second:?}]\n{control}{state}"));
    let _delta = HostNode::start("delta", &format!("peers = [{first:?}]\n{state}"));
    browser.open(&url(&mut alpha));
    browser.until(".graph .far", |title| {
        title.contains("beta@localhost and gamma@localhost")
    });
    browser.until("main", |text| {
        text.contains("Not known are the sessions of delta@localhost")
    });
    browser.finish();
}

#[test]
fn what_changes_the_node_is_said_first_and_takes_the_token_of_its_role() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    browser.open(&format!("{}/#/actor/counter", url(&mut alpha)));
    browser.until("h2", |text| text.contains("Figures"));
    browser.press("Restart …");
    let said = browser.until("dialog", |text| text.contains("goes on afresh"));
    assert!(said.contains("takes a token of the role operate"), "{said}");
    browser.enter("dialog input", "a-token-that-is-none-of-the-nodes");
    browser.press("Restart");
    browser.until("dialog .notice.bad", |text| text.contains("none of the node's"));
    // A token that is wrong does nothing.
    assert!(!at(&alpha, &["events"]).answer().contains("restarted"));
    browser.script("document.querySelector('dialog input').value = ''");
    browser.enter("dialog input", OPERATE);
    browser.press("Restart");
    browser.until("dialog .notice.good", |text| text.contains("counter: done"));
    browser.press("Close");
    browser.until("#token-button", |text| text == "Token: operate");
    assert!(at(&alpha, &["events"]).answer().contains("counter (pid "));
    browser.finish();
}

#[test]
fn a_module_is_reloaded_and_taken_back_from_the_page() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    browser.open(&format!("{}/#/modules", url(&mut alpha)));
    browser.until("main table", |text| text.contains("counter.wasm"));
    let file = component(&alpha);
    // The same code in other bytes: a custom section at its end, which says nothing.
    let next = [
        std::fs::read(&file).expect("the component").as_slice(),
        b"\0\x05\x04next",
    ]
    .concat();
    std::fs::write(&file, next).expect("another component");
    browser.press("Reload counter …");
    browser.enter("dialog input", DEPLOY);
    browser.press("Show what it will do");
    let plan = browser.until("dialog", |text| text.contains("would be reloaded"));
    assert!(plan.contains("41 actors"), "{plan}");
    browser.press("Reload");
    browser.until("dialog", |text| text.contains("counter runs the new code"));
    browser.press("Close");
    browser.press("Roll counter back …");
    browser.press("Roll back");
    browser.until("dialog [role=status]", |text| {
        text.contains("counter runs the new code")
    });
    browser.press("Close");
    browser.press("Events");
    browser.until(".events", |text| text.contains("way back from"));
    let kinds = browser
        .script("return [...document.querySelectorAll('[data-event]')].map((one) => one.dataset.event).slice(0, 2)");
    assert_eq!(kinds, json!(["module-rolled-back", "module-reloaded"]));
    browser.finish();
}

#[test]
fn a_reload_that_the_checks_are_against_is_not_done_unasked_and_what_was_planned_is_done_or_nothing() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    let file = component(&alpha);
    let before = std::fs::read(&file).expect("the component");
    browser.open(&format!("{}/#/modules", url(&mut alpha)));
    browser.until("main table", |text| text.contains("counter.wasm"));
    // Another actor altogether.
    std::fs::copy(programs::guest("greeter"), &file).expect("another component");
    browser.press("Reload counter …");
    browser.enter("dialog input[type=password]", DEPLOY);
    browser.press("Show what it will do");
    browser.until("dialog .notice.bad", |text| text.contains("force it if"));
    assert_eq!(
        browser.script("return document.querySelector('dialog [name=anyway]').checked"),
        false
    );
    browser.press("Cancel");
    let next = |more: &[u8]| std::fs::write(&file, [before.as_slice(), more].concat()).expect("another component");
    next(b"\0\x05\x04next");
    browser.press("Reload counter …");
    browser.until("dialog", |text| text.contains("would be reloaded"));
    // It changes while somebody reads what it would do.
    next(b"\0\x05\x04last");
    browser.press("Reload");
    browser.until("dialog .notice.bad", |text| text.contains("was asked for"));
    assert!(!at(&alpha, &["events"]).answer().contains("ended reloaded"));
    browser.press("Show what it will do");
    browser.until("dialog", |text| text.contains("would be reloaded"));
    browser.press("Reload");
    browser.until("dialog", |text| text.contains("counter runs the new code"));
    browser.press("Close");
    browser.finish();
}
