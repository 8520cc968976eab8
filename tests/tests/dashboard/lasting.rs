//! The page is left open for days: what comes late, not at all, or from another life of the node doesn't mislead whoever looks at it, and
//! what is new takes nothing out of their hands.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::wait;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::node::{OPERATE, at, node, url};

/// A node, and a browser that shows this view of it.
fn shown(view: &str) -> Option<(Browser, HostNode)> {
    let browser = Browser::start(1400, 1000)?;
    let mut alpha = node("alpha", "");
    browser.open(&format!("{}/{view}", url(&mut alpha)));
    browser.until("#state", |text| text == "ready");
    Some((browser, alpha))
}

/// What a script gives that may wait.
fn awaited(browser: &Browser, body: &str) -> Value {
    browser.later(&format!(
        "const done = arguments[arguments.length - 1]; (async () => {{ {body} }})().then(done, (error) => done(String(error)));"
    ))
}

#[test]
fn rates_are_right_for_what_had_to_wait_and_for_an_actor_that_gets_new_code() {
    let Some((browser, _alpha)) = shown("") else {
        return;
    };
    let rates = "const { Model } = await import('/page/model.js');
        const model = new Model();
        const node = (seconds) => ({ cpu_us: 0, uptime_ms: seconds * 1000 });
        const link = { session: 1, sent_messages: 0, sent_bytes: 0, received_messages: 0, received_bytes: 0 };
        const actor = { pid: 7, kind: 'guest', module: 'm', digest: 'a', numbers: [10, 0, 0, 0, 0, 0] };
        const module = { module: 'm', messages: 0, busy_us: 0 };
        model.snapshot({ node: node(10), links: [link], modules: [module], actors: [actor] });
        model.update({ node: node(11), modules: [{ ...module, messages: 50, over_ms: 1000 }] });
        const first = model.rate();
        model.update({ node: node(12), modules_waiting: 1, links_waiting: 1 });
        const waiting = model.rate();
        model.update({ node: node(14), links: [{ ...link, sent_messages: 40, over_ms: 4000 }], actors: [{ ...actor, digest: 'b', numbers: [30, 0, 5, 0, 0, 0] }] });
        const { rate, waiting: queue, digest } = model.actors.get(7);
        return { first, waiting, then: model.rate(), link: model.links.get(1).rates.sent_messages, rate, queue, digest };";
    assert_eq!(
        awaited(&browser, rates),
        json!({"first": 50, "waiting": 50, "then": 0, "link": 10, "rate": 10, "queue": 5, "digest": "b"}),
    );
    browser.finish();
}

#[test]
fn a_node_that_was_started_anew_has_its_own_history() {
    let Some((browser, _alpha)) = shown("") else {
        return;
    };
    let events = "const { Model } = await import('/page/model.js');
        const event = (number, at_ms) => ({ number, at_ms, event: 'node-up', actors: 1 });
        const told = () => model.events.map((one) => one.at_ms);
        let model = new Model();
        model.happened([event(0, 100), event(1, 101)]);
        model.history([event(0, 500), event(1, 501)]);
        const sameNumbers = told();
        model.history([event(0, 900)]);
        const fewer = told();
        model.snapshot({ node: { cpu_us: 0, uptime_ms: 900000 }, links: [], modules: [], actors: [] });
        model.snapshot({ node: { cpu_us: 0, uptime_ms: 2000 }, links: [], modules: [], actors: [] });
        model.history([event(7, 1000)]);
        return { sameNumbers, fewer, later: told() };";
    assert_eq!(
        awaited(&browser, events),
        json!({"sameNumbers": [500, 501], "fewer": [900], "later": [1000]}),
    );
    browser.finish();
}

