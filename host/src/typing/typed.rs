//! What a person or a program says, made into a message by what the actor says of itself.
//!
//! Everything that can be found wrong is found here, before anything is sent.

use super::argument::Argument;
use super::encoding::{Encoding, NotEncoded, UnknownEncoding};
use super::json;
use crate::config::{Literal, LiteralError, nearest};
use crate::guest::{Contract, Message, Parameter, TypeExpr};

/// The number of variants that an error lists.
const VARIANTS_SHOWN: usize = 20;

/// What a command sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Call,
    Cast,
}

/// A message that is ready to be sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Typed {
    /// The encoded arguments.
    pub(crate) arguments: Vec<u8>,
    /// What the actor says of the type of its reply.
    pub(crate) reply: Option<ReplyEncoding>,
}

/// The type of a reply.
#[derive(Debug, PartialEq)]
pub(crate) enum ReplyEncoding {
    Known(Encoding),
    /// A type whose values can't be shown here, and why.
    Unknown(TypeExpr, UnknownEncoding),
}

/// What is wrong with a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TypingError {
    #[error("{actor} has no message {variant:?}{hint}; {known}")]
    UnknownVariant {
        actor: String,
        variant: String,
        hint: String,
        known: String,
    },
    #[error("`{0}` has no reply: send it with `ractor-host cast`")]
    NotACall(String),
    #[error("`{0}` has a reply: send it with `ractor-host call`")]
    NotACast(String),
    #[error("`{signature}` takes {takes}, found {found}")]
    Count {
        signature: String,
        takes: String,
        found: usize,
    },
    #[error(
        "{argument} of `{signature}` has the type {ty}, {reason}: write the bytes, for example `bytes:00ff`, or the type that it \
         is encoded as, for example `u64:5`"
    )]
    UnknownType {
        argument: String,
        signature: String,
        ty: TypeExpr,
        reason: UnknownEncoding,
    },
    #[error("{argument} of `{signature}`: {reason}")]
    Value {
        argument: String,
        signature: String,
        reason: NotEncoded,
    },
    #[error("{reason} ({why})")]
    NoDescription { reason: LiteralError, why: String },
}

/// The message, by an actor's description of itself.
pub(crate) fn described(
    actor: &Contract,
    kind: MessageKind,
    variant: &str,
    arguments: &[Argument],
) -> Result<Typed, TypingError> {
    let message = actor.message(variant).ok_or_else(|| unknown_variant(actor, variant))?;
    match (kind, &message.reply) {
        (MessageKind::Call, None) => return Err(TypingError::NotACall(message.to_string())),
        (MessageKind::Cast, Some(_)) => return Err(TypingError::NotACast(message.to_string())),
        _ => {}
    }
    if message.arguments.len() != arguments.len() {
        return Err(TypingError::Count {
            signature: message.to_string(),
            takes: match message.arguments.len() {
                0 => "no arguments".to_owned(),
                1 => "1 argument".to_owned(),
                several => format!("{several} arguments"),
            },
            found: arguments.len(),
        });
    }
    let literals: Result<Vec<_>, _> = message
        .arguments
        .iter()
        .zip(arguments)
        .enumerate()
        .map(|(index, (parameter, argument))| literal(actor, message, index + 1, parameter, argument))
        .collect();
    Ok(Typed {
        arguments: Literal::message_arguments(&literals?),
        reply: message.reply.as_ref().map(|ty| match Encoding::of(ty, actor) {
            Ok(encoding) => ReplyEncoding::Known(encoding),
            Err(reason) => ReplyEncoding::Unknown(ty.clone(), reason),
        }),
    })
}

/// The message, where nothing is known of the actor but `why` not.
pub(crate) fn undescribed(arguments: &[Argument], why: &str) -> Result<Typed, TypingError> {
    let literals: Result<Vec<_>, _> = arguments.iter().map(Argument::literal).collect();
    let literals = literals.map_err(|reason| TypingError::NoDescription {
        reason,
        why: why.to_owned(),
    })?;
    Ok(Typed {
        arguments: Literal::message_arguments(&literals),
        reply: None,
    })
}

