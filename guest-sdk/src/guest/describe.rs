//! What a message type is made of, for tools and people: the source of the component's descriptor.

use crate::guest::serialization::BytesConvertable;

/// One variant of a message enum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MessageDescription {
    /// The tag that travels on the wire.
    pub name: &'static str,
    /// The argument types in order, as the source writes them.
    pub arguments: &'static [&'static str],
    /// The type of the reply if the variant is a call.
    pub reply: Option<&'static str>,
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
