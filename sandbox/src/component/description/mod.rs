//! What an actor is, as bytes: how the host of a guest answers [`DESCRIBE_VARIANT`](crate::directory::DESCRIBE_VARIANT).
//!
//! One byte of version, then the fields in order: in version 1 those of a `Descriptor`, in version 2 those of a [`Contract`]. A
//! question without arguments is one of before there were contracts, and is answered in version 1; one with a byte is answered in
//! the newest version up to that number. So nodes and commands of each age understand each other.
//!
//! Both ends may be hostile: the guest that describes itself, and the peer that says what it is. So writing refuses what reading would,
//! and what is read grows with the bytes that are there, not with a length that is announced.

mod codec;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::codec::{Reader, Writer};
use super::bindings::{Descriptor, MessageVariant};
use super::contract::{Contract, Message, Parameter, Schema, Start, TypeExpr};

/// The newest version that this program reads and writes.
const NEWEST: u8 = 2;

/// The bytes that a description of version 1 has at most.
const MAX_DESCRIPTOR_BYTES: usize = 64 << 10;

/// The largest contract without its schemas, in bytes. Beyond it an actor is not described.
pub const MAX_CONTRACT_BYTES: usize = 256 << 10;

/// The largest description, in bytes. Schemas that a contract has no room for are left out, and their number is said.
pub const MAX_DESCRIPTION_BYTES: usize = 1 << 20;

/// Bytes are not a description, or a contract can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// Larger than its version may be.
    #[error("the description is larger than {0} bytes")]
    TooLarge(usize),
    /// A text or a list that is longer than its length can say.
    #[error(
        "the description has a text of more than {0} bytes, or a list of more than {0} elements",
        u16::MAX
    )]
    TooMany,
    /// Of a version that came after this program.
    #[error("the description has the version {0}, this program reads up to {NEWEST}")]
    Version(u8),
    /// It ends in the middle of something.
    #[error("the description is cut off")]
    CutOff,
    /// Bytes follow its end.
    #[error("the description has {0} bytes too many")]
    TooLong(usize),
    /// A choice that there isn't.
    #[error("the description has the byte {0} where no such choice is")]
    NoChoice(u8),
    /// Text that isn't, or that would play tricks on a terminal.
    #[error("the description has a text that is not UTF-8 or has control characters")]
    BadText,
}

/// The arguments of a question that is to be answered in the newest version.
pub const DESCRIBE_ARGUMENTS: &[u8] = &[NEWEST];

impl Contract {
    /// The contract as bytes, in the newest version. Schemas for which there is no room are left out.
    ///
    /// # Errors
    /// It is too large without any schema, or has control characters.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DescriptionError> {
        let mut writer = Writer::new(NEWEST, MAX_CONTRACT_BYTES);
        writer.text(&self.name)?;
        writer.text(&self.version)?;
        writer.u32(self.state_version)?;
        writer.prose(&self.documentation)?;
        match &self.start {
            Start::Unknown => writer.bytes(&[0])?,
            Start::Nothing => writer.bytes(&[1])?,
            Start::Argument(start) => {
                writer.bytes(&[2])?;
                parameter(&mut writer, start)?;
            }
        }
        writer.list(&self.messages, |writer, message| {
            writer.text(&message.name)?;
            writer.prose(&message.documentation)?;
            writer.list(&message.arguments, parameter)?;
            writer.option(message.reply.as_ref().map(TypeExpr::to_string).as_deref())
        })?;
        writer.raise(MAX_DESCRIPTION_BYTES);
        schemas(&mut writer, self)?;
        Ok(writer.into_bytes())
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, also that of earlier versions of this program, and nothing else.
    ///
    /// # Errors
    /// The bytes are not a description.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DescriptionError> {
        // Before anything is read: from here on, what the input has bounds what is made of it.
        let limit = match bytes.first() {
            Some(1) => MAX_DESCRIPTOR_BYTES,
            _ => MAX_DESCRIPTION_BYTES,
        };
        if bytes.len() > limit {
            return Err(DescriptionError::TooLarge(limit));
        }
        let mut reader = Reader::new(bytes);
        let contract = match reader.byte()? {
            1 => Self::of_descriptor(descriptor(&mut reader)?),
            2 => contract(&mut reader)?,
            later => return Err(DescriptionError::Version(later)),
        };
        reader.end()?;
        Ok(contract)
    }

    /// The contract in version 1, for those that ask without saying what they read.
    ///
    /// # Errors
    /// It is too large, or has control characters.
    fn to_version_1(&self) -> Result<Vec<u8>, DescriptionError> {
        let descriptor = self.to_descriptor();
        let mut writer = Writer::new(1, MAX_DESCRIPTOR_BYTES);
        writer.text(&descriptor.name)?;
        writer.text(&descriptor.version)?;
        writer.u32(descriptor.state_version)?;
        writer.option(descriptor.arguments.as_deref())?;
        writer.list(&descriptor.messages, |writer, message| {
            writer.text(&message.name)?;
            writer.list(&message.arguments, |writer, argument| writer.text(argument))?;
            writer.option(message.reply.as_deref())
        })?;
        Ok(writer.into_bytes())
    }
}

