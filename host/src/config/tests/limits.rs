//! Mistakes in `[runtime]`.

use std::time::Duration;

use super::*;

#[test]
fn every_key_is_read() {
    let text = r#"
        [node]
        name = "alpha"
        cookie_file = "cookie"
        [runtime]
        max_guests = 20000
        max_memories = 50000
        max_tables = 100000
        memory_reservation = "128MiB"
        table_reservation = 200000
        instance_bytes = "8MiB"
        stack_bytes = 1048576
        component_bytes = "64MiB"
        epoch_tick = "2ms"
        copy_on_write = false
        cache_bytes = "3GiB"
        name_servers = ["10.0.0.2", "127.0.0.1:5353", "fd00::2", "[fd00::2]:54"]
    "#;
    let runtime = parse(text, folder().path()).unwrap().runtime;
    assert_eq!(runtime.cache_dir, None);
    assert_eq!(runtime.max_guests, Some(20_000));
    assert_eq!(runtime.max_memories, Some(50_000));
    assert_eq!(runtime.max_tables, Some(100_000));
    assert_eq!(runtime.memory_reservation, Some(128 << 20));
    assert_eq!(runtime.table_reservation, Some(200_000));
    assert_eq!(runtime.instance_bytes, Some(8 << 20));
    assert_eq!(runtime.stack_bytes, Some(1 << 20));
    assert_eq!(runtime.component_bytes, Some(64 << 20));
    assert_eq!(runtime.epoch_tick, Some(Duration::from_millis(2)));
    assert_eq!(runtime.copy_on_write, Some(false));
    assert_eq!(runtime.cache_bytes, Some(3 << 30));
    let servers = ["10.0.0.2:53", "127.0.0.1:5353", "[fd00::2]:53", "[fd00::2]:54"];
    assert_eq!(runtime.name_servers, servers.map(|server| server.parse().unwrap()));
}

#[test]
fn a_server_for_names_is_an_address() {
    check_below(
        "[runtime]\nname_servers = [\"10.0.0.2\", \"dns.example\"]\n",
        r#"
node.toml:5:29: an element of `name_servers` is not an address
 5 | name_servers = ["10.0.0.2", "dns.example"]
   |                             ^^^^^^^^^^^^^ expected an address, with a port or without: `10.0.0.2`, `127.0.0.1:5353`, `[fd00::2]:53`"#,
    );
}

#[test]
fn sizes_have_a_unit_and_a_range() {
    check_below(
        "[runtime]\nmemory_reservation = \"64MB\"\nstack_bytes = 1024\ncomponent_bytes = true\nepoch_tick = \"2s\"\n",
        r#"
node.toml:5:22: `memory_reservation` is not a size
 5 | memory_reservation = "64MB"
   |                      ^^^^^^ expected a whole number and its unit: `64KiB`, `16MiB` or `1GiB`

node.toml:6:15: `stack_bytes` is out of range
 6 | stack_bytes = 1024
   |               ^^^^ expected 64KiB to 256MiB

node.toml:7:19: `component_bytes` is a boolean
 7 | component_bytes = true
   |                   ^^^^ expected a whole number and its unit: `64KiB`, `16MiB` or `1GiB`

node.toml:8:14: `epoch_tick` is out of range
 8 | epoch_tick = "2s"
   |              ^^^^ expected `1ms` to `1s`"#,
    );
}

#[test]
fn there_is_room_for_what_is_started() {
    check_below(
        "[runtime]\nmax_guests = 5\n[modules.a]\npath = \"a.wasm\"\n[[actors]]\nname = \"x\"\nmodule = \"a\"\ncount = \
         6\n[[actors]]\nname = \"y\"\nnative = \"counter\"\ncount = 100\n",
        r#"
node.toml:5:14: `max_guests` is 5, and [[actors]] starts 6 guests
 5 | max_guests = 5
   |              ^ expected at least 6, and more for those that guests spawn"#,
    );
}
