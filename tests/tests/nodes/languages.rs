//! Guests in other languages as stock programs and the command line meet them: `c-counter`, `js-counter` and `py-counter`.
//! What a counter does for its callers is in `counter_everywhere`; here is what differs most between languages: failures,
//! restarts, and messages that don't decode.

use std::path::Path;

use ractor_host_tests::COOKIE;
use ractor_host_tests::cli::message;
use ractor_host_tests::host::{HostNode, NodeFolder, another_counter, counter_of};
use ractor_host_tests::languages::Language;
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::Stream;

use crate::guests_and_stock::fails_and_its_node_lives;

/// Makes a test of each behaviour for each language.
macro_rules! in_each_language {
    ($($behaviour:ident),* $(,)?) => {
        in_each_language!(@language c, Language::C, [$($behaviour),*]);
        in_each_language!(@language javascript, Language::JavaScript, [$($behaviour),*]);
        in_each_language!(@language python, Language::Python, [$($behaviour),*]);
    };
    (@language $module:ident, $language:expr, [$($behaviour:ident),*]) => {
        mod $module {
            use super::*;
            $(
                #[test]
                fn $behaviour() {
                    // None where the tools of the language are missing, which was said.
                    if let Some(component) = $language.counter() {
                        super::$behaviour(&component);
                    }
                }
            )*
        }
    };
}

in_each_language!(
    is_called_by_a_stock_program_and_calls_it,
    fails_with_a_reason_and_its_node_lives,
    begins_anew_when_it_is_restarted,
    drops_what_it_does_not_understand,
    says_what_it_takes,
);

/// A node with this counter as `guest` in `guests` and another as `bystander`, and a stock program that knows both and has
/// the native `native` in `natives`.
fn guest_and_stock(component: &Path, restart: &str) -> (HostNode, Peer) {
    let guests = counter_of(component, "guest", "guests", 100) + &another_counter("bystander", "bystanders", 7);
    let node = HostNode::start("node", &guests.replacen("temporary", restart, 1));
    let options = ["--actor", "native:natives:200", "--connect", node.address()];
    let mut stock = Peer::start(Kind::Stock, "stock", &options);
    stock.wait("members guests", "remote:guest");
    stock.wait("members bystanders", "remote:bystander");
    (node, stock)
}

fn is_called_by_a_stock_program_and_calls_it(component: &Path) {
    let (_node, mut stock) = guest_and_stock(component, "temporary");
    assert_eq!(stock.run("call guests Get"), "100");
    stock.run("cast guests Add 5");
    assert_eq!(stock.run("call-timeout 20000 guests AddAndGet 1"), "106");
    assert_eq!(stock.run("call guests Name"), "guest");
    // The group may be known to the node a little later.
    stock.wait("call guests SumOf natives", "200");
    stock.run("cast guests AddTo natives 11");
    stock.wait("call natives/native Get", "211");
    // Of another guest.
    assert_eq!(stock.run("call guests SumOf bystanders"), "7");
}

fn fails_with_a_reason_and_its_node_lives(component: &Path) {
    let (mut node, mut stock) = guest_and_stock(component, "temporary");
    fails_and_its_node_lives(&mut node, &mut stock);
}

fn begins_anew_when_it_is_restarted(component: &Path) {
    let (_node, mut stock) = guest_and_stock(component, "transient");
    stock.run("cast guests Add 5");
    assert_eq!(stock.run("call guests Get"), "105");
    stock.run("cast guests Crash because the test wants");
    stock.wait("call guests Get", "100");
    assert_eq!(stock.run("call guests Name"), "guest");
}

fn drops_what_it_does_not_understand(component: &Path) {
    let (_node, mut stock) = guest_and_stock(component, "temporary");
    for message in [
        "NoSuchVariant -",
        "Get -",
        "Add -",
        "Add 00",
        "Add ffffffffffffffff00",
        "Add 00000000000000080000000000000001ff",
        "- -",
        "Crash 0000000000000001ff",
    ] {
        stock.run(&format!("raw-cast guests {message}"));
    }
    // Nor does it answer such a call.
    assert!(stock.try_run("raw-call 1000 guests AddAndGet 00").is_err());
    assert_eq!(stock.run("call guests AddAndGet 1"), "101");
    assert_eq!(stock.run("call bystanders Get"), "7");
}

fn says_what_it_takes(component: &Path) {
    let node = HostNode::start("node", &counter_of(component, "guest", "guests", 10));
    let keys = NodeFolder::new("", COOKIE);
    let cookie = keys.path("cookie");
    let send = |verb: &str, rest: &[&str]| message(verb, node.address(), &cookie, rest).answer().to_owned();
    // Arguments and replies get their types from what the guest says of itself.
    assert_eq!(send("call", &["guest", "AddAndGet", "5"]), "15");
    assert_eq!(send("call", &["guest", "SumOf", "nobody"]), "0");
    assert_eq!(send("call", &["guest", "Name"]), "guest");
    let described = message("describe", node.address(), &cookie, &["guest"]);
    for variant in ["Add", "Get", "AddAndGet", "SumOf", "AddTo", "Name", "Crash"] {
        let text = described.answer();
        assert!(text.contains(variant), "{variant} in {text}");
    }
}

/// Compiling Python takes several seconds, which a node spends once.
#[test]
fn a_second_start_compiles_neither_python_nor_javascript() {
    let (Some(python), Some(javascript)) = (Language::Python.counter(), Language::JavaScript.counter()) else {
        return;
    };
    let modules = [("python", python), ("javascript", javascript)].map(|(name, path)| {
        format!("[modules.{name}]\npath = {path:?}\n[[actors]]\nname = \"{name}\"\nmodule = \"{name}\"\narguments = \"u64:1\"\n")
    });
    // `counter` had them compiled.
    let mut node = HostNode::start("again", &modules.concat());
    for name in ["python", "javascript"] {
        let named = format!("module=\"{name}\"");
        let is_loaded = |line: &str| line.contains("module loaded") && line.contains(&named);
        let (_, loaded) = node
            .process()
            .wait_line(Stream::Stderr, 0, &format!("the load of {name}"), is_loaded);
        assert!(loaded.contains("code=Cache"), "{loaded}");
    }
}
