//! The pieces that a description is made of. A text is its length as a big-endian `u16` and UTF-8, an optional text has a byte 0 or 1 in
//! front, a list its length as a `u16`, bytes theirs as a `u32`.

use super::DescriptionError;

/// What was written, and the most that it may become.
pub(super) struct Writer {
    written: Vec<u8>,
    limit: usize,
}

impl Writer {
    pub(super) fn new(version: u8, limit: usize) -> Self {
        Self {
            written: vec![version],
            limit,
        }
    }

    /// Allows this much in all from here on.
    pub(super) fn raise(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.written.len())
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.written
    }

    pub(super) fn u32(&mut self, number: u32) -> Result<(), DescriptionError> {
        self.bytes(&number.to_be_bytes())
    }

    /// A text of one line.
    pub(super) fn text(&mut self, text: &str) -> Result<(), DescriptionError> {
        self.length(text.len())?;
        self.bytes(line(text)?.as_bytes())
    }

    /// A text that may have several lines.
    pub(super) fn prose(&mut self, text: &str) -> Result<(), DescriptionError> {
        self.length(text.len())?;
        self.bytes(lines(text)?.as_bytes())
    }

    pub(super) fn option(&mut self, text: Option<&str>) -> Result<(), DescriptionError> {
        self.bytes(&[u8::from(text.is_some())])?;
        text.map_or(Ok(()), |text| self.text(text))
    }

    pub(super) fn list<T>(
        &mut self,
        list: &[T],
        mut element: impl FnMut(&mut Self, &T) -> Result<(), DescriptionError>,
    ) -> Result<(), DescriptionError> {
        self.length(list.len())?;
        list.iter().try_for_each(|each| element(self, each))
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) -> Result<(), DescriptionError> {
        let length = u32::try_from(bytes.len()).map_err(|_| DescriptionError::TooLarge(self.limit))?;
        self.u32(length)?;
        self.bytes(bytes)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), DescriptionError> {
        if bytes.len() > self.room() {
            return Err(DescriptionError::TooLarge(self.limit));
        }
        self.written.extend_from_slice(bytes);
        Ok(())
    }

    fn length(&mut self, length: usize) -> Result<(), DescriptionError> {
        let length = u16::try_from(length).map_err(|_| DescriptionError::TooMany)?;
        self.bytes(&length.to_be_bytes())
    }
}

/// What is left to be read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            total: bytes.len(),
        }
    }

    /// The number of bytes that were read.
    pub(super) fn position(&self) -> usize {
        self.total.saturating_sub(self.rest.len())
    }

    pub(super) fn byte(&mut self) -> Result<u8, DescriptionError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DescriptionError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn text(&mut self) -> Result<String, DescriptionError> {
        line(self.utf8()?).map(str::to_owned)
    }

    pub(super) fn prose(&mut self) -> Result<String, DescriptionError> {
        lines(self.utf8()?).map(str::to_owned)
    }

    pub(super) fn option(&mut self) -> Result<Option<String>, DescriptionError> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            other => Err(DescriptionError::NoChoice(other)),
        }
    }

    /// Grows with what is there, not with what the length announces.
    pub(super) fn list<T>(
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

    pub(super) fn blob(&mut self) -> Result<Vec<u8>, DescriptionError> {
        let length = usize::try_from(self.u32()?).map_err(|_| DescriptionError::CutOff)?;
        self.take(length).map(<[u8]>::to_vec)
    }

    /// The end, where nothing is left.
    pub(super) fn end(self) -> Result<(), DescriptionError> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(DescriptionError::TooLong(more)),
        }
    }

    fn utf8(&mut self) -> Result<&'a str, DescriptionError> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| DescriptionError::BadText)
    }

    fn length(&mut self) -> Result<usize, DescriptionError> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DescriptionError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DescriptionError::CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DescriptionError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(DescriptionError::CutOff)?;
        self.rest = rest;
        Ok(*array)
    }
}

fn line(text: &str) -> Result<&str, DescriptionError> {
    if text.contains(char::is_control) {
        return Err(DescriptionError::BadText);
    }
    Ok(text)
}

fn lines(text: &str) -> Result<&str, DescriptionError> {
    if text.contains(|character: char| character.is_control() && character != '\n') {
        return Err(DescriptionError::BadText);
    }
    Ok(text)
}
