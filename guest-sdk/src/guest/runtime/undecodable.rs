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

/// The arguments of a message as they came, as far as that can be told without their types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    bytes: usize,
    /// Those that are whole.
    arguments: usize,
    /// What is behind them is no whole argument.
    is_cut_off: bool,
}

impl Shape {
    /// Each argument is a 64-bit length and that many bytes.
    pub(crate) fn of(args: &[u8]) -> Self {
        let (mut arguments, mut rest) = (0, args);
        while let Some((length, behind)) = rest.split_first_chunk() {
            let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
            let Some(behind) = behind.get(length..) else { break };
            arguments += 1;
            rest = behind;
        }
        Self {
            bytes: args.len(),
            arguments,
            is_cut_off: !rest.is_empty(),
        }
    }
}

/// Why the message is not one of `messages`.
pub(crate) fn explain(messages: &[MessageDescription], kind: Kind, variant: Variant, shape: Shape) -> String {
    let known = match variant {
        Variant::Known(known) => known,
        Variant::Unknown(tag) => {
            let names: Vec<_> = messages.iter().map(|message| message.name).collect();
            return format!("there is no `{tag}`, this actor understands {}", names.join(", "));
        }
    };
    let variant = known.name;
    match (kind, known.reply) {
        (Kind::Cast, Some(_)) => return format!("`{variant}` is a call, but came as a cast"),
        (Kind::Call, None) => return format!("`{variant}` is a cast, but came as a call"),
        (Kind::Cast, None) | (Kind::Call, Some(_)) => {}
    }
    let signature = known.signature();
    let wanted = signature.join(", ");
    let Shape {
        bytes,
        arguments,
        is_cut_off,
    } = shape;
    match signature.get(arguments) {
        Some(argument) if is_cut_off => {
            format!(
                "argument {} of `{variant}`, {argument}, is cut off; it takes ({wanted})",
                arguments + 1
            )
        }
        _ if arguments != signature.len() => {
            format!(
                "`{variant}` takes {} arguments, ({wanted}), but came with {arguments}",
                signature.len()
            )
        }
        _ => format!("the {bytes} bytes of arguments of `{variant}` don't decode as ({wanted})"),
    }
}
