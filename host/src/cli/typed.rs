//! What a command line says, made into a message by what the actor says of itself.
//!
//! Everything that can be found wrong is found here, before anything is sent.

use super::argument::Argument;
use super::signature::signature;
use crate::config::{Literal, LiteralError, Type, nearest};
use crate::guest::{Descriptor, MessageVariant};

/// The number of variants that an error lists.
const VARIANTS_SHOWN: usize = 20;

/// What a command sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageKind {
    Call,
    Cast,
}

/// A message that is ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// The encoded arguments.
    pub(super) arguments: Vec<u8>,
    /// What the actor says of the type of its reply.
    pub(super) reply: Option<ReplyEncoding>,
}

/// The type of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReplyEncoding {
    Known(Type),
    /// A name that stands for no type that is known here.
    Unknown(String),
}

/// What is wrong with a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TypingError {
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
        "argument {position} of `{signature}` has the type {name}, whose encoding is not known here: write the bytes, for \
         example `bytes:00ff`, or the type that it is encoded as, for example `u64:5`"
    )]
    UnknownType {
        position: usize,
        signature: String,
        name: String,
    },
    #[error(
        "argument {position} of `{signature}` is a {name} in serde's format pot, which can't be written here: write the bytes, \
         for example `bytes:00ff`"
    )]
    Pot {
        position: usize,
        signature: String,
        name: String,
    },
    #[error("argument {position} of `{signature}`: {reason}")]
    Value {
        position: usize,
        signature: String,
        reason: LiteralError,
    },
    #[error("{reason} ({why})")]
    NoDescription { reason: LiteralError, why: String },
}

