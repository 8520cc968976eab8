//! A peer that proves the cookie and then writes what it likes: bytes of its own make, over a connection of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use ractor_host_tests::{COOKIE, wait};
use sha2::{Digest as _, Sha256};

/// The arms of `NetworkMessage`.
pub(crate) const AUTH: u64 = 1;
pub(crate) const DATA: u64 = 2;
pub(crate) const CONTROL: u64 = 3;

/// A varint.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field that is a number.
pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field that is text, bytes or a message.
pub(crate) fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    let mut bytes = [varint(field << 3 | 2), varint(value.len() as u64)].concat();
    bytes.extend_from_slice(value);
    bytes
}

/// An `Actor`.
pub(crate) fn actor(pid: u64, name: Option<&[u8]>) -> Vec<u8> {
    [number(1, pid), name.map_or(Vec::new(), |name| bytes(2, name))].concat()
}

/// A `GroupChange`.
pub(crate) fn change(scope: &[u8], group: &[u8], actors: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut change = bytes(1, group);
    for actor in actors {
        change.extend(bytes(2, &actor));
    }
    change.extend(bytes(3, scope));
    change
}

/// A field as it was read.
struct Seen<'a> {
    field: u64,
    number: u64,
    bytes: &'a [u8],
}

fn seen(mut message: &[u8]) -> Vec<Seen<'_>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = take(&mut message);
        let number = take(&mut message);
        let len = if key & 7 == 2 {
            usize::try_from(number).unwrap()
        } else {
            0
        };
        let (value, rest) = message.split_at(len);
        message = rest;
        fields.push(Seen {
            field: key >> 3,
            number,
            bytes: value,
        });
    }
    fields
}

fn take(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// A number that no other caller gets.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A connection to a node.
pub(crate) struct Raw {
    stream: TcpStream,
    /// What the node has advertised.
    actors: Vec<(u64, Vec<u8>)>,
    /// The groups of which the node has named members.
    groups: Vec<Vec<u8>>,
}

impl Raw {
    /// A connection over which nothing has gone yet.
    pub(crate) fn stranger(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
        Self {
            stream,
            actors: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// A peer with a name of its own that has proved the cookie and knows the node's actors.
    pub(crate) fn peer(address: &str) -> Self {
        Self::named(address, &format!("raw-{}", fresh()))
    }

    /// As [`Self::peer`], with this name.
    pub(crate) fn named(address: &str, name: &str) -> Self {
        let mut raw = Self::stranger(address);
        let full_name = format!("{name}@localhost");
        let introduction = [
            bytes(1, full_name.as_bytes()),
            bytes(2, &number(1, 1)),
            bytes(3, format!("{name}:1").as_bytes()),
            number(4, fresh()),
        ];
        raw.send(AUTH, 1, &introduction.concat());
        let challenge = loop {
            let (_, step, body) = raw.receive().expect("the node goes on");
            if step == 4 {
                let fields = seen(&body);
                break fields.iter().find(|seen| seen.field == 3).map_or(0, |seen| seen.number);
            }
        };
        let mut proof = Sha256::new();
        proof.update((challenge as u32).to_be_bytes());
        proof.update(COOKIE.as_bytes());
        let reply = [number(1, 7), bytes(2, &proof.finalize())];
        raw.send(AUTH, 5, &reply.concat());
        raw.send(CONTROL, 9, &[]);
        raw.confirm();
        raw
    }

    /// Sends one message: `arm` of the kind.
    pub(crate) fn send(&mut self, kind: u64, arm: u64, body: &[u8]) {
        assert!(self.try_send(kind, arm, body), "the node has hung up");
    }

    /// As [`Self::send`] where the node may hang up. False if it has.
    pub(crate) fn try_send(&mut self, kind: u64, arm: u64, body: &[u8]) -> bool {
        let message = bytes(kind, &bytes(arm, body));
        let mut frame = (message.len() as u64).to_be_bytes().to_vec();
        frame.extend(message);
        self.stream.write_all(&frame).is_ok()
    }

    /// The next message: its kind, arm and body. None if the node has hung up.
    fn receive(&mut self) -> Option<(u64, u64, Vec<u8>)> {
        let mut header = [0; 8];
        let mut read = |buffer: &mut [u8]| match self.stream.read_exact(buffer) {
            Ok(()) => true,
            Err(error) => {
                let hung_up = matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset);
                assert!(hung_up, "reading from the node: {error}");
                false
            }
        };
        if !read(&mut header) {
            return None;
        }
        let mut payload = vec![0; usize::try_from(u64::from_be_bytes(header)).unwrap()];
        if !read(&mut payload) {
            return None;
        }
        let kind = &seen(&payload)[0];
        let arm = &seen(kind.bytes)[0];
        let (kind, arm, body) = (kind.field, arm.field, arm.bytes.to_vec());
        if kind == CONTROL && arm == 1 {
            for entry in seen(&body) {
                let entry = seen(entry.bytes);
                let pid = entry.iter().find(|seen| seen.field == 1).map_or(0, |seen| seen.number);
                let name = entry.iter().find(|seen| seen.field == 2);
                self.actors
                    .push((pid, name.map_or(Vec::new(), |seen| seen.bytes.to_vec())));
            }
        }
        if kind == CONTROL && arm == 5 {
            let group = seen(&body).into_iter().find(|seen| seen.field == 1);
            self.groups.extend(group.map(|seen| seen.bytes.to_vec()));
        }
        Some((kind, arm, body))
    }

    /// Whether the node has advertised an actor of this name.
    pub(crate) fn knows_actor(&self, name: &str) -> bool {
        self.actors.iter().any(|(_, known)| known == name.as_bytes())
    }

    /// Whether the node has named members of this group.
    pub(crate) fn knows_group(&self, name: &str) -> bool {
        self.groups.iter().any(|known| known == name.as_bytes())
    }

    /// Waits until the node has handled everything that it was sent.
    pub(crate) fn confirm(&mut self) {
        let ping = fresh();
        self.send(CONTROL, 3, &bytes(1, &number(1, ping)));
        loop {
            let (kind, arm, body) = self.receive().expect("the session goes on");
            if (kind, arm) == (CONTROL, 4) && seen(seen(&body)[0].bytes)[0].number == ping {
                return;
            }
        }
    }

    /// Waits until the node has hung up.
    pub(crate) fn hung_up(mut self) {
        while self.receive().is_some() {}
    }

    /// The pid of the node's actor of this name.
    pub(crate) fn pid_of(&self, name: &str) -> u64 {
        let found = self.actors.iter().find(|(_, known)| known == name.as_bytes());
        found
            .unwrap_or_else(|| panic!("no {name} among {} actors", self.actors.len()))
            .0
    }
}
