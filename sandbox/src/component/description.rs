//! What an actor is, as bytes: how the host of a guest answers [`DESCRIBE_VARIANT`](crate::directory::DESCRIBE_VARIANT).
//!
//! One byte of version, then the fields of [`Descriptor`] in order. A text is its length as a big-endian `u16` and UTF-8,
//! an optional text has a byte 0 or 1 in front, a list its length as a `u16`. Both ends may be hostile: the guest that
//! describes itself, and the peer that says what it is. So writing refuses what reading would.

use std::sync::Arc;

use super::bindings::{Descriptor, MessageVariant};

const VERSION: u8 = 1;

/// The largest description, in bytes. Beyond it an actor is not described.
pub const MAX_DESCRIPTION_BYTES: usize = 64 << 10;

/// Bytes are not a description, or a descriptor can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// Larger than [`MAX_DESCRIPTION_BYTES`].
    #[error("the description is larger than {MAX_DESCRIPTION_BYTES} bytes")]
    TooLarge,
    /// Of a version that came after this program.
    #[error("the description has the version {0}, this program reads {VERSION}")]
    Version(u8),
    /// It ends in the middle of something.
    #[error("the description is cut off")]
    CutOff,
    /// Bytes follow its end.
    #[error("the description has {0} bytes too many")]
    TooLong(usize),
    /// An optional field that is neither there nor absent.
    #[error("the description has the byte {0} where only 0 and 1 can be")]
    NoOption(u8),
    /// Text that isn't, or that would play tricks on a terminal.
    #[error("the description has a text that is not UTF-8 or has control characters")]
    BadText,
}

impl Descriptor {
    /// The descriptor as bytes.
    ///
    /// # Errors
    /// It is too large, or has control characters.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DescriptionError> {
        let mut writer = Writer(vec![VERSION]);
        writer.text(&self.name)?;
        writer.text(&self.version)?;
        writer.0.extend_from_slice(&self.state_version.to_be_bytes());
        writer.option(self.arguments.as_deref())?;
        writer.length(self.messages.len())?;
        for message in &self.messages {
            writer.text(&message.name)?;
            writer.length(message.arguments.len())?;
            for argument in &message.arguments {
                writer.text(argument)?;
            }
            writer.option(message.reply.as_deref())?;
        }
        Ok(writer.0)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and nothing else.
    ///
    /// # Errors
    /// The bytes are not a description.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DescriptionError> {
        // Before anything is read: from here on, what the input has bounds what is made of it.
        if bytes.len() > MAX_DESCRIPTION_BYTES {
            return Err(DescriptionError::TooLarge);
        }
        let mut reader = Reader(bytes);
        let [version] = reader.array()?;
        if version != VERSION {
            return Err(DescriptionError::Version(version));
        }
        let descriptor = Self {
            name: reader.text()?,
            version: reader.text()?,
            state_version: u32::from_be_bytes(reader.array()?),
            arguments: reader.option()?,
            messages: reader.list(|reader| {
                Ok(MessageVariant {
                    name: reader.text()?,
                    arguments: reader.list(Reader::text)?,
                    reply: reader.option()?,
                })
            })?,
        };
        match reader.0.len() {
            0 => Ok(descriptor),
            more => Err(DescriptionError::TooLong(more)),
        }
    }
}

/// What a module answers when it is asked for its description; none if it can't describe itself.
pub(crate) type Description = Option<Arc<[u8]>>;

struct Writer(Vec<u8>);

impl Writer {
    fn length(&mut self, length: usize) -> Result<(), DescriptionError> {
        let length = u16::try_from(length).map_err(|_| DescriptionError::TooLarge)?;
        self.bytes(&length.to_be_bytes())
    }

    fn text(&mut self, text: &str) -> Result<(), DescriptionError> {
        self.length(text.len())?;
        self.bytes(checked(text)?.as_bytes())
    }

    fn option(&mut self, text: Option<&str>) -> Result<(), DescriptionError> {
        self.bytes(&[u8::from(text.is_some())])?;
        text.map_or(Ok(()), |text| self.text(text))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), DescriptionError> {
        if self.0.len().saturating_add(bytes.len()) > MAX_DESCRIPTION_BYTES {
            return Err(DescriptionError::TooLarge);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DescriptionError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(DescriptionError::CutOff)?;
        self.0 = rest;
        Ok(*array)
    }

    fn length(&mut self) -> Result<usize, DescriptionError> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    fn text(&mut self) -> Result<String, DescriptionError> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(DescriptionError::CutOff)?;
        self.0 = rest;
        let text = std::str::from_utf8(text).map_err(|_| DescriptionError::BadText)?;
        checked(text).map(str::to_owned)
    }

    fn option(&mut self) -> Result<Option<String>, DescriptionError> {
        match self.array()? {
            [0] => Ok(None),
            [1] => self.text().map(Some),
            [other] => Err(DescriptionError::NoOption(other)),
        }
    }

    /// Grows with what is there, not with what the length announces.
    fn list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, DescriptionError>,
    ) -> Result<Vec<T>, DescriptionError> {
        let length = self.length()?;
        let mut list = Vec::new();
        for _ in 0..length {
            list.push(element(self)?);
        }
        Ok(list)
    }
}

fn checked(text: &str) -> Result<&str, DescriptionError> {
    if text.contains(char::is_control) {
        return Err(DescriptionError::BadText);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor() -> Descriptor {
        let message = |name: &str, arguments: &[&str], reply: Option<&str>| MessageVariant {
            name: name.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            reply: reply.map(str::to_owned),
        };
        Descriptor {
            name: "Counter".to_owned(),
            version: "1.2.0".to_owned(),
            state_version: 7,
            arguments: Some("u64".to_owned()),
            messages: vec![
                message("Add", &["u64"], None),
                message("Get", &[], Some("u64")),
                message("SumOf", &["String", "Vec<u8>"], Some("u64")),
            ],
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let bytes = descriptor().to_bytes().unwrap();
        let read = Descriptor::from_bytes(&bytes).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", descriptor()));
    }

    #[test]
    fn a_description_that_was_tampered_with_is_refused() {
        let bytes = descriptor().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Descriptor::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
        let check = |bytes: &[u8], expected| {
            assert_eq!(Descriptor::from_bytes(bytes).unwrap_err(), expected);
        };
        check(&[bytes.as_slice(), &[0]].concat(), DescriptionError::TooLong(1));
        check(&[&[2], &bytes[1..]].concat(), DescriptionError::Version(2));
        check(&vec![1; MAX_DESCRIPTION_BYTES + 1], DescriptionError::TooLarge);
        // A name and a version of no bytes, a state version, and an option that is none.
        check(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 9], DescriptionError::NoOption(9));
        check(&[1, 0, 1, 0xff], DescriptionError::BadText);
        check(b"\x01\x00\x01\x1b", DescriptionError::BadText);
        // 65 535 messages are announced, and none is there.
        check(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], DescriptionError::CutOff);
    }

    #[test]
    fn what_would_not_be_read_is_not_written() {
        let mut large = descriptor();
        large.messages = vec![large.messages[2].clone(); 5000];
        assert_eq!(large.to_bytes().unwrap_err(), DescriptionError::TooLarge);
        let mut tricky = descriptor();
        tricky.name = "\x1b[31mCounter".to_owned();
        assert_eq!(tricky.to_bytes().unwrap_err(), DescriptionError::BadText);
    }
}