/// The message, by an actor's description of itself.
pub(super) fn described(
    actor: &Descriptor,
    kind: MessageKind,
    variant: &str,
    arguments: &[Argument],
) -> Result<Typed, TypingError> {
    let message = actor.messages.iter().find(|message| message.name == variant);
    let message = message.ok_or_else(|| unknown_variant(actor, variant))?;
    match (kind, &message.reply) {
        (MessageKind::Call, None) => return Err(TypingError::NotACall(signature(message))),
        (MessageKind::Cast, Some(_)) => return Err(TypingError::NotACast(signature(message))),
        _ => {}
    }
    if message.arguments.len() != arguments.len() {
        return Err(TypingError::Count {
            signature: signature(message),
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
        .map(|(index, (ty, argument))| literal(message, index + 1, ty, argument))
        .collect();
    Ok(Typed {
        arguments: Literal::message_arguments(&literals?),
        reply: message.reply.as_deref().map(|name| {
            Type::from_source(name).map_or_else(|| ReplyEncoding::Unknown(name.to_owned()), ReplyEncoding::Known)
        }),
    })
}

/// The message, where nothing is known of the actor but `why` not.
pub(super) fn undescribed(arguments: &[Argument], why: &str) -> Result<Typed, TypingError> {
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

fn literal(message: &MessageVariant, position: usize, ty: &str, argument: &Argument) -> Result<Literal, TypingError> {
    let text = match argument {
        Argument::Typed(literal) => return Ok(literal.clone()),
        Argument::Text(text) => text,
    };
    let ty = Type::from_source(ty).ok_or_else(|| unknown_type(message, position, ty))?;
    // How the value of a type without values is written.
    let text = if ty == Type::Unit && matches!(text.as_str(), "unit" | "()") {
        ""
    } else {
        text
    };
    Literal::of(ty, text).map_err(|reason| TypingError::Value {
        position,
        signature: signature(message),
        reason,
    })
}

/// `pot(Order)` is what the guest SDK calls a type of serde in the format of ractor's `blanket_serde`.
fn unknown_type(message: &MessageVariant, position: usize, name: &str) -> TypingError {
    let signature = signature(message);
    match name.strip_prefix("pot(").and_then(|name| name.strip_suffix(')')) {
        Some(name) => TypingError::Pot {
            position,
            signature,
            name: name.to_owned(),
        },
        None => TypingError::UnknownType {
            position,
            signature,
            name: name.to_owned(),
        },
    }
}

fn unknown_variant(actor: &Descriptor, variant: &str) -> TypingError {
    let names = || actor.messages.iter().map(|message| message.name.as_str());
    let hint = nearest(variant, names()).map_or_else(String::new, |nearest| format!(", did you mean `{nearest}`?"));
    let shown: Vec<_> = actor.messages.iter().take(VARIANTS_SHOWN).map(signature).collect();
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

    fn counter() -> Descriptor {
        let message = |name: &str, arguments: &[&str], reply: Option<&str>| MessageVariant {
            name: name.to_owned(),
            arguments: arguments.iter().map(|&ty| ty.to_owned()).collect(),
            reply: reply.map(str::to_owned),
        };
        Descriptor {
            name: "Counter".to_owned(),
            version: "1.0.0".to_owned(),
            state_version: 0,
            arguments: Some("u64".to_owned()),
            messages: vec![
                message("Add", &["u64"], None),
                message("AddAndGet", &["u64"], Some("u64")),
                message("AddTo", &["String", "i8"], None),
                message("Draw", &["Shape", "()"], Some("Shape")),
                message("Place", &["pot(Vec<u8>)"], Some("pot(())")),
            ],
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
        let reply = || Some(ReplyEncoding::Known(Type::One(crate::config::Scalar::U64)));
        check(MessageKind::Cast, "Add 5", "u64:5", None);
        check(MessageKind::Call, "AddAndGet 5", "u64:5", reply());
        check(MessageKind::Cast, "AddTo a:b -5", "str:a:b i8:-5", None);
        check(MessageKind::Cast, "AddTo unit 1", "str:unit i8:1", None);
    }

    #[test]
    fn a_prefix_wins_over_the_description() {
        check(MessageKind::Cast, "Add u8:5", "u8:5", None);
        let unknown = Some(ReplyEncoding::Unknown("Shape".to_owned()));
        check(MessageKind::Call, "Draw bytes:00 ()", "bytes:00 unit", unknown);
        let unknown = Some(ReplyEncoding::Unknown("pot(())".to_owned()));
        check(MessageKind::Call, "Place bytes:506f740001", "bytes:506f740001", unknown);
    }

    #[test]
    fn what_does_not_fit_the_description_is_refused() {
        for (kind, words, expected) in [
            (
                MessageKind::Call,
                "AddAndgte 5",
                "Counter has no message \"AddAndgte\", did you mean `AddAndGet`?; its messages are Add(u64), \
                 AddAndGet(u64) -> u64, AddTo(String, i8), Draw(Shape, ()) -> Shape, Place(pot(Vec<u8>)) -> pot(())",
            ),
            (
                MessageKind::Call,
                "Add 5",
                "`Add(u64)` has no reply: send it with `ractor-host cast`",
            ),
            (
                MessageKind::Cast,
                "AddAndGet 5",
                "`AddAndGet(u64) -> u64` has a reply: send it with `ractor-host call`",
            ),
            (MessageKind::Cast, "Add", "`Add(u64)` takes 1 argument, found 0"),
            (
                MessageKind::Cast,
                "AddTo a 1 2",
                "`AddTo(String, i8)` takes 2 arguments, found 3",
            ),
            (
                MessageKind::Cast,
                "AddTo a 300",
                "argument 2 of `AddTo(String, i8)`: \"300\" is not a value of type i8: number too large to fit in target \
                 type",
            ),
            (
                MessageKind::Call,
                "Draw round ()",
                "argument 1 of `Draw(Shape, ()) -> Shape` has the type Shape, whose encoding is not known here: write the \
                 bytes, for example `bytes:00ff`, or the type that it is encoded as, for example `u64:5`",
            ),
            (
                MessageKind::Call,
                "Place 00ff",
                "argument 1 of `Place(pot(Vec<u8>)) -> pot(())` is a Vec<u8> in serde's format pot, which can't be \
                 written here: write the bytes, for example `bytes:00ff`",
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
