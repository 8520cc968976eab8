//! What is different between two files, and what of that can be had while a node runs.

use std::collections::BTreeSet;
use std::env::VarError;

use super::plan::{ApplyPlan, RunningFacts};
use crate::config::NodeConfig;

const NODE: &str = "[node]\nname = \"alpha\"\ncookie_env = \"COOKIE\"\n";

fn config(rest: &str) -> NodeConfig {
    let variable = |name: &str| match name {
        "COOKIE" => Ok("s3cret-of-2026-xyz".to_owned()),
        _ => Err(VarError::NotPresent),
    };
    let folder = tempfile::tempdir().unwrap();
    NodeConfig::of_text(&format!("{NODE}{rest}"), folder.path(), Vec::new(), &variable).unwrap()
}

fn facts() -> RunningFacts {
    RunningFacts {
        supervisors: BTreeSet::from(["root".to_owned()]),
        keeps_states: false,
        log_is_fixed: None,
        runs_modules: true,
    }
}

fn actor(name: &str, more: &str) -> String {
    format!("[[actors]]\nname = \"{name}\"\nnative = \"native\"\n{more}")
}

fn plan(old: &str, new: &str) -> ApplyPlan {
    ApplyPlan::new(&config(old), &config(new), &facts())
}

/// The changes in words: what is done, to what, and the keys.
fn told(plan: &ApplyPlan) -> Vec<String> {
    let changes = plan.changes();
    let told = changes.iter().map(|change| {
        let (action, of) = (change.action.word(), change.of.word());
        let number = change
            .actors
            .filter(|number| *number > 1)
            .map(|number| format!(" x{number}"));
        let keys = change.keys.join(",");
        format!("{action} {of} {}{} {keys}", change.name, number.unwrap_or_default())
            .trim()
            .to_owned()
    });
    told.collect()
}

fn kept(plan: &ApplyPlan) -> Vec<&str> {
    plan.needs_restart.iter().map(|needed| needed.key.as_str()).collect()
}

#[test]
fn the_same_said_otherwise_is_no_change() {
    let one = format!(
        "peers = []\n[runtime]\nmax_guests = 1_000\n{}",
        actor("a", "count = 2\n")
    );
    let other = format!(
        "peers = [ ] # none\n[runtime]\nmax_guests = 1000\n\n{}",
        actor("a", "count = 0x2\n")
    );
    let plan = plan(&one, &other);
    assert_eq!((told(&plan), kept(&plan)), (Vec::new(), Vec::new()));
}

#[test]
fn actors_are_added_changed_and_removed_one_by_one() {
    let old = actor("a", "") + &actor("b", "count = 3\n") + &actor("c", "");
    let new = actor("a", "groups = [\"g\"]\n") + &actor("b", "count = 5\n") + &actor("d", "");
    let grown = plan(&old, &new);
    assert_eq!(
        told(&grown),
        [
            "remove actors c",
            "change actors a groups",
            "add actors b x2",
            "add actors d"
        ]
    );
    let names = grown.actors_added.iter().flat_map(|actors| &actors.names);
    assert_eq!(names.collect::<Vec<_>>(), ["b-4", "b-5", "d"]);
    assert_eq!(told(&plan(&new, &old))[..2], ["remove actors b x2", "remove actors d"]);
    // Their names are others.
    let single = plan(&actor("b", ""), &actor("b", "count = 2\n"));
    assert_eq!(told(&single), ["remove actors b", "add actors b x2"]);
}

#[test]
fn limits_for_all_change_those_actors_alone_that_have_them() {
    let guest = |name: &str, more: &str| format!("[[actors]]\nname = \"{name}\"\nmodule = \"m\"\n{more}");
    let modules = "[modules.m]\npath = \"m.wasm\"\n";
    let actors = guest("own", "limits = { timers = 7 }\n") + &guest("others", "") + &actor("native", "");
    let defaults = "[defaults.limits]\ntimers = 5\n";
    let plan = plan(&format!("{modules}{actors}"), &format!("{modules}{actors}{defaults}"));
    // The folder of each file is another one here, and so are its modules.
    let actors: Vec<String> = told(&plan).into_iter().filter(|told| told.contains("actors")).collect();
    assert_eq!(actors, ["change actors others limits"]);
    assert_eq!(kept(&plan), Vec::<&str>::new());
}

#[test]
fn peers_are_compared_one_by_one() {
    let plan = plan("peers = [\"a:1\", \"b:1\"]\n", "peers = [\"b:1\", \"c:1\"]\n");
    assert_eq!(told(&plan), ["remove peer a:1", "add peer c:1"]);
}

#[test]
fn whatever_is_not_known_to_be_changeable_takes_a_restart_and_stays_as_it_runs() {
    let old = format!(
        "stock_peers = true\n[supervisors.pair]\nmax_restarts = 3\n{}",
        actor("a", "")
    );
    let new = format!(
        "hostname = \"h\"\nstock_peers = false\npeers = [\"a:1\"]\n[runtime]\nmax_guests = 2000\n[supervisors.pair]\nmax_restarts = \
         4\n{}{}{}",
        actor("a", "supervisor = \"pair\"\n"),
        actor("b", "supervisor = \"pair\"\n"),
        actor("c", "")
    );
    let (running, new) = (config(&old), config(&new));
    let plan = ApplyPlan::new(&running, &new, &facts());
    assert_eq!(
        kept(&plan),
        [
            "node.hostname",
            "node.stock_peers",
            "runtime",
            "supervisors.pair.max_restarts",
            "actors.a",
            "actors.b"
        ]
    );
    assert_eq!(told(&plan), ["add actors c", "add peer a:1"]);
    let reached = plan.reached(&running, &new);
    assert_eq!(reached.node.full_name(), "alpha@localhost");
    assert_eq!(reached.runtime.max_guests, None);
    let names: BTreeSet<&str> = reached.actors.iter().map(|actor| actor.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["a", "c"]));
    // The same file says the same at the next time, and nothing else is to be done.
    let again = ApplyPlan::new(&reached, &new, &facts());
    assert_eq!((told(&again), kept(&again)), (Vec::new(), kept(&plan)));
}

