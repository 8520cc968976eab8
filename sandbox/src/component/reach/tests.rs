//! Components whose calls are told by their text.
use super::*;
#[test]
fn look() {
    for name in ["counter","probe","c_counter","zig_counter","js_counter","kitchen_ts","go_counter","py_counter","kitchen_py"] {
        let bytes = std::fs::read(format!("/work/main/target/wasm32-wasip2/guest/{name}.wasm")).unwrap();
        let at = std::time::Instant::now();
        let calls = host_calls(&bytes);
        println!("{name} {:?}", at.elapsed());
        match calls { Ok(calls) => for call in calls { println!("  {:?} {}#{}  {:?}", call.through, call.interface, call.function, call.by); }, Err(e) => println!("{e}") }
    }
}