fn parameter(writer: &mut Writer, parameter: &Parameter) -> Result<(), DescriptionError> {
    writer.text(&parameter.name)?;
    writer.text(&parameter.ty.to_string())
}

/// As many schemas as there is room for, and how many are left out.
fn schemas(writer: &mut Writer, contract: &Contract) -> Result<(), DescriptionError> {
    // The number in front has a place of its own, because it is known last.
    let mut kept = Vec::new();
    let mut room = writer.room().saturating_sub(2 + 4);
    for schema in &contract.schemas {
        let size = 2 + schema.name.len() + 2 + schema.format.len() + 4 + schema.bytes.len();
        if size <= room && kept.len() < usize::from(u16::MAX) {
            room -= size;
            kept.push(schema);
        }
    }
    let left_out = u32::try_from(contract.schemas.len() - kept.len()).unwrap_or(u32::MAX);
    writer.u32(contract.schemas_left_out.saturating_add(left_out))?;
    writer.list(&kept, |writer, schema| {
        writer.text(&schema.name)?;
        writer.text(&schema.format)?;
        writer.blob(&schema.bytes)
    })
}

fn contract(reader: &mut Reader<'_>) -> Result<Contract, DescriptionError> {
    let read_parameter = |reader: &mut Reader<'_>| {
        Ok(Parameter {
            name: reader.text()?,
            ty: TypeExpr::parse(&reader.text()?),
        })
    };
    let contract = Contract {
        name: reader.text()?,
        version: reader.text()?,
        state_version: reader.u32()?,
        documentation: reader.prose()?,
        start: match reader.byte()? {
            0 => Start::Unknown,
            1 => Start::Nothing,
            2 => Start::Argument(read_parameter(reader)?),
            other => return Err(DescriptionError::NoChoice(other)),
        },
        messages: reader.list(|reader| {
            Ok(Message {
                name: reader.text()?,
                documentation: reader.prose()?,
                arguments: reader.list(read_parameter)?,
                reply: reader.option()?.map(|ty| TypeExpr::parse(&ty)),
            })
        })?,
        schemas: Vec::new(),
        schemas_left_out: 0,
    };
    if reader.position() > MAX_CONTRACT_BYTES {
        return Err(DescriptionError::TooLarge(MAX_CONTRACT_BYTES));
    }
    let schemas_left_out = reader.u32()?;
    let schemas = reader.list(|reader| {
        Ok(Schema {
            name: reader.text()?,
            format: reader.text()?,
            bytes: reader.blob()?,
        })
    })?;
    Ok(Contract {
        schemas,
        schemas_left_out,
        ..contract
    })
}

fn descriptor(reader: &mut Reader<'_>) -> Result<Descriptor, DescriptionError> {
    Ok(Descriptor {
        name: reader.text()?,
        version: reader.text()?,
        state_version: reader.u32()?,
        arguments: reader.option()?,
        messages: reader.list(|reader| {
            Ok(MessageVariant {
                name: reader.text()?,
                arguments: reader.list(Reader::text)?,
                reply: reader.option()?,
            })
        })?,
    })
}

/// What a module answers when it is asked for its description, or why it can't describe itself.
pub(crate) type Description = Result<Arc<Answers>, Arc<str>>;

/// A description in each version that somebody may ask for.
#[derive(Debug)]
pub(crate) struct Answers {
    newest: Vec<u8>,
    /// None if version 1 has no room for it.
    first: Option<Vec<u8>>,
}

impl Answers {
    pub(crate) fn of(contract: &Contract) -> Result<Self, DescriptionError> {
        Ok(Self {
            newest: contract.to_bytes()?,
            first: contract.to_version_1().ok(),
        })
    }

    /// The answer to a question with these arguments; none if there is none that the asker would understand.
    pub(crate) fn to(&self, arguments: &[u8]) -> Option<&[u8]> {
        match arguments.first() {
            Some(&reads) if reads >= NEWEST => Some(&self.newest),
            _ => self.first.as_deref(),
        }
    }

    /// The answer in the newest version.
    pub(crate) fn newest(&self) -> &[u8] {
        &self.newest
    }
}
