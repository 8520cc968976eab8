//! One actor in full: what passes it, and the states that it can go back to.

use ractor_host_tests::cli::message;
use ractor_host_tests::host::HostNode;
use ractor_host_tests::{programs, wait};
use serde_json::Value;

use crate::browser::Browser;
use crate::looks::{axe, faults};
use crate::node::{OPERATE, at, node, url};

/// What can be seen of a trace.
const ROWS: &str = "[aria-label=Trace] tbody";
const STATE: &str = "[aria-label=Trace] [role=status]";

/// A node with a guest `one` that describes itself and whose states are kept.
fn kitchen() -> HostNode {
    let path = programs::guest("kitchen_rs");
    let more = format!(
        "[modules.kitchen]\npath = {path:?}\n[[actors]]\nname = \"one\"\nmodule = \"kitchen\"\narguments = \"str:\"\n\
         checkpoint = {{ every = \"50ms\", keep = 10 }}\n"
    );
    node("alpha", &more)
}

#[track_caller]
fn send(alpha: &HostNode, verb: &str, words: &[&str]) -> String {
    let sent = message(verb, alpha.address(), &alpha.cookie_file(), &[&["one"], words].concat());
    sent.answer().to_owned()
}

#[test]
fn a_message_is_seen_as_it_passes_and_what_is_in_it_with_the_token_of_its_role() {
    let Some(browser) = Browser::start(1400, 1400) else {
        return;
    };
    let mut alpha = kitchen();
    browser.open(&format!("{}/#/actor/one", url(&mut alpha)));
    browser.until("#state", |text| text == "ready");
    browser.until("h2", |text| text.contains("Figures") && text.contains("Trace"));
    // Whoever only looks sees that messages pass, and how large they are.
    let checkbox = "document.querySelector('[aria-label=Trace] input[type=checkbox]')";
    assert_eq!(browser.script(&format!("return {checkbox}.disabled")), true);
    browser.press("Begin to trace");
    let begun = browser.until(STATE, |text| text.contains("Tracing one for 60 s"));
    assert!(
        begun.contains("up to 1\u{202f}000 events, 100 each second"),
        "the bounds: {begun}"
    );
    send(&alpha, "cast", &["SetNote", "a secret"]);
    let seen = browser.until(ROWS, |text| text.contains("handled"));
    assert!(seen.contains("got cast\tSetNote") && !seen.contains("secret"), "{seen}");
    browser.press("Stop");
    browser.until(STATE, |text| text.contains("ended at the node, too"));

    browser.press("Token: observe");
    browser.enter("dialog input", OPERATE);
    browser.press("Use this token");
    browser.until("#token-button", |text| text == "Token: operate");
    browser.script(&format!("{checkbox}.click()"));
    browser.script("document.querySelectorAll('[aria-label=Trace] input[type=number]')[1].value = '2'");
    browser.press("Begin to trace");
    browser.until(STATE, |text| text.contains("up to 2 events"));
    let text = "<img src=x onerror=complain()>";
    send(&alpha, "cast", &["SetNote", text]);
    // What guests make up is text, whatever it looks like; and the trace ends by itself.
    let seen = browser.until(ROWS, |seen| seen.contains("handled"));
    assert!(seen.contains(text), "{seen}");
    browser.until(STATE, |text| text.contains("it has seen as many events as it was to"));
    browser.picture("trace");
    if let Some(axe) = axe() {
        let faults = faults(&browser, &axe);
        assert!(faults.is_empty(), "{faults:#?}");
    }
    browser.finish();
}

#[test]
fn an_actor_goes_back_to_a_kept_state_from_the_page() {
    let Some(browser) = Browser::start(1400, 1400) else {
        return;
    };
    let mut alpha = kitchen();
    let url = url(&mut alpha);
    // What it knew at its start comes first, so that the next one is that of what it is told.
    let newest = || {
        let listed = at(&alpha, &["checkpoints", "one", "--output", "json"]);
        let listed: Value = serde_json::from_str(listed.answer()).expect("JSON");
        listed[0]["checkpoints"][0]["number"].as_u64()
    };
    let start = wait::until("the first checkpoint", newest, Option::is_some);
    send(&alpha, "cast", &["Add", "5"]);
    let first = wait::until("the next checkpoint", newest, |now| *now > start);
    let first = first.expect("a number").to_string();
    browser.open(&format!("{url}/#/actor/one"));
    browser.until("#state", |text| text == "ready");
    let number = || browser.text("[aria-label=Checkpoints] tbody tr:first-child td:first-child");
    wait::until("the checkpoint", number, |number| *number == first);
    send(&alpha, "cast", &["Add", "2"]);
    wait::until("the sum", || send(&alpha, "call", &["Get"]), |sum| sum == "7");
    browser.press(&format!("Go back to {first} …"));
    let said = browser.until("dialog", |text| text.contains("goes on with what it knew at"));
    assert!(said.contains("takes a token of the role operate"), "{said}");
    assert_eq!(send(&alpha, "call", &["Get"]), "7", "nothing was done yet");
    browser.picture("go-back");
    if let Some(axe) = axe() {
        let faults = faults(&browser, &axe);
        assert!(faults.is_empty(), "{faults:#?}");
    }
    browser.enter("dialog input", OPERATE);
    browser.press("Go back");
    browser.until("dialog .notice.good", |text| {
        text.contains(&format!(
            "one went back to checkpoint {first}. What it knew until now was kept"
        ))
    });
    browser.press("Close");
    assert_eq!(send(&alpha, "call", &["Get"]), "5");
    // And what it knew until then is among its states.
    wait::until("the way forward", number, |number| *number != first);
    browser.finish();
}
