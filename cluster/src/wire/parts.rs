//! Large messages of the control plane, decoded in parts. A decoded list takes many times what it takes on the wire (an actor
//! without a name 32 bytes in place of 4), and a frame of 16 MiB would take half a gigabyte before the first entry is looked at.
//!
//! Each part is a message of its own that means the same: half of the actors join a group, and then the other half does. Only the
//! shape that every known sender writes is taken apart, one message in one message. Anything else of that size is refused.

use prost::Message as _;

use super::error::WireError;
use super::message::{Control, GroupChange, Message};
use super::proto;
use super::varint::take_varint;

/// The bytes of a message that are decoded at a time. A message that isn't larger is decoded as a whole.
const PART: usize = 64 * 1024;

/// The longest part, in bytes, that is decoded of the name of an actor, a group or a scope: enough to tell that it is too long.
const NAME: usize = 1024;

/// The largest entry of a list, in bytes, that is decoded as it is.
const ENTRY: usize = 4096;

/// The key of `NetworkMessage.control`, length-delimited.
const CONTROL: u64 = 3 << 3 | 2;

/// A large message, part by part.
#[derive(Debug)]
pub(crate) struct Parts {
    body: Vec<u8>,
    at: usize,
    list: List,
    /// The end of the run of numbers that `at` is in.
    run: usize,
}

/// What a large message is a list of.
#[derive(Debug)]
enum List {
    Spawn,
    Terminate,
    Join(proto::GroupChange),
    Leave(proto::GroupChange),
    /// The other nodes that a peer knows. The first part is enough: this node doesn't connect to more nodes on a peer's word.
    Sessions,
}

impl List {
    /// The number of the field that is repeated.
    fn field(&self) -> u8 {
        match self {
            Self::Join(_) | Self::Leave(_) => 2,
            Self::Spawn | Self::Terminate | Self::Sessions => 1,
        }
    }
}

/// The parts of this payload; none if it isn't large, or no message of the control plane.
///
/// # Errors
/// It is large, and broken or not of the one shape.
pub(super) fn parts(payload: &[u8]) -> Result<Option<Parts>, WireError> {
    if payload.len() <= PART || !has_control(payload)? {
        return Ok(None);
    }
    let (key, message) = only_field(payload)?;
    if key != CONTROL {
        return Err(malformed("a large message of several kinds"));
    }
    let (key, body) = only_field(message)?;
    let list = match key >> 3 {
        1 => List::Spawn,
        2 => List::Terminate,
        5 => List::Join(group_of(body)?),
        6 => List::Leave(group_of(body)?),
        8 => List::Sessions,
        // No node has so many patterns as that, nor such long ones.
        102 => return Err(malformed("an interest in groups that is too large")),
        // The other messages have no lists, so they take about as much memory as bytes on the wire.
        _ => return Ok(None),
    };
    Ok(Some(Parts {
        body: body.to_vec(),
        at: 0,
        list,
        run: 0,
    }))
}