#[test]
fn a_node_that_says_nothing_any_more_is_not_shown_as_ready() {
    let Some((browser, _alpha)) = shown("") else {
        return;
    };
    // An update comes each second, so one of these is patient enough and the other is not.
    let silence = "const { follow } = await import('/page/api.js');
        const stopped = new AbortController();
        let updates = 0;
        const patient = follow('stream', stopped.signal, (event) => event === 'update' && ++updates === 3 && stopped.abort(), 30000);
        const said = await follow('stream', new AbortController().signal, () => {}, 100).catch((error) => error.message);
        await patient.catch(() => {});
        return { said, updates };";
    assert_eq!(
        awaited(&browser, silence),
        json!({"said": "nothing has come from the node for 0.1 seconds", "updates": 3}),
    );
    browser.finish();
}

#[test]
fn the_log_says_once_that_it_is_not_answered_and_goes_on_when_it_is() {
    let Some((browser, _alpha)) = shown("") else {
        return;
    };
    browser.script(
        "window.asked = 0; const real = window.fetch;
         window.fetch = (address, how) => {
           if (!String(address).includes('logs?') || window.answers) return real(address, how);
           window.asked += 1;
           return Promise.reject(new TypeError('nobody is there'));
         };
         location.hash = '#/log';",
    );
    wait::until(
        "three questions",
        || browser.script("return window.asked"),
        |asked| asked.as_u64() >= Some(3),
    );
    assert_eq!(browser.text(".log").matches("nobody is there").count(), 1);
    browser.script("window.answers = true");
    let log = browser.until(".log", |text| text.contains("node is up"));
    assert!(
        log.contains("nobody is there") && log.contains("answers again"),
        "{log}"
    );
    browser.finish();
}

#[test]
fn the_link_to_the_content_and_an_address_that_is_cut_off_leave_a_view_in_place() {
    let Some((browser, _alpha)) = shown("") else {
        return;
    };
    browser.script("document.querySelector('.skip').click()");
    assert_eq!(
        browser.script("return [document.activeElement.id, location.hash]"),
        json!(["content", ""])
    );
    let title = || browser.script("return document.title");
    wait::until("the title", title, |title| title == "Overview – alpha@localhost");
    browser.script("location.hash = '#/actor/%'");
    browser.until("main h2", |text| text.starts_with('%'));
    browser.press("Tree");
    browser.until(".tree", |text| text.contains("counter"));
    browser.finish();
}

#[test]
fn whoever_walks_by_the_keyboard_keeps_the_focus_while_figures_change() {
    let Some((browser, alpha)) = shown("#/tree") else {
        return;
    };
    browser.until(".tree", |text| text.contains("worker-2"));
    browser.script(
        "window.kept = [...document.querySelectorAll('.tree a')].find((one) => one.textContent === 'worker-2'); window.kept.focus();",
    );
    assert_eq!(at(&alpha, &["restart", "worker-1"]).code, Some(0));
    browser.until(".tree", |text| text.contains("1 restarts"));
    assert_eq!(browser.script("return document.activeElement === window.kept"), true);
    browser.finish();
}

#[test]
fn an_actor_that_is_stopped_on_its_page_is_started_there() {
    let Some((browser, _alpha)) = shown("#/actors") else {
        return;
    };
    browser.enter("input[type=search]", "counters");
    browser.until(".virtual tbody tr[data-pid]", |text| text.starts_with("counter\t"));
    browser.press("counter");
    browser.until("main h2", |text| text.contains("Figures"));
    let pid = browser.script("return location.hash");
    browser.press("Stop …");
    browser.enter("dialog input", OPERATE);
    browser.press("Stop");
    browser.until("dialog .notice.good", |text| text.contains("counter: done"));
    browser.press("Close");
    browser.press("Start …");
    browser.press("Start");
    browser.until("dialog .notice.good", |text| text.contains("counter: done"));
    browser.press("Close");
    // It is another life, and the page shows that one.
    let number = pid.as_str().and_then(|hash| hash.strip_prefix("#/actor/pid:"));
    let number = number.expect("a pid").to_owned();
    browser.until(".facts", |text| text.contains("Pid") && !text.contains(&number));
    browser.finish();
}
