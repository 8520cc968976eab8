//! Uploads that are cut off.

use ractor_host_tests::proxy::Proxy;
use ractor_host_tests::wait;

use crate::lab::{Lab, names};
use crate::versions::{padded, version};

const SIZE: usize = 12 << 20;

#[test]
fn an_upload_that_was_cut_off_goes_on_where_it_stopped() {
    let lab = Lab::new();
    let node = lab.node("alpha", &version(1));
    let component = padded(&version(2), SIZE, 2);
    let new = lab.write("new.wasm", &component);
    let proxy = Proxy::to(node.address());
    proxy.cut_after(5 << 20);
    let rest = ["counter", "--file", new.to_str().expect("a path"), "--output", "json"];
    let cut = lab.control("reload", &[&proxy.address()], &rest);
    assert_eq!(cut.code, Some(1), "{}", cut.stdout);
    let components = lab.path("state-alpha").join("components");
    let parts = wait::until(
        "a part",
        || names(&components),
        |names| names.iter().any(|name| name.ends_with(".part")),
    );
    let part = std::fs::metadata(components.join(&parts[0])).expect("a part").len();
    assert!(part > 1 << 20, "{part} bytes came");
    assert_eq!(lab.ask(&node, "version"), 1);

    let whole = lab.control("reload", &[node.address()], &rest);
    let json = whole.answer();
    let rest = component.len() as u64 - part;
    assert!(
        json.contains(&format!("\"bytes\": {rest},")),
        "{rest} bytes were left, in {json}"
    );
    assert_eq!(lab.ask(&node, "version"), 2);
}
