//! States that go over from one language to another, and back.

use ractor_host_tests::cli::end;
use ractor_host_tests::host::{HostNode, NodeFolder};
use ractor_host_tests::{COOKIE, programs};

use crate::here;
use crate::kitchen::{begin, call, cast};
use crate::language::Language;
use crate::restaurant::{actor, module};
use crate::wire::{args, number, numbers, text};

/// The key of the commands that deploy.
const KEY: &str = "a key that is as long as a key has to be";

/// Every ordered pair of neighbours, each once, and back to where it began.
fn circuit(languages: &[Language]) -> Vec<Language> {
    let Some(first) = languages.first() else {
        return Vec::new();
    };
    let mut way = vec![*first];
    for (at, one) in languages.iter().enumerate() {
        for other in &languages[at + 1..] {
            way.extend([*other, *one]);
        }
        // On to the next language: a pair that comes twice does no harm.
        way.extend(languages.get(at + 1));
    }
    way
}

#[test]
fn every_language_takes_over_the_state_of_every_other() {
    let there: Vec<Language> = Language::ALL
        .into_iter()
        .filter(|language| language.kitchen().is_some())
        .collect();
    let way = circuit(&there);
    for one in &there {
        for other in &there {
            let pair = [*one, *other];
            assert!(one == other || way.windows(2).any(|each| each == pair), "{pair:?}");
        }
    }
    let lab = NodeFolder::new("", COOKIE);
    lab.write_private("deploy.key", KEY);
    let first = way[0].kitchen().expect("a kitchen");
    let node = HostNode::start("states", &toml(&lab, &module("kitchen", &first)));
    here::RUNTIME.block_on(here::connect(node.address()));
    let actor = format!("kitchen@{}", node.name());
    cast(&actor, "Add", args![u64::MAX - 100]);
    cast(&actor, "AddBig", args![i128::MIN]);
    cast(&actor, "SetNote", args!["häß \0 \"\\ 🦀 \u{10ffff}"]);
    let mut marks = vec![0, (1 << 53) + 1, u64::MAX];
    for mark in &marks {
        cast(&actor, "Mark", args![*mark]);
    }
    for (step, pair) in way.windows(2).enumerate() {
        deploy(&lab, &node, pair[1]);
        let ask = |what: &str| call(&actor, what, args![]).unwrap_or_else(|error| panic!("{pair:?}: {what}: {error}"));
        assert_eq!(number(&ask("Get")), u64::MAX - 100, "{pair:?}");
        assert_eq!(ask("GetBig"), i128::MIN.to_be_bytes(), "{pair:?}");
        assert_eq!(text(&ask("GetNote")), "häß \0 \"\\ 🦀 \u{10ffff}", "{pair:?}");
        assert_eq!(numbers(&ask("GetMarks")), marks, "{pair:?}");
        // It is the new code that has it.
        let mark = step as u64;
        cast(&actor, "Mark", args![mark]);
        marks.push(mark);
    }
}

#[test]
fn a_handler_that_awaits_is_done_before_its_code_is_replaced() {
    for language in Language::ALL {
        let Some(component) = language.kitchen() else { continue };
        let mut others = Language::ALL.into_iter().filter(|other| *other != language);
        let Some(next) = others.find(|other| other.kitchen().is_some()) else {
            continue;
        };
        let lab = NodeFolder::new("", COOKIE);
        lab.write_private("deploy.key", KEY);
        let name = format!("pending-{}", language.short());
        let node = HostNode::start(&name, &toml(&lab, &module("kitchen", &component)));
        here::RUNTIME.block_on(here::connect(node.address()));
        let actor = format!("kitchen@{}", node.name());
        let steps: Vec<_> = (0..5).map(|_| begin(&actor, "Steps", args!["done"])).collect();
        deploy(&lab, &node, next);
        for step in steps {
            assert_eq!(text(&step.reply()), "done", "{language:?}");
        }
        let marks = call(&actor, "GetMarks", args![]).expect("marks");
        assert_eq!(numbers(&marks), [1, 2].repeat(5), "{language:?}");
    }
}

fn toml(lab: &NodeFolder, modules: &str) -> String {
    let (key, state) = (lab.path("deploy.key"), lab.path("state"));
    format!("[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n{modules}")
        + &actor("kitchen", "kitchen", "", "")
}

/// Replaces the code of the kitchen.
#[track_caller]
fn deploy(lab: &NodeFolder, node: &HostNode, language: Language) {
    let component = language.kitchen().expect("a kitchen");
    let mut command = programs::ractor_host();
    command
        .args(["reload", "--node", node.address(), "--cookie-file"])
        .arg(lab.path("cookie"))
        .arg("--key-file")
        .arg(lab.path("deploy.key"))
        .args(["kitchen", "--file"])
        .arg(component);
    let ended = end(&format!("a reload into {language:?}"), &mut command);
    assert!(
        ended.answer().contains("done, 1 actors"),
        "{language:?}: {}",
        ended.stdout
    );
}
