//! The little that strangers and people in the middle need of the wire: frames, and the fields of protobuf messages.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// The fields of a protobuf message: numbers and contents, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(u32, Field)>);

/// The content of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A number.
    Number(u64),
    /// Text, bytes or a message.
    Bytes(Vec<u8>),
}

impl Fields {
    /// The fields of these bytes. None if they are no message of numbers and bytes alone.
    pub fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let number = u32::try_from(key >> 3).ok()?;
            let field = match key & 7 {
                0 => Field::Number(varint(&mut bytes)?),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    let (content, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    Field::Bytes(content.to_vec())
                }
                _ => return None,
            };
            fields.push((number, field));
        }
        Some(Self(fields))
    }

    /// As they are sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, field) in &self.0 {
            match field {
                Field::Number(value) => {
                    put_varint(u64::from(*number) << 3, &mut out);
                    put_varint(*value, &mut out);
                }
                Field::Bytes(content) => {
                    put_varint(u64::from(*number) << 3 | 2, &mut out);
                    put_varint(content.len() as u64, &mut out);
                    out.extend(content);
                }
            }
        }
        out
    }

    /// The bytes of a field, if it is there.
    pub fn bytes(&self, number: u32) -> Option<&[u8]> {
        self.0.iter().find_map(|field| match field {
            (found, Field::Bytes(content)) if *found == number => Some(content.as_slice()),
            _ => None,
        })
    }

    /// The message in a field, if it is there.
    pub fn message(&self, number: u32) -> Option<Self> {
        Self::parse(self.bytes(number)?)
    }

    /// These fields as the content of one.
    #[must_use]
    pub fn within(self, number: u32) -> Self {
        Self(vec![(number, Field::Bytes(self.to_bytes()))])
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads one frame's payload.
///
/// # Errors
/// The connection fails or ends.
pub fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut header = [0; 8];
    stream.read_exact(&mut header)?;
    let length = usize::try_from(u64::from_be_bytes(header)).map_err(io::Error::other)?;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok(payload)
}

/// Writes a frame.
///
/// # Errors
/// The connection fails.
pub fn write_frame(stream: &mut TcpStream, payload: &[u8]) -> io::Result<()> {
    stream.write_all(&frame(payload))
}

/// A payload with its length.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u64).to_be_bytes().to_vec();
    frame.extend(payload);
    frame
}

/// What somebody in the middle makes of a frame's payload. The second argument is true of what the dialler sends.
pub type Rewrite = fn(Vec<u8>, bool) -> Vec<u8>;

/// Somebody in the middle who changes what passes: gives the address to dial instead of `to`.
///
/// # Panics
/// The system has no port for it.
#[track_caller]
pub fn middle(to: &str, rewrite: Rewrite) -> SocketAddr {
    let listener = match TcpListener::bind(("127.0.0.1", 0)) {
        Ok(listener) => listener,
        Err(error) => panic!("a port for somebody in the middle: {error}"),
    };
    let address = match listener.local_addr() {
        Ok(address) => address,
        Err(error) => panic!("the address of somebody in the middle: {error}"),
    };
    let to = to.to_owned();
    thread::spawn(move || {
        for dialler in listener.incoming().map_while(Result::ok) {
            let Ok(node) = TcpStream::connect(&to) else { continue };
            let (Ok(from_node), Ok(to_dialler)) = (node.try_clone(), dialler.try_clone()) else {
                continue;
            };
            thread::spawn(move || pass(dialler, node, true, rewrite));
            thread::spawn(move || pass(from_node, to_dialler, false, rewrite));
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, is_diallers: bool, rewrite: Rewrite) {
    while let Ok(payload) = read_frame(&mut from) {
        if write_frame(&mut to, &rewrite(payload, is_diallers)).is_err() {
            break;
        }
    }
    // Whoever is closed already needs no other word.
    drop(to.shutdown(Shutdown::Write));
}

/// What a stock node would have sent in the place of this frame: fields from 100 up are ours.
pub fn strip(payload: Vec<u8>) -> Vec<u8> {
    fn stripped(payload: &[u8]) -> Option<Vec<u8>> {
        let step = Fields::parse(payload)?.message(1)?;
        let (number, _) = step.0.first()?.clone();
        let mut said = step.message(number)?;
        said.0.retain(|(number, _)| *number < 100);
        for (number, field) in &mut said.0 {
            if let (2, Field::Bytes(flags)) = (*number, field)
                && let Some(mut parsed) = Fields::parse(flags)
            {
                parsed.0.retain(|(number, _)| *number < 100);
                *flags = parsed.to_bytes();
            }
        }
        Some(said.within(number).within(1).to_bytes())
    }
    stripped(&payload).unwrap_or(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_is_written_as_it_was() {
        let said = Fields(vec![
            (1, Field::Bytes(b"alpha".to_vec())),
            (3, Field::Number(300)),
            (100, Field::Bytes(vec![7; 200])),
        ]);
        assert_eq!(Fields::parse(&said.to_bytes()), Some(said.clone()));
        let frame = said.clone().within(4).within(1).to_bytes();
        let kept = Fields::parse(&strip(frame)).and_then(|step| step.message(1)?.message(4));
        let stock = Fields(said.0.into_iter().filter(|(number, _)| *number < 100).collect());
        assert_eq!(kept, Some(stock));
        assert_eq!(strip(vec![0xff]), [0xff]);
    }
}
