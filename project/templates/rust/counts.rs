//! The actor as a native one: its tests need no WebAssembly.

use {{ident}}::*;
use ractor::{Actor, call, cast};

#[tokio::test]
async fn counts_from_its_start_argument() {
    let (actor, _) = Actor::spawn(None, {{Type}}::default(), 5).await.unwrap();
    cast!(actor, {{Type}}Msg::Add(2)).unwrap();
    assert_eq!(call!(actor, {{Type}}Msg::Get).unwrap(), 7);
}
