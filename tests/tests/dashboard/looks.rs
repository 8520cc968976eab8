//! How the page loads and looks: whole, for everybody, in both themes, and smoothly with very many actors.

use std::env;

use serde_json::Value;

use crate::browser::Browser;
use crate::node::{at, node, url};

/// The views, and what can be seen of each once it is there.
const VIEWS: [(&str, &str, &str); 7] = [
    ("", ".graph", "alpha@localhost"),
    ("#/actors", ".virtual tbody", "worker-"),
    ("#/tree", ".tree", "counter"),
    ("#/modules", "main table", "counter.wasm"),
    ("#/events", ".events", "The node came up"),
    ("#/log", ".log", "node is up"),
    ("#/actor/counter", "h2", "Limits"),
];

#[test]
fn every_view_is_there_in_both_themes_and_axe_finds_nothing_that_keeps_people_out() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    let mut beta = node("beta", &format!("peers = [{:?}]\n", alpha.address()));
    let _ = url(&mut beta);
    let url = url(&mut alpha);
    let axe = axe();
    for theme in ["light", "dark"] {
        browser.open(&url);
        browser.script(&format!("sessionStorage.setItem('ractor-host.theme', '{theme}')"));
        for (hash, selector, text) in VIEWS {
            browser.open("about:blank");
            browser.open(&format!("{url}/{hash}"));
            browser.until("#state", |state| state == "ready");
            browser.until(selector, |seen| seen.contains(text));
            browser.picture(&format!("{theme}-{}", hash.trim_start_matches("#/").replace('/', "-")));
            if let Some(axe) = &axe {
                let faults = faults(&browser, axe);
                assert!(faults.is_empty(), "{theme} {hash}: {faults:#?}");
            }
            if let (Some(axe), "#/actor/counter") = (&axe, hash) {
                browser.press("Kill …");
                browser.until("dialog", |seen| seen.contains("ends at once"));
                browser.picture(&format!("{theme}-dialog"));
                let faults = faults(&browser, axe);
                assert!(faults.is_empty(), "{theme} the dialog: {faults:#?}");
                browser.press("Cancel");
            }
            let complaints = browser.script("return window.complaints");
            assert_eq!(complaints, serde_json::json!([]), "{theme} {hash}");
        }
    }
    browser.finish();
}

/// The script of axe-core. None if the variable names none, which is said.
pub(crate) fn axe() -> Option<String> {
    let path = env::var_os("RACTOR_TEST_AXE").filter(|path| !path.is_empty());
    if path.is_none() {
        assert!(env::var_os("CI").is_none_or(|value| value.is_empty()), "no axe-core");
        eprintln!("NOT TESTED with axe-core: RACTOR_TEST_AXE doesn't name its script");
    }
    path.map(|path| std::fs::read_to_string(path).expect("axe-core"))
}

/// What axe finds that is serious or critical.
pub(crate) fn faults(browser: &Browser, axe: &str) -> Vec<Value> {
    browser.script(axe);
    let found = browser.later(
        "const done = arguments[arguments.length - 1];
         axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations), (error) => done([{ impact: 'critical', error: String(error) }]));",
    );
    let found = found.as_array().cloned().unwrap_or_default();
    found
        .into_iter()
        .filter(|fault| fault["impact"] == "serious" || fault["impact"] == "critical")
        .collect()
}

#[test]
fn ten_thousand_actors_are_a_few_rows_and_a_filter_finds_one_of_them() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    let url = url(&mut alpha);
    browser.open(&format!("{url}/#/actors"));
    browser.until("#state", |text| text == "ready");
    // As many as no test starts: what the stream would say of them is told to the page's own model.
    let many = "const { Model } = await import('/page/model.js'); const { actorsView } = await import('/page/actors.js');
        const model = new Model();
        const actors = Array.from({ length: 10000 }, (_, at) => ({ pid: 1e6 + at, name: `many-${at}`, kind: 'guest', module: 'm', digest: null, supervisor: 1, numbers: [at, at, 0, 65536, 0, 0] }));
        model.snapshot({ node: { cpu_us: 0 }, links: [], modules: [], actors });
        const view = actorsView(model); document.querySelector('main').replaceChildren(...view.elements);
        let most = 0;
        for (let round = 0; round < 20; round += 1) {
          const numbers = actors.slice(round * 400, round * 400 + 400).map((row) => [row.pid, 3, 100]);
          const begun = performance.now();
          model.update({ node: { cpu_us: 0 }, numbers }); view.update('figures');
          most = Math.max(most, performance.now() - begun);
        }
        return { rows: document.querySelectorAll('.virtual tr[data-pid]').length, count: document.querySelector('.virtual table').getAttribute('aria-rowcount'), most };";
    let shown = browser.later(&format!(
        "const done = arguments[arguments.length - 1]; (async () => {{ {many} }})().then(done, (error) => done(String(error)));"
    ));
    assert_eq!(shown["count"], "10001", "{shown}");
    assert!(
        shown["rows"].as_u64().is_some_and(|rows| (10..100).contains(&rows)),
        "{shown}"
    );
    eprintln!("the longest of 20 updates with 10 000 actors took {} ms", shown["most"]);
    browser.enter("input[type=search]", "many-9876");
    browser.until(".virtual tbody tr[data-pid]", |rows| {
        rows.starts_with("many-9876\t") && rows.matches("many-").count() == 1
    });
    browser.finish();
}

#[test]
fn whoever_may_not_look_is_asked_for_a_token() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    let token = alpha.file("observe.token");
    // A node that takes a token for looking, too.
    std::fs::write(&token, "observe-0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a token");
    drop(at(&alpha, &["ps"]));
    browser.open(&url(&mut alpha));
    browser.press("Token: observe");
    browser.enter("dialog input", "wrong-0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    browser.press("Use this token");
    browser.until("dialog .notice.bad", |text| text.contains("none of the node's"));
    browser.press("Cancel");
    // A token that was given up is gone.
    assert_eq!(
        browser.script("return sessionStorage.getItem('ractor-host.token')"),
        Value::Null
    );
    browser.finish();
}

#[test]
fn nothing_that_is_not_from_the_node_runs_loads_or_is_reached() {
    let Some(browser) = Browser::start(1400, 1000) else {
        return;
    };
    let mut alpha = node("alpha", "");
    browser.open(&url(&mut alpha));
    browser.until("#state", |text| text == "ready");
    // What a name of an actor would do if the page took it for HTML.
    let refused = browser.script(
        "try { document.querySelector('main').innerHTML = '<img src=x onerror=alert(1)>'; return 'done' } catch (error) { return error.name }",
    );
    assert_eq!(refused, "TypeError");
    browser.script(
        "const style = document.createElement('style'); style.textContent = 'body { display: none }'; document.head.append(style);
         const image = new Image(); image.src = 'http://127.0.0.2:9/x.png';
         fetch('http://127.0.0.2:9/').catch(() => {});",
    );
    let complaints = || browser.script("return window.complaints").to_string();
    for directive in ["style-src-elem", "img-src", "connect-src", "require-trusted-types-for"] {
        let policy = format!("policy: {directive}");
        ractor_host_tests::wait::until(&policy, complaints, |all| all.contains(&policy));
    }
}