#[test]
fn a_module_is_reloaded_for_what_it_is_and_not_for_what_is_done_about_it() {
    let module =
        |path: &str, more: &str| format!("[modules.m]\npath = {path:?}\n{more}[modules.n]\npath = \"/n.wasm\"\n");
    let watched = plan(&module("/m.wasm", ""), &module("/m.wasm", "watch = true\n"));
    assert_eq!(told(&watched), ["change module m watch"]);
    assert_eq!(watched.modules_changed, Vec::new());
    let moved = plan(&module("/m.wasm", ""), &module("/o.wasm", ""));
    assert_eq!(moved.modules_changed, [("m".to_owned(), vec!["path".to_owned()])]);
    let none = RunningFacts {
        runs_modules: false,
        ..facts()
    };
    let kept_all = ApplyPlan::new(&config(""), &config(&module("/m.wasm", "")), &none);
    assert_eq!(told(&kept_all), Vec::<String>::new());
    assert!(kept_all.needs_restart.iter().all(|needed| needed.why.is_some()));
}

#[test]
fn another_secret_under_the_same_name_is_a_change() {
    let parts = "[control]\nkey_env = \"KEY\"\n[admin]\nlisten = \"127.0.0.1:0\"\ndeploy_token_env = \"TOKEN\"\n";
    let with = |parts: &str, key: &'static str, token: &'static str| {
        let variable = move |name: &str| match name {
            "COOKIE" => Ok("s3cret-of-2026-xyz".to_owned()),
            "KEY" => Ok(key.to_owned()),
            "TOKEN" | "OTHER" => Ok(token.to_owned()),
            _ => Err(VarError::NotPresent),
        };
        let folder = tempfile::tempdir().unwrap();
        NodeConfig::of_text(&format!("{NODE}{parts}"), folder.path(), Vec::new(), &variable).unwrap()
    };
    let running = with(parts, "key-0123456789abcdef", "token-0123456789abcdef");
    let new = with(parts, "key-fedcba9876543210", "token-0123456789abcdef");
    let plan = ApplyPlan::new(&running, &new, &facts());
    assert_eq!(
        (told(&plan), kept(&plan)),
        (vec!["change secrets control key_env".to_owned()], Vec::new())
    );
    let reached = plan.reached(&running, &new);
    assert_eq!(told(&ApplyPlan::new(&reached, &new, &facts())), Vec::<String>::new());
    let new = with(parts, "key-0123456789abcdef", "token-fedcba9876543210");
    let plan = ApplyPlan::new(&running, &new, &facts());
    assert_eq!(told(&plan), ["change secrets admin deploy_token_env"]);
    // Also where it has only moved, or where a role comes and goes.
    let moved = parts.replace("deploy_token_env = \"TOKEN\"", "observe_token_env = \"OTHER\"");
    let new = with(&moved, "key-0123456789abcdef", "token-0123456789abcdef");
    let plan = ApplyPlan::new(&running, &new, &facts());
    assert_eq!(told(&plan), ["change secrets admin deploy_token_env,observe_token_env"]);
    let reached = plan.reached(&running, &new);
    assert_eq!(reached.admin.unwrap().tokens.len(), 1);
}

#[test]
fn what_is_logged_is_changed_unless_something_goes_before_the_file() {
    let (old, new) = ("[log]\nlevel = \"info\"\n", "[log]\nlevel = \"warn,a=debug\"\n");
    let changed = plan(old, new);
    assert_eq!(
        (told(&changed), kept(&changed)),
        (vec!["change log log level".to_owned()], Vec::new())
    );
    assert_eq!(told(&plan("", new)), ["change log log level"]);
    let fixed = RunningFacts {
        log_is_fixed: Some("somebody else says it"),
        ..facts()
    };
    let (running, new) = (config(old), config(new));
    let kept_plan = ApplyPlan::new(&running, &new, &fixed);
    assert_eq!((told(&kept_plan), kept(&kept_plan)), (Vec::new(), vec!["log.level"]));
    assert_eq!(kept_plan.needs_restart[0].why.as_deref(), Some("somebody else says it"));
    assert_eq!(kept_plan.reached(&running, &new).log, running.log);
}

#[test]
fn a_table_of_secrets_that_comes_or_goes_takes_a_restart() {
    let admin = "[admin]\nlisten = \"127.0.0.1:0\"\n";
    let come = plan("", admin);
    assert_eq!((told(&come), kept(&come)), (Vec::new(), vec!["admin"]));
    let gone = plan(admin, "");
    assert_eq!((told(&gone), kept(&gone)), (Vec::new(), vec!["admin"]));
    let moved = plan(admin, "[admin]\nlisten = \"127.0.0.1:1\"\n");
    assert_eq!((told(&moved), kept(&moved)), (Vec::new(), vec!["admin.listen"]));
}
