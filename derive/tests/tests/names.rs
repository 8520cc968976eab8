//! A message may have another name on the wire than its variant.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use ractor::message::SerializedMessage;
use ractor::{Message, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Renamed {
    #[wire(name = "Self")]
    Myself(u64),
    #[rpc]
    #[wire(name = "what is it?")]
    What(RpcReplyPort<u64>),
    Other,
}

fn tag(message: Renamed) -> String {
    match message.serialize() {
        Ok(SerializedMessage::Cast { variant, .. } | SerializedMessage::Call { variant, .. }) => variant,
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn a_message_that_was_given_a_name_has_it_on_the_wire() {
    let (sender, _answer) = ractor::concurrency::oneshot();
    assert_eq!(tag(Renamed::Myself(5)), "Self");
    assert_eq!(tag(Renamed::What(sender.into())), "what is it?");
    assert_eq!(tag(Renamed::Other), "Other");
}

#[test]
fn a_message_is_found_by_the_name_that_it_was_given_and_by_no_other() {
    let cast = |variant: &str| {
        Renamed::deserialize(SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: [8_u64.to_be_bytes(), 5_u64.to_be_bytes()].concat(),
            metadata: None,
        })
    };
    assert!(matches!(cast("Self"), Ok(Renamed::Myself(5))));
    assert!(cast("Myself").is_err());
}
