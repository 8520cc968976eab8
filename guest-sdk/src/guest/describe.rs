//! What a message type is made of, for tools and people: the source of the component's descriptor.

use std::fmt;

use crate::guest::serialization::BytesConvertable;

/// The name of a type: [`type_name`] of it.
pub type TypeName = fn() -> String;

/// One argument of a message.
#[derive(Clone, Copy)]
pub struct ArgumentDescription {
    /// The name of the field; empty for one of a tuple.
    pub name: &'static str,
    /// Its type.
    pub ty: TypeName,
}

/// One variant of a message enum.
#[derive(Clone, Copy)]
pub struct MessageDescription {
    /// The tag that travels on the wire.
    pub name: &'static str,
    /// Its doc comments; empty if there are none.
    pub documentation: &'static str,
    /// The arguments in order.
    pub arguments: &'static [ArgumentDescription],
    /// The type of the reply if the variant is a call.
    pub reply: Option<TypeName>,
}

impl MessageDescription {
    /// The arguments in order, as a signature has them: `number: u64`, or the type alone of one without a name.
    pub(crate) fn signature(&self) -> Vec<String> {
        let written = |argument: &ArgumentDescription| match argument.name {
            "" => (argument.ty)(),
            name => format!("{name}: {}", (argument.ty)()),
        };
        self.arguments.iter().map(written).collect()
    }

    /// The name of the type of the reply if the variant is a call.
    pub(crate) fn reply_name(&self) -> Option<String> {
        self.reply.map(|name| name())
    }
}

impl fmt::Debug for ArgumentDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, (self.ty)())
    }
}

impl fmt::Debug for MessageDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageDescription")
            .field("name", &self.name)
            .field("documentation", &self.documentation)
            .field("arguments", &self.arguments)
            .field("reply", &self.reply_name())
            .finish()
    }
}

/// A message type that can be described without an instance. `#[derive(RactorClusterMessage)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the message type of an exported actor",
    note = "derive `RactorClusterMessage` for it: messages enter a guest in serialized form only"
)]
pub trait DescribeMessage {
    /// Every variant, in the order of the source.
    const MESSAGES: &'static [MessageDescription];
}

/// A type with an encoding of its own has no variants to name.
impl<T: BytesConvertable> DescribeMessage for T {
    const MESSAGES: &'static [MessageDescription] = &[];
}

/// The name of a type, in the grammar of docs/types.md.
pub fn type_name<T: BytesConvertable>() -> String {
    T::described_as()
}