fn has_control(payload: &[u8]) -> Result<bool, WireError> {
    let mut at = 0;
    while at < payload.len() {
        if next_field(payload, &mut at)?.key == CONTROL {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The one field of a message, which is a message too.
fn only_field(message: &[u8]) -> Result<(u64, &[u8]), WireError> {
    let mut at = 0;
    let field = next_field(message, &mut at)?;
    // A second field of the same message would have to be merged with the first one, which can't be done part by part.
    if field.key & 7 != 2 || at != message.len() {
        return Err(malformed("a large message of several kinds"));
    }
    Ok((field.key, field.value))
}

/// What a change of a group says beside its members.
fn group_of(body: &[u8]) -> Result<proto::GroupChange, WireError> {
    // The names may stand behind the members, and each part needs them, so they are read ahead.
    let mut change = proto::GroupChange::default();
    let mut at = 0;
    while at < body.len() {
        let field = next_field(body, &mut at)?;
        match field.key {
            // group = 1, scope = 3
            0x0a => change.group = name(field.value)?,
            0x1a => change.scope = name(field.value)?,
            _ => {}
        }
    }
    Ok(change)
}

/// An actor with as much of its name as is decoded.
fn actor_of(entry: &[u8]) -> Result<proto::Actor, WireError> {
    let mut actor = proto::Actor::default();
    let mut at = 0;
    while at < entry.len() {
        let field = next_field(entry, &mut at)?;
        match field.key {
            // pid = 1, name = 2
            0x08 => actor.pid = field.number,
            0x12 => actor.name = Some(name(field.value)?),
            _ => {}
        }
    }
    Ok(actor)
}

fn name(bytes: &[u8]) -> Result<String, WireError> {
    let name = std::str::from_utf8(bytes).map_err(|_| malformed("a name that is no text"))?;
    Ok(name
        .get(..name.floor_char_boundary(NAME))
        .unwrap_or_default()
        .to_owned())
}

impl Iterator for Parts {
    type Item = Result<Message, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.body.len() {
            return None;
        }
        let part = match self.list {
            List::Terminate => self.numbers().map(Control::Terminate),
            _ => self.entries(),
        };
        // Nobody knows where the next entry begins after a broken one.
        if part.is_err() || matches!(self.list, List::Sessions) {
            self.at = self.body.len();
        }
        Some(part.map(Message::Control))
    }
}

impl Parts {
    /// The next of the entries that are messages.
    fn entries(&mut self) -> Result<Control, WireError> {
        let mut part = Vec::with_capacity(PART);
        let repeated = u64::from(self.list.field() << 3 | 2);
        while self.at < self.body.len() && part.len() < PART {
            let start = self.at;
            let field = next_field(&self.body, &mut self.at)?;
            if field.key != repeated {
                continue;
            }
            if field.value.len() <= ENTRY {
                part.extend_from_slice(self.body.get(start..self.at).unwrap_or_default());
            } else if !matches!(self.list, List::Sessions) {
                // As a rule the name makes an entry this large. It is cut and not dropped, so that the session can refuse the actor
                // and say which one.
                let tag = u32::from(self.list.field());
                prost::encoding::message::encode(tag, &actor_of(field.value)?, &mut part);
            }
        }
        let change = |group: &proto::GroupChange| {
            let members = proto::GroupChange::decode(&*part)?;
            Ok::<_, prost::DecodeError>(GroupChange::from(proto::GroupChange {
                actors: members.actors,
                ..group.clone()
            }))
        };
        let decoded = match &self.list {
            List::Join(group) => change(group).map(Control::PgJoin),
            List::Leave(group) => change(group).map(Control::PgLeave),
            List::Sessions => proto::NodeSessions::decode(&*part)
                .map(|theirs| Control::NodeSessions(theirs.sessions.into_iter().map(Into::into).collect())),
            List::Spawn | List::Terminate => proto::Spawn::decode(&*part)
                .map(|spawn| Control::Spawn(spawn.actors.into_iter().map(Into::into).collect())),
        };
        decoded.map_err(|error| WireError::Malformed(error.to_string()))
    }

    /// The next of the entries that are numbers, each a field or many in one.
    fn numbers(&mut self) -> Result<Vec<u64>, WireError> {
        let end = self.at.saturating_add(PART).min(self.body.len());
        let mut numbers = Vec::new();
        while self.at < end {
            if self.at < self.run {
                numbers.push(take_varint(&self.body, &mut self.at).ok_or_else(cut_short)?);
                continue;
            }
            let field = next_field(&self.body, &mut self.at)?;
            match field.key {
                0x08 => numbers.push(field.number),
                // Packed: back to where its numbers begin.
                0x0a => {
                    self.run = self.at;
                    self.at -= field.value.len();
                }
                _ => {}
            }
        }
        Ok(numbers)
    }
}

/// A field of a message.
struct ListField<'a> {
    key: u64,
    /// The value of a field that has a length.
    value: &'a [u8],
    /// The value of a field that is a varint.
    number: u64,
}

/// The field at `at`, which moves behind it.
fn next_field<'a>(bytes: &'a [u8], at: &mut usize) -> Result<ListField<'a>, WireError> {
    let key = take_varint(bytes, at).ok_or_else(cut_short)?;
    let mut field = ListField {
        key,
        value: &[],
        number: 0,
    };
    let len = match key & 7 {
        0 => {
            field.number = take_varint(bytes, at).ok_or_else(cut_short)?;
            return Ok(field);
        }
        1 => 8,
        2 => usize::try_from(take_varint(bytes, at).ok_or_else(cut_short)?).map_err(|_| cut_short())?,
        5 => 4,
        _ => return Err(malformed("a field of an unknown type")),
    };
    let end = at.checked_add(len).ok_or_else(cut_short)?;
    let value = bytes.get(*at..end).ok_or_else(cut_short)?;
    if key & 7 == 2 {
        field.value = value;
    }
    *at = end;
    Ok(field)
}

