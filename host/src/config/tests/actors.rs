//! Mistakes in `[[actors]]` and `[modules.NAME]`.

use super::check_below;

#[test]
fn an_actor_is_made_of_something_that_exists() {
    check_below(
        r#"[modules.counter]
path = "counter.wasm"
[[actors]]
name = "a"
module = "conter"
[[actors]]
name = "b"
native = "elephant"
[[actors]]
name = "c"
[[actors]]
name = "d"
module = "counter"
native = "counter""#,
        r#"
node.toml:8:10: there is no module `conter`
 8 | module = "conter"
   |          ^^^^^^^^ did you mean "counter"?

node.toml:11:10: this program has no native actor `elephant`
 11 | native = "elephant"
    |          ^^^^^^^^^^ expected one of: counter, greeter

node.toml:12:1: the actor has neither `module` nor `native`
 12 | [[actors]]
    | ^^^^^^^^^^ add for example `module = "counter"`

node.toml:17:10: an actor is either `module` or `native`, not both
 17 | native = "counter"
    |          ^^^^^^^^^ keep one of them"#,
    );
}

#[test]
fn actors_have_names_of_their_own_and_sane_counts() {
    check_below(
        r#"[[actors]]
name = "x"
native = "counter"
count = 2
[[actors]]
name = "x-2"
native = "counter"
[[actors]]
native = "counter"
[[actors]]
name = "y"
native = "counter"
count = 0
[[actors]]
name = "z"
native = "counter"
count = "2""#,
        r#"
node.toml:9:8: the actor name `x-2` is taken by an actor above
 9 | name = "x-2"
   |        ^^^^^ every actor of a node has its own name

node.toml:11:1: [[actors]] has no `name`
 11 | [[actors]]
    | ^^^^^^^^^^ add for example `name = "counter"`

node.toml:16:9: `count` is out of range
 16 | count = 0
    |         ^ expected an integer from 1 to 100000

node.toml:20:9: `count` is a string
 20 | count = "2"
    |         ^^^ expected an integer from 1 to 100000"#,
    );
    let crowd = |name| format!("[[actors]]\nname = \"{name}\"\nnative = \"counter\"\ncount = 100_000\n");
    let crowds: String = "abcdefghijk".chars().map(crowd).collect();
    check_below(
        &crowds,
        r#"
node.toml:45:8: the file starts more than 1000000 actors
 45 | name = "k"
    |        ^^^ start fewer, or spread them over several nodes"#,
    );
}

#[test]
fn arguments_and_groups_are_checked() {
    check_below(
        r#"[[actors]]
name = "x"
native = "counter"
arguments = "5"
groups = ["", "fine"]
[[actors]]
name = "y"
native = "counter"
args = "u64:5"
groups = "z""#,
        r#"
node.toml:7:13: "5" does not say its type: write for example `u64:5`, `str:hi` or `unit`
 7 | arguments = "5"
   |             ^^^ expected a typed literal such as `u64:5`

node.toml:8:11: the group name is empty
 8 | groups = ["", "fine"]
   |           ^^ expected at least one character

node.toml:12:1: unknown key `args` in [[actors]]
 12 | args = …
    | ^^^^ write `arguments = "u64:5"`

node.toml:13:10: `groups` is a string
 13 | groups = "z"
    |          ^^^ expected a list of strings: `groups = ["…"]`"#,
    );
}

#[test]
fn modules_have_a_path_and_a_well_formed_digest() {
    check_below(
        "[modules.a]\ndigest = \"sha256:12\"\n[modules.\"b c\"]\npath = \"\"",
        r#"
node.toml:4:1: [modules.a] has no `path`
 4 | [modules.a]
   | ^^^^^^^^^^^ add for example `path = "counter.wasm"`

node.toml:5:10: `digest` is not a digest
 5 | digest = "sha256:12"
   |          ^^^^^^^^^^^ expected `sha256:` and 64 hexadecimal digits

node.toml:6:10: the module name has a space
 6 | [modules."b c"]
   |          ^^^^^ expected a single word; `-` and `_` are fine

node.toml:7:8: `path` is empty
 7 | path = ""
   |        ^^ expected the path of a component (.wasm)"#,
    );
}

#[test]
fn what_a_node_can_not_do_without_is_started_again() {
    check_below(
        r#"on_give_up = "leave"
[[actors]]
name = "a"
native = "counter"
essential = "yes"
[[actors]]
name = "b"
native = "counter"
restart = "temporary"
essential = true"#,
        r#"
node.toml:4:14: `on_give_up` can't be `leave`
 4 | on_give_up = "leave"
   |              ^^^^^^^ expected one of: exit, stay

node.toml:8:13: `essential` is a string
 8 | essential = "yes"
   |             ^^^^^ expected `true` or `false`

node.toml:13:13: a temporary actor can't be essential: since it is never restarted, it is never given up
 13 | essential = true
    |             ^^^^ write `restart = "transient"`; with `max_restarts = 0` for its supervisor the first failure ends the node"#,
    );
}
