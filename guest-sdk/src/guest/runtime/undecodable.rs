//! Says what is wrong with a message that an actor can't decode.

use crate::guest::MessageDescription;

/// How a message arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Cast,
    Call,
}

/// The tag of a message, kept while the message itself is decoded. Only a tag that is unknown is copied.
pub(crate) enum Variant {
    Known(&'static MessageDescription),
    Unknown(String),
}

impl Variant {
    pub(crate) fn of(tag: &str, messages: &'static [MessageDescription]) -> Self {
        match messages.iter().find(|message| message.name == tag) {
            Some(known) => Self::Known(known),
            None => Self::Unknown(tag.to_owned()),
        }
    }
}

/// Why the message is not one of `messages`, for the log.
pub(crate) fn explain(messages: &[MessageDescription], kind: Kind, variant: Variant, args_len: usize) -> String {
    let known = match variant {
        Variant::Known(known) => known,
        Variant::Unknown(tag) => {
            let names: Vec<_> = messages.iter().map(|message| message.name).collect();
            return format!(
                "dropped a message: there is no `{tag}`, this actor understands {}",
                names.join(", ")
            );
        }
    };
    let variant = known.name;
    match (kind, known.reply) {
        (Kind::Cast, Some(_)) => format!("dropped a message: `{variant}` is a call, but came as a cast"),
        (Kind::Call, None) => format!("dropped a call: `{variant}` is a cast, but came as a call"),
        _ => format!(
            "dropped a message: the {args_len} bytes of arguments of `{variant}` don't decode as ({})",
            known.argument_names().join(", ")
        ),
    }
}
