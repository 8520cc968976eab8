//! `[actors.interfaces.KEY]`: sections for interfaces of the program, and mistakes in them.

use ractor::ActorCell;
use serde::Deserialize;

use super::*;
use crate::guest::wasmtime::{self, component::Linker};
use crate::guest::{HostInterface, Import, StoreData};

/// Has a section and no functions.
struct Store;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    #[expect(dead_code, reason = "only that it is read matters here")]
    prefix: String,
}

impl HostInterface for Store {
    const KEY: &'static str = "store";
    const IMPORTS: &'static [Import] = &[Import::new("acme:store/numbers", "0.1")];
    type Config = Access;
    type State = ();

    fn add_to_linker(_: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        Ok(())
    }

    fn open(&self, _: &Access, _: &ActorCell) -> Result<(), String> {
        Ok(())
    }
}

/// Those of the program that the files of these tests are for.
pub(super) fn interfaces() -> HostInterfaces {
    let mut interfaces = HostInterfaces::default();
    interfaces.add(Store);
    interfaces
}

#[track_caller]
fn check_guest(tables: &str, expected: &str) {
    check_below(
        &format!("[modules.counter]\npath = \"c.wasm\"\n[[actors]]\nname = \"a\"\nmodule = \"counter\"\n{tables}"),
        expected,
    );
}

#[test]
fn a_section_grants_the_interface() {
    let folder = folder();
    let text = "[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n[modules.counter]\npath = \"c.wasm\"\n\
                [[actors]]\nname = \"a\"\nmodule = \"counter\"\n[actors.interfaces.store]\nprefix = \"a/\"\n\
                [[actors]]\nname = \"b\"\nmodule = \"counter\"\n";
    let config = parse(text, folder.path()).unwrap();
    let granted = |actor: usize| {
        config.actors[actor]
            .grants
            .interfaces
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(granted(0), ["store"]);
    assert_eq!(granted(1), Vec::<String>::new());
}

#[test]
fn mistakes_are_shown_where_they_are() {
    check_guest(
        "[actors.interfaces.stroe]",
        r#"
node.toml:9:20: this program has no interface `stroe` for guests
 9 | [actors.interfaces.stroe]
   |                    ^^^^^ did you mean "store"?"#,
    );
    check_guest(
        "interfaces = { store = true }",
        r#"
node.toml:9:24: `interfaces.store` is a boolean
 9 | interfaces = { store = true }
   |                        ^^^^ expected a table, which may be empty"#,
    );
    check_guest(
        "interfaces = [\"store\"]",
        r#"
node.toml:9:14: `interfaces` is a list
 9 | interfaces = ["store"]
   |              ^^^^^^^^^ expected a table for each interface: `[actors.interfaces.KEY]`"#,
    );
    check_guest(
        "interfaces = { store = { prefix = 5 } }",
        r#"
node.toml:9:24: [actors.interfaces.store]: invalid type: integer `5`, expected a string in `prefix`
 9 | interfaces = { store = { prefix = 5 } }
   |                        ^^^^^^^^^^^^^^ the interface reads this section"#,
    );
}

#[test]
fn natives_have_no_such_sections() {
    check_below(
        "[[actors]]\nname = \"n\"\nnative = \"counter\"\ninterfaces = { store = {} }",
        r#"
node.toml:7:14: `interfaces` is for guests, and this actor is native
 7 | interfaces = { store = {} }
   |              ^^^^^^^^^^^^^^ a native actor is part of the program, and can do whatever the program can"#,
    );
}