fn cut_short() -> WireError {
    malformed("a large message that is cut short")
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};

    use super::{PART, parts};
    use crate::wire::{Actor, Control, FRAME_HEADER_BYTES, GroupChange, MAX_NAME_BYTES, Message, WantedGroups, encode};

    fn payload(control: Control) -> Vec<u8> {
        let mut out = BytesMut::new();
        encode(&Message::Control(control), &mut out);
        out[FRAME_HEADER_BYTES..].to_vec()
    }

    fn taken_apart(payload: &[u8]) -> Vec<Control> {
        let parts = parts(payload).unwrap().expect("it is large");
        parts
            .map(|part| match part.unwrap() {
                Message::Control(control) => control,
                other => unreachable!("{other:?}"),
            })
            .collect()
    }

    fn actors(count: u64) -> Vec<Actor> {
        let name = |pid: u64| (!pid.is_multiple_of(3)).then(|| format!("actor {pid}"));
        (0..count).map(|pid| Actor { pid, name: name(pid) }).collect()
    }

    #[test]
    fn the_parts_of_a_list_are_the_list() {
        let all = actors(50_000);
        let spawned = taken_apart(&payload(Control::Spawn(all.clone())));
        assert!(spawned.len() > 5, "{} parts", spawned.len());
        let flat = spawned.into_iter().flat_map(|part| match part {
            Control::Spawn(actors) => actors,
            other => unreachable!("{other:?}"),
        });
        assert!(flat.eq(all.iter().cloned()));

        let pids: Vec<_> = (0..100_000).map(|pid| pid << 20).collect();
        let ended = taken_apart(&payload(Control::Terminate(pids.clone())));
        assert!(ended.len() > 5, "{} parts", ended.len());
        let flat = ended.into_iter().flat_map(|part| match part {
            Control::Terminate(pids) => pids,
            other => unreachable!("{other:?}"),
        });
        assert!(flat.eq(pids));
    }

    #[test]
    fn each_part_of_a_change_says_which_group_it_is_and_long_names_are_cut() {
        let change = |group: &str| GroupChange {
            scope: "a scope".to_owned(),
            group: group.to_owned(),
            actors: actors(50_000),
        };
        let joined = taken_apart(&payload(Control::PgJoin(change("a group"))));
        let flat = joined.into_iter().flat_map(|part| match part {
            Control::PgJoin(part) => {
                assert_eq!((&*part.scope, &*part.group), ("a scope", "a group"));
                part.actors
            }
            other => unreachable!("{other:?}"),
        });
        assert!(flat.eq(actors(50_000)));

        let long = vec![
            Actor {
                pid: 7,
                name: Some("é".repeat(1 << 20)),
            },
            Actor { pid: 8, name: None },
        ];
        let parts = taken_apart(&payload(Control::Spawn(long)));
        let [Control::Spawn(actors)] = &parts[..] else {
            unreachable!("{} parts", parts.len())
        };
        assert_eq!((actors[0].pid, &actors[1]), (7, &Actor { pid: 8, name: None }));
        let kept = actors[0].name.as_ref().unwrap().len();
        assert!((MAX_NAME_BYTES + 1..8 * MAX_NAME_BYTES).contains(&kept), "{kept}");

        for part in taken_apart(&payload(Control::PgLeave(change(&"é".repeat(1 << 20))))) {
            let Control::PgLeave(part) = part else {
                unreachable!("{part:?}")
            };
            assert!(part.has_long_name(), "that it is too long is known without all of it");
            assert!(part.group.len() < 8 * MAX_NAME_BYTES);
        }
    }

    #[test]
    fn what_is_small_or_something_else_is_left_as_it_is() {
        assert!(parts(&payload(Control::Spawn(actors(100)))).unwrap().is_none());
        let mut cast = BytesMut::new();
        crate::wire::encode_cast(
            &mut cast,
            1,
            "v",
            crate::wire::Payload::Within(&[0; 2 * PART]),
            None,
            None,
        );
        assert!(parts(&cast[FRAME_HEADER_BYTES..]).unwrap().is_none());
    }

    #[test]
    fn no_interest_is_large() {
        let wanted = |count| {
            let pattern = String::new();
            let one = WantedGroups {
                pattern,
                one_per_node: false,
            };
            payload(Control::Interest(vec![one; count]))
        };
        parts(&wanted(PART)).unwrap_err();
        assert!(parts(&wanted(1_000)).unwrap().is_none());
    }

    #[test]
    fn what_is_large_has_one_shape() {
        let spawn = payload(Control::Spawn(actors(50_000)));
        let ready = payload(Control::Ready);
        parts(&[&spawn[..], &ready].concat()).unwrap_err();
        parts(&[&ready[..], &spawn].concat()).unwrap_err();
        parts(spawn.get(..spawn.len() - 1).unwrap()).unwrap_err();
        let mut group = BytesMut::new();
        group.put_slice(&[0x1a, 0x80, 0x80, 0x08, 0x0b]);
        group.resize(5 + (1 << 17), 0);
        parts(&group).unwrap_err();
    }
}
