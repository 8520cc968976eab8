//! Messages of a derived enum as somebody might encode them: arguments, replies, and variants that there are not.

use ractor::message::SerializedMessage;
use ractor::{BytesConvertable, Message, RpcReplyPort};

use super::input::Input;
use crate::ActorAddress;

/// Every form that a variant can have, and every kind of type that is checked in its own way.
#[derive(crate::RactorClusterMessage, Debug)]
enum Form {
    Unit,
    Number(u64),
    Several(u8, i128, f64),
    Named {
        name: String,
        flag: bool,
    },
    Lists(Vec<u8>, Vec<u16>, Vec<i64>, Vec<f32>),
    Letters(char, Vec<char>, Vec<bool>),
    Signed(Vec<i8>, i16),
    Nothing(()),
    #[rpc]
    Ask(RpcReplyPort<u64>),
    #[rpc]
    AskFor(String, RpcReplyPort<String>, Vec<u32>),
    #[rpc]
    AskMany {
        pid: u64,
        reply: RpcReplyPort<Vec<u16>>,
    },
}

const VARIANTS: [&str; 14] = [
    "Unit",
    "Number",
    "Several",
    "Named",
    "Lists",
    "Letters",
    "Signed",
    "Nothing",
    "Ask",
    "AskFor",
    "AskMany",
    "",
    "unit",
    "\0describe",
];

/// Bytes are a message or an error, and what is a message survives being encoded.
pub fn derive(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let variant = VARIANTS
        .get(usize::from(input.byte()) % VARIANTS.len())
        .copied()
        .unwrap_or_default();
    address(bytes);
    let is_call = input.flag();
    let is_framed = input.flag();
    let reply = input.bytes().to_vec();
    let args = if is_framed {
        // As they should be, so that what is in them is looked at.
        input
            .several(|input| {
                let field = input.bytes();
                [&(field.len() as u64).to_be_bytes(), field].concat()
            })
            .concat()
    } else {
        input.rest().to_vec()
    };
    if is_call {
        call(variant, args, reply);
    } else {
        cast(variant, args);
    }
}

/// An actor's address, which may be an argument of any message. Its conversion panics, as that trait asks for, and the derive
/// catches that: a fuzzer would take it for a fault. So it is read here as such.
fn address(bytes: &[u8]) {
    if let Some(address) = ActorAddress::try_from_bytes(bytes) {
        assert_eq!(address.into_bytes(), bytes, "there is one way to write an address");
    }
}

fn cast(variant: &str, args: Vec<u8>) {
    let length = args.len();
    let Ok(message) = Form::deserialize(cast_of(variant, args)) else {
        return;
    };
    let Some(first) = encoded(message) else { return };
    // A `bool` that is neither 0 nor 1 is the only thing that is written otherwise than it was read, and as long.
    assert_eq!(first.len(), length, "{variant}");
    let again = Form::deserialize(cast_of(variant, first.clone()))
        .ok()
        .and_then(encoded);
    assert_eq!(again, Some(first), "{variant} survives being encoded");
}

fn cast_of(variant: &str, args: Vec<u8>) -> SerializedMessage {
    SerializedMessage::Cast {
        variant: variant.to_owned(),
        args,
        metadata: None,
    }
}

fn encoded(message: Form) -> Option<Vec<u8>> {
    match message.serialize().ok()? {
        SerializedMessage::Cast { args, .. } | SerializedMessage::Call { args, .. } => Some(args),
        SerializedMessage::CallReply(..) => None,
    }
}

/// A call whose message is decoded here, and answered by a peer with these bytes.
fn call(variant: &str, args: Vec<u8>, reply: Vec<u8>) {
    let (port, mut received) = ractor::concurrency::oneshot::<Vec<u8>>();
    let message = SerializedMessage::Call {
        variant: variant.to_owned(),
        args,
        reply: port.into(),
        metadata: None,
    };
    if let Ok(Form::Ask(port)) = Form::deserialize(message) {
        drop(port.send(7));
        assert_eq!(
            received.try_recv(),
            Ok(7_u64.into_bytes()),
            "the answer is not what was answered"
        );
    }
    numbered_reply(reply.clone());
    reply_of::<String>(reply.clone(), |port| Form::AskFor("name".to_owned(), port, vec![1]));
    reply_of::<Vec<u16>>(reply, |reply| Form::AskMany { pid: 1, reply });
}

fn numbered_reply(reply: Vec<u8>) {
    let expected = <[u8; 8]>::try_from(reply.as_slice()).ok().map(u64::from_be_bytes);
    assert_eq!(
        reply_of(reply, Form::Ask),
        expected,
        "eight bytes are a number, and others none"
    );
}

/// What the caller hears when the peer answers with these bytes; none if it hears that there will be no answer.
fn reply_of<T: Send + 'static>(bytes: Vec<u8>, call: impl FnOnce(RpcReplyPort<T>) -> Form) -> Option<T> {
    let (port, mut received) = ractor::concurrency::oneshot::<T>();
    if let Ok(SerializedMessage::Call { reply, .. }) = call(port.into()).serialize() {
        drop(reply.send(bytes));
    }
    let came = received.try_recv().ok();
    assert!(
        came.is_some() || received.is_terminated() || received.try_recv().is_err(),
        "the caller waits for ever"
    );
    came
}
