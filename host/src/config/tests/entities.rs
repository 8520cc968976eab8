//! Mistakes in `[entities.TYPE]`, and what the table says.

use std::time::Duration;

use super::{check_below, folder, parse};
use crate::config::{Code, NodeConfig};
use crate::entities::{Durability, EntityKey};

fn read(lines: &str) -> NodeConfig {
    let above = "[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n[modules.counter]\npath = \"counter.wasm\"\n";
    parse(&format!("{above}{lines}"), folder().path()).unwrap()
}

#[test]
fn a_type_keeps_its_states_unless_the_file_says_otherwise() {
    let config = read(
        r#"[entities.cart]
module = "counter"
[entities.session]
native = "counter"
durability = "none"
passivate_after = "never"
max_active = 5
always = ["b", "a", "b"]
[entities.report]
module = "counter"
durability = "every 10s"
passivate_after = "1m"
arguments = "u64:5"
[entities.report.limits]
mailbox_messages = 7
"#,
    );
    let [cart, report, session] = &config.entities[..] else {
        panic!("{:?}", config.entities)
    };
    assert_eq!(cart.entity_type.name(), "cart");
    assert_eq!((cart.durability, cart.max_active), (Durability::BeforeReply, 10_000));
    assert_eq!(cart.passivate_after, Some(Duration::from_secs(600)));
    assert_eq!((session.durability, session.passivate_after), (Durability::None, None));
    let keys = [b"a", b"b"].map(|key| EntityKey::new(key).unwrap());
    assert_eq!((&session.always[..], session.max_active), (&keys[..], 5));
    assert_eq!(session.actor.code, Code::Native("counter".to_owned()));
    assert_eq!(report.durability, Durability::Every(Duration::from_secs(10)));
    assert_eq!(report.durability_name(), "every 10s");
    assert_eq!(report.actor.arguments, 5u64.to_be_bytes());
    assert_eq!(report.actor.limits.mailbox_messages, 7);
}

#[test]
fn what_is_wrong_with_a_type_is_said_where_it_is() {
    check_below(
        r#"[entities.a]
[entities.b]
native = "elephant"
durability = "always"
max_active = 0
[entities.c]
native = "counter"
durability = "every 1ms"
always = [""]
restart = "permanent"
arguments = "u64:1"
[entities."d/e"]
native = "counter""#,
        WRONG,
    );
}

#[test]
fn names_of_entities_are_nobody_elses() {
    check_below(
        r#"[[actors]]
name = "entity:cart/1"
native = "counter"
groups = ["entity:cart"]"#,
        RESERVED,
    );
}

const WRONG: &str = r#"
node.toml:4:1: the entity has neither `module` nor `native`
 4 | [entities.a]
   | ^^^^^^^^^^^^ add for example `module = "counter"`

node.toml:6:10: this program has no native entities `elephant`
 6 | native = "elephant"
   |          ^^^^^^^^^^ expected one of: counter, greeter

node.toml:7:14: `durability` can't be `always`
 7 | durability = "always"
   |              ^^^^^^^^ expected "before-reply", "none", or a time such as "every 10s"

node.toml:8:14: `max_active` is out of range
 8 | max_active = 0
   |              ^ expected an integer from 1 to 1000000

node.toml:11:14: the time of `durability` is too short
 11 | durability = "every 1ms"
    |              ^^^^^^^^^^^ expected at least 10ms; "before-reply" loses nothing

node.toml:12:11: the key of an entity is empty
 12 | always = [""]
    |           ^^ expected 1 to 255 bytes

node.toml:13:1: unknown key `restart` in [entities.c]
 13 | restart = …
    | ^^^^^^^ leave it out: the next message activates an entity that has failed

node.toml:14:13: `arguments` is for guests, and these entities are native
 14 | arguments = "u64:1"
    |             ^^^^^^^ the program gives them to `HostBuilder::entity`

node.toml:15:11: the name of the type of entities has a `/`
 15 | [entities."d/e"]
    |           ^^^^^ `/` separates it from the key"#;

const RESERVED: &str = r#"
node.toml:5:8: the actor name begins with `entity:`
 5 | name = "entity:cart/1"
   |        ^^^^^^^^^^^^^^^ such names are those of entities: add a table `[entities.TYPE]` for them, or choose another name

node.toml:7:11: the group name begins with `entity:`
 7 | groups = ["entity:cart"]
   |           ^^^^^^^^^^^^^ such names are those of entities: add a table `[entities.TYPE]` for them, or choose another name"#;