fn literal(
    actor: &Contract,
    message: &Message,
    position: usize,
    parameter: &Parameter,
    argument: &Argument,
) -> Result<Literal, TypingError> {
    if let Argument::Typed(literal) = argument {
        return Ok(literal.clone());
    }
    // Made only where something is wrong.
    let named = || match parameter.name.as_str() {
        "" => format!("argument {position}"),
        name => format!("argument {position} ({name})"),
    };
    let encoding = Encoding::of(&parameter.ty, actor).map_err(|reason| TypingError::UnknownType {
        argument: named(),
        signature: message.to_string(),
        ty: parameter.ty.clone(),
        reason,
    })?;
    let encoded = match argument {
        Argument::Typed(literal) => Ok(literal.clone()),
        Argument::Text(text) => encoding.encode(text),
        Argument::Json(value) => json::encode(&encoding, value),
    };
    encoded.map_err(|reason| TypingError::Value {
        argument: named(),
        signature: message.to_string(),
        reason,
    })
}

fn unknown_variant(actor: &Contract, variant: &str) -> TypingError {
    let names = || actor.messages.iter().map(|message| message.name.as_str());
    let hint = nearest(variant, names()).map_or_else(String::new, |nearest| format!(", did you mean `{nearest}`?"));
    let shown = actor.messages.iter().take(VARIANTS_SHOWN).map(Message::to_string);
    let shown: Vec<_> = shown.collect();
    let more = match actor.messages.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    TypingError::UnknownVariant {
        actor: actor.name.clone(),
        variant: variant.to_owned(),
        hint,
        known: format!("its messages are {}{more}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Type;
    use crate::guest::{Scalar, Schema, Start};
    use crate::typing::encoding::tests::orders;

    fn counter() -> Contract {
        let message = |name: &str, arguments: &[(&str, &str)], reply: Option<&str>| Message {
            name: name.to_owned(),
            documentation: String::new(),
            arguments: arguments
                .iter()
                .map(|&(name, ty)| Parameter {
                    name: name.to_owned(),
                    ty: TypeExpr::parse(ty),
                })
                .collect(),
            reply: reply.map(TypeExpr::parse),
        };
        Contract {
            name: "Counter".to_owned(),
            version: "1.0.0".to_owned(),
            state_version: 0,
            documentation: String::new(),
            start: Start::Unknown,
            messages: vec![
                message("Add", &[("n", "u64")], None),
                message("AddAndGet", &[("n", "u64")], Some("u64")),
                message("AddTo", &[("", "string"), ("n", "i8")], None),
                message("Draw", &[("shape", "Shape"), ("", "unit")], Some("Shape")),
                message("Place", &[("", "pot<Order>")], Some("pot<Order>")),
                message("Tell", &[("what", "json<What>")], Some("json<What>")),
                message(
                    "Order",
                    &[("order", "protobuf<kitchen.Order>")],
                    Some("protobuf<kitchen.Order>"),
                ),
            ],
            schemas: vec![Schema {
                name: "kitchen.Order".to_owned(),
                format: "protobuf".to_owned(),
                bytes: orders(),
            }],
            schemas_left_out: 0,
        }
    }

    fn typed(kind: MessageKind, words: &str) -> Result<Typed, String> {
        let mut words = words.split(' ');
        let variant = words.next().unwrap();
        let arguments: Vec<Argument> = words.map(|word| word.parse().unwrap()).collect();
        described(&counter(), kind, variant, &arguments).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check(kind: MessageKind, words: &str, literals: &str, reply: Option<ReplyEncoding>) {
        let literals: Vec<Literal> = literals.split(' ').map(|literal| literal.parse().unwrap()).collect();
        let arguments = Literal::message_arguments(&literals);
        assert_eq!(typed(kind, words), Ok(Typed { arguments, reply }), "{words}");
    }

    #[test]
    fn arguments_have_the_types_of_the_description() {
        let reply = || Some(ReplyEncoding::Known(Encoding::Plain(Type::One(Scalar::U64))));
        check(MessageKind::Cast, "Add 5", "u64:5", None);
        check(MessageKind::Call, "AddAndGet 5", "u64:5", reply());
        check(MessageKind::Cast, "AddTo a:b -5", "str:a:b i8:-5", None);
        check(MessageKind::Cast, "AddTo unit 1", "str:unit i8:1", None);
    }

    #[test]
    fn a_prefix_wins_over_the_description() {
        check(MessageKind::Cast, "Add u8:5", "u8:5", None);
        let unknown = Some(ReplyEncoding::Unknown(TypeExpr::parse("Shape"), UnknownEncoding::Type));
        check(MessageKind::Call, "Draw bytes:00 ()", "bytes:00 unit", unknown);
        let unknown = Some(ReplyEncoding::Unknown(
            TypeExpr::parse("pot<Order>"),
            UnknownEncoding::Pot,
        ));
        check(MessageKind::Call, "Place bytes:506f740001", "bytes:506f740001", unknown);
    }

    #[test]
    fn json_and_messages_of_protobuf_are_written_as_json() {
        let told = typed(MessageKind::Call, r#"Tell {"a":[1]}"#).unwrap();
        let expected = [0, 0, 0, 0, 0, 0, 0, 9].iter().chain(br#"{"a":[1]}"#);
        assert_eq!(told.arguments, expected.copied().collect::<Vec<_>>());
        assert_eq!(told.reply, Some(ReplyEncoding::Known(Encoding::Json)));
        let ordered = typed(MessageKind::Call, r#"Order {"id":"a","quantity":"3"}"#).unwrap();
        assert_eq!(hex::encode(&ordered.arguments), "0000000000000006050a01611003");
        assert!(matches!(
            ordered.reply,
            Some(ReplyEncoding::Known(Encoding::Protobuf(_)))
        ));
    }

    #[test]
    fn what_does_not_fit_the_description_is_refused() {
        for (kind, words, expected) in [
            (
                MessageKind::Call,
                "AddAndgte 5",
                "Counter has no message \"AddAndgte\", did you mean `AddAndGet`?; its messages are Add(n: u64), \
                 AddAndGet(n: u64) -> u64, AddTo(string, n: i8), Draw(shape: Shape, unit) -> Shape, \
                 Place(pot<Order>) -> pot<Order>, Tell(what: json<What>) -> json<What>, \
                 Order(order: protobuf<kitchen.Order>) -> protobuf<kitchen.Order>",
            ),
            (
                MessageKind::Call,
                "Add 5",
                "`Add(n: u64)` has no reply: send it with `ractor-host cast`",
            ),
            (
                MessageKind::Cast,
                "AddAndGet 5",
                "`AddAndGet(n: u64) -> u64` has a reply: send it with `ractor-host call`",
            ),
            (MessageKind::Cast, "Add", "`Add(n: u64)` takes 1 argument, found 0"),
            (
                MessageKind::Cast,
                "AddTo a 1 2",
                "`AddTo(string, n: i8)` takes 2 arguments, found 3",
            ),
            (
                MessageKind::Cast,
                "AddTo a 300",
                "argument 2 (n) of `AddTo(string, n: i8)`: \"300\" is not a value of type i8: number too large to fit in target \
                 type",
            ),
            (
                MessageKind::Call,
                "Draw round ()",
                "argument 1 (shape) of `Draw(shape: Shape, unit) -> Shape` has the type Shape, whose encoding is not known \
                 here: write the bytes, for example `bytes:00ff`, or the type that it is encoded as, for example `u64:5`",
            ),
            (
                MessageKind::Call,
                "Place 00ff",
                "argument 1 of `Place(pot<Order>) -> pot<Order>` has the type pot<Order>, a type of serde in the format pot, \
                 which is not known here: write the bytes, for example `bytes:00ff`, or the type that it is encoded as, for \
                 example `u64:5`",
            ),
            (
                MessageKind::Call,
                "Tell {a}",
                "argument 1 (what) of `Tell(what: json<What>) -> json<What>`: it takes JSON, for example `{\"id\": 1}`: key \
                 must be a string at line 1 column 2",
            ),
        ] {
            assert_eq!(typed(kind, words), Err(expected.to_owned()), "{words}");
        }
    }

    #[test]
    fn without_a_description_the_prefixes_decide() {
        let arguments = ["u64:5".parse().unwrap(), "unit".parse().unwrap()];
        let typed = undescribed(&arguments, "why").unwrap();
        assert_eq!((typed.arguments.len(), typed.reply), (24, None));
        let error = undescribed(&["5".parse().unwrap()], "it is native").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"5\" does not say its type: write for example `u64:5`, `str:hi` or `unit` (it is native)"
        );
    }
}
