//! Import interfaces that a program adds: granted and configured for each actor, with a state for each instance.

use std::sync::Arc;

use ractor::ActorCell;
use ractor_host::guest::wasmtime::component::Linker;
use ractor_host::guest::{
    Caller, Engine, Grants, GuestOptions, HostInterface, HostInterfaces, Import, Module, Modules, Offered, Profile,
    StoreData, wasmtime,
};
use serde::Deserialize;
use serde_json::json;

use crate::support::{ENGINE, SCRIPT, ask, component, engine_config, load, start_module};

mod bindings {
    ractor_host::guest::wasmtime::component::bindgen!({
        inline: "package acme:tally@0.1.0; interface count { next: func() -> u64; } world w { import count; }",
        wasmtime_crate: ractor_host::guest::wasmtime,
        imports: { default: trappable },
    });
}

use bindings::acme::tally::count;

/// Counts up for each instance, in steps that the actor's section says.
struct Tally;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    step: u64,
}

struct Counter {
    at: u64,
    step: u64,
}

impl HostInterface for Tally {
    const KEY: &'static str = "tally";
    const IMPORTS: &'static [Import] = &[Import::new("acme:tally/count", "0.1")];
    type Config = Steps;
    type State = Counter;

    fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        count::add_to_linker::<_, Offered<Self>>(linker, Offered::get)
    }

    async fn open(&self, config: &Steps, _: &ActorCell) -> Result<Counter, String> {
        match config.step {
            0 => Err("a step of 0 counts nothing".to_owned()),
            step => Ok(Counter { at: 0, step }),
        }
    }
}

impl count::Host for Caller<'_, Tally> {
    fn next(&mut self) -> wasmtime::Result<u64> {
        self.side_effect()?;
        assert!(self.actor()?.get_id().pid() > 0 && self.limits().message_bytes > 0);
        let counter = self.state()?;
        counter.at += counter.step;
        Ok(counter.at)
    }
}

/// The fixture, with `next` in place of its own pid.
fn counting() -> Vec<u8> {
    let core = SCRIPT
        .replacen(
            "(import",
            "(import \"acme:tally/count@0.1.0\" \"next\" (func $next (result i64)))\n  (import",
            1,
        )
        .replace(
            "(call $self_pid (i32.const 64))\n      (return (call $some (i32.const 64) (i32.const 16)))",
            "(i64.store (i32.const 64) (call $next))\n      (return (call $some (i32.const 64) (i32.const 8)))",
        );
    let package = "package acme:tally@0.1.0 { interface count { next: func() -> u64; } }";
    component(&core, package, "import acme:tally/count@0.1.0;")
}

fn interfaces() -> HostInterfaces {
    let mut interfaces = HostInterfaces::default();
    interfaces.add(Tally);
    interfaces
}

async fn module() -> Module {
    let engine = Engine::with_interfaces(engine_config(), interfaces()).unwrap();
    load(&engine, &counting()).await.unwrap()
}

/// An actor whose section for `tally` is this.
fn granted(section: &serde_json::Value) -> GuestOptions {
    let config = interfaces().configure("tally", section).unwrap().unwrap();
    let mut grants = Grants::of_actors();
    grants.interfaces.insert("tally".to_owned(), config);
    GuestOptions {
        profile: Arc::new(Profile {
            grants: Arc::new(grants),
            ..Profile::default()
        }),
        ..GuestOptions::default()
    }
}

#[tokio::test]
async fn children_have_the_section_of_the_actor_that_starts_them() {
    let module = module().await;
    let modules = Modules::default();
    modules.insert(module.clone());
    let options = GuestOptions {
        modules,
        ..granted(&json!({ "step": 2 }))
    };
    let guest = start_module(&module, options).await.unwrap();
    assert_eq!(guest.call("i", b"").await, number(2));
    guest.cast("k", b"kid");
    assert_eq!(guest.call("i", b"").await, number(4));
    let children = guest.cell.get_children();
    let kid = ask(&children[0], "i", b"", None).await.ok();
    assert_eq!(kid, number(2), "with a state of its own");
}

fn number(at: u64) -> Option<Vec<u8>> {
    Some(at.to_le_bytes().to_vec())
}

#[tokio::test]
async fn each_instance_has_a_state_of_its_own_as_its_section_says() {
    let module = module().await;
    let twos = start_module(&module, granted(&json!({ "step": 2 }))).await.unwrap();
    let tens = start_module(&module, granted(&json!({ "step": 10 }))).await.unwrap();
    assert_eq!(twos.call("i", b"").await, number(2));
    assert_eq!(tens.call("i", b"").await, number(10));
    assert_eq!(twos.call("i", b"").await, number(4));
    twos.restart("to see what stays");
    assert_eq!(twos.call("i", b"").await, number(2), "a fresh instance begins anew");
}

#[tokio::test]
async fn whoever_has_no_section_is_not_started_and_told_what_to_write() {
    let module = module().await;
    let refused = start_module(&module, GuestOptions::default()).await.err().unwrap();
    let said = refused.to_string();
    assert!(
        said.contains("it imports `acme:tally/count@0.1.0`; add a section [actors.interfaces.tally]"),
        "{said}"
    );
    let capabilities = module.capabilities().unwrap();
    let uses: Vec<_> = capabilities.uses.iter().map(|found| &*found.capability).collect();
    assert!(uses.contains(&"interfaces.tally"), "{uses:?}");
}

#[tokio::test]
async fn what_an_interface_refuses_keeps_the_actor_from_starting() {
    let refused = start_module(&module().await, granted(&json!({ "step": 0 })))
        .await
        .err()
        .unwrap();
    let said = refused.to_string();
    assert!(
        said.contains("the interface `tally` can't be used: a step of 0 counts nothing"),
        "{said}"
    );
}

#[tokio::test]
async fn a_component_may_not_call_it_while_it_describes_itself() {
    let core = String::from_utf8(SCRIPT.into()).unwrap();
    let nosy = core
        .replacen(
            "(import",
            "(import \"acme:tally/count@0.1.0\" \"next\" (func $next (result i64)))\n  (import",
            1,
        )
        .replace(
            "(i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 6))",
            "(drop (call $next))",
        );
    let package = "package acme:tally@0.1.0 { interface count { next: func() -> u64; } }";
    let engine = Engine::with_interfaces(engine_config(), interfaces()).unwrap();
    let module = load(&engine, &component(&nosy, package, "import acme:tally/count@0.1.0;"))
        .await
        .unwrap();
    let error = module.describe().await.err().unwrap().to_string();
    assert!(error.contains("no actor yet"), "{error}");
}

#[tokio::test]
async fn a_node_without_the_interface_refuses_the_component() {
    let error = load(&ENGINE, &counting()).await.err().unwrap().to_string();
    assert!(
        error.contains("imports `acme:tally/count@0.1.0`, which this host does not offer"),
        "{error}"
    );
}

#[test]
fn sections_are_checked_and_a_key_has_one_interface() {
    let mut interfaces = interfaces();
    interfaces.add(Tally);
    assert_eq!(interfaces.keys().collect::<Vec<_>>(), ["tally"]);
    let configure =
        |key: &str, section: serde_json::Value| interfaces.configure(key, &section).map(|read| read.map(drop));
    assert_eq!(configure("tally", json!({ "step": 1 })), Some(Ok(())));
    let mistaken = configure("tally", json!({ "stop": 1 })).unwrap().unwrap_err();
    assert!(mistaken.contains("unknown field `stop`, expected `step`"), "{mistaken}");
    assert_eq!(configure("other", json!({})), None);
}
