//! Says what is wrong with a message that an actor can't decode.

use crate::guest::MessageDescription;

/// How a message arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Cast,
    Call,
}

/// Why the message is not one of `messages`, for the log.
pub(crate) fn explain(messages: &[MessageDescription], kind: Kind, variant: &str, args_len: usize) -> String {
    let Some(known) = messages.iter().find(|message| message.name == variant) else {
        let names: Vec<_> = messages.iter().map(|message| message.name).collect();
        return format!(
            "dropped a message: there is no `{variant}`, this actor understands {}",
            names.join(", ")
        );
    };
    match (kind, known.reply) {
        (Kind::Cast, Some(_)) => format!("dropped a message: `{variant}` is a call, but came as a cast"),
        (Kind::Call, None) => format!("dropped a call: `{variant}` is a cast, but came as a call"),
        _ => format!(
            "dropped a message: the {args_len} bytes of arguments of `{variant}` don't decode as ({})",
            known.argument_names().join(", ")
        ),
    }
}
