//! What is in messages, as JSON: by what the actors that get and send them say of themselves.

use std::sync::Arc;

use serde_json::Value;

use crate::guest::{Contract, PassingKind};
use crate::typing::{Encoding, decode};

/// What is in these bytes, for an event of this kind. `own` is the contract of the actor that is traced, `peer` that of the one which it
/// sends to. None if nobody says.
pub(super) fn values(
    kind: PassingKind,
    message: &str,
    bytes: &[u8],
    own: Option<&Arc<Contract>>,
    peer: Option<&Arc<Contract>>,
) -> Option<Value> {
    match kind {
        PassingKind::CastIn | PassingKind::CallIn => arguments(own?, message, bytes),
        PassingKind::CastOut | PassingKind::CallOut => arguments(peer?, message, bytes),
        PassingKind::ReplyOut => reply(own?, message, bytes),
        PassingKind::ReplyIn => reply(peer?, message, bytes),
        PassingKind::Handled => None,
    }
}

fn arguments(contract: &Contract, message: &str, bytes: &[u8]) -> Option<Value> {
    let message = contract.message(message)?;
    let mut rest = bytes;
    let mut values = Vec::with_capacity(message.arguments.len());
    for parameter in &message.arguments {
        let (length, behind) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (argument, behind) = behind.split_at_checked(length)?;
        rest = behind;
        values.push(value(contract, &parameter.ty, argument));
    }
    rest.is_empty().then_some(Value::Array(values))
}

fn reply(contract: &Contract, message: &str, bytes: &[u8]) -> Option<Value> {
    let ty = contract.message(message)?.reply.as_ref()?;
    Some(value(contract, ty, bytes))
}

/// The value, or the bytes in hexadecimal where it isn't known here how to read them.
fn value(contract: &Contract, ty: &crate::guest::TypeExpr, bytes: &[u8]) -> Value {
    let known = Encoding::of(ty, contract).ok();
    let decoded = known.and_then(|encoding| decode(&encoding, bytes).ok());
    decoded.unwrap_or_else(|| Value::String(hex::encode(bytes)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::guest::{Message, Parameter, Start, TypeExpr};

    fn contract() -> Arc<Contract> {
        let parameter = |ty: &str| Parameter {
            name: String::new(),
            ty: TypeExpr::parse(ty),
        };
        Arc::new(Contract {
            name: "Counter".to_owned(),
            version: "1.0.0".to_owned(),
            state_version: 0,
            documentation: String::new(),
            start: Start::Unknown,
            messages: vec![Message {
                name: "Put".to_owned(),
                documentation: String::new(),
                arguments: vec![parameter("string"), parameter("u16"), parameter("Shape")],
                reply: Some(TypeExpr::parse("bool")),
            }],
            schemas: Vec::new(),
            schemas_left_out: 0,
        })
    }

    #[test]
    fn messages_are_shown_as_the_actor_describes_them() {
        let own = contract();
        let put = hex::decode("000000000000000161000000000000000200070000000000000001ff").unwrap();
        let shown = |kind, bytes: &[u8]| values(kind, "Put", bytes, Some(&own), None);
        assert_eq!(shown(PassingKind::CallIn, &put), Some(json!(["a", 7, "ff"])));
        assert_eq!(shown(PassingKind::ReplyOut, &[1]), Some(json!(true)));
        assert_eq!(shown(PassingKind::CallIn, &put[1..]), None, "not its bytes");
        assert_eq!(shown(PassingKind::CallIn, &[&put[..], &[0]].concat()), None, "and more");
        assert_eq!(
            shown(PassingKind::CallOut, &put),
            None,
            "nobody says what the other takes"
        );
        assert_eq!(
            values(PassingKind::CallOut, "Put", &put, None, Some(&own)),
            Some(json!(["a", 7, "ff"]))
        );
        assert_eq!(values(PassingKind::CallIn, "Get", &put, Some(&own), None), None);
    }
}
