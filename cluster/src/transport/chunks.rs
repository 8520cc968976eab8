//! Bytes that wait to be written: many frames share a chunk, and a large payload is one by itself, written from where its
//! sender had it.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::BytesMut;

use super::allocator::expect_large_payloads;

/// The size, in bytes, at which a chunk takes no more frames.
const CHUNK: usize = 64 * 1024;

/// The room, in bytes, for the frame that makes a chunk full. A larger frame makes the chunk grow.
const LAST_FRAME: usize = 4 * 1024;

/// The number of empty chunks that are kept for reuse once a burst is over.
const KEPT: usize = 4;

#[derive(Debug)]
enum Chunk {
    Frames(BytesMut),
    Payload(Vec<u8>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Frames(frames) => frames,
            Self::Payload(payload) => payload,
        }
    }
}

/// What is to be written, in order.
#[derive(Debug, Default)]
pub struct Chunks {
    queue: VecDeque<Chunk>,
    /// The chunk that frames are appended to. It comes after all of `queue`.
    last: BytesMut,
    /// All bytes that are left.
    len: usize,
    /// How much of the first chunk is written.
    written: usize,
    spare: Vec<BytesMut>,
    /// The number of appends since that was last taken.
    appended: usize,
}

impl Chunks {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// True if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of appends since that was last taken.
    pub(crate) fn appended(&self) -> usize {
        self.appended
    }

    /// The number of appends since this was last asked.
    pub(crate) fn take_appended(&mut self) -> usize {
        std::mem::take(&mut self.appended)
    }

    /// Appends what `encode` writes.
    pub(crate) fn append(&mut self, encode: impl FnOnce(&mut BytesMut)) {
        self.encode(encode);
        if self.last.len() >= CHUNK {
            self.close_last();
        }
    }

    /// Appends what `encode` writes, and `payload` in its midst, at the position that it gives back.
    pub(crate) fn append_around(&mut self, payload: Vec<u8>, encode: impl FnOnce(&mut BytesMut) -> usize) {
        expect_large_payloads();
        let mut at = 0;
        self.encode(|out| at = encode(out));
        let after = self.last.split_off(at.min(self.last.len()));
        self.close_last();
        self.last = after;
        self.len += payload.len();
        self.queue.push_back(Chunk::Payload(payload));
    }

    fn encode(&mut self, encode: impl FnOnce(&mut BytesMut)) {
        // A payload that was put in the midst of a frame leaves the rest of a chunk behind, which may be too small for the next
        // frame.
        if self.last.is_empty() && self.last.capacity() < CHUNK {
            let spare = self.spare.pop();
            self.last = spare.unwrap_or_else(|| BytesMut::with_capacity(CHUNK + LAST_FRAME));
        }
        let before = self.last.len();
        self.appended += 1;
        encode(&mut self.last);
        self.len += self.last.len() - before;
    }

    fn close_last(&mut self) {
        if !self.last.is_empty() {
            let last = std::mem::take(&mut self.last);
            self.queue.push_back(Chunk::Frames(last));
        }
    }

    /// The first `count` chunks at most.
    pub fn slices(&mut self, count: usize) -> Vec<IoSlice<'_>> {
        // The writer has taken the whole queue from its senders, so nothing more comes into this chunk.
        self.close_last();
        let mut skip = self.written;
        let chunks = self.queue.iter().take(count);
        chunks
            .map(|chunk| IoSlice::new(chunk.bytes().get(std::mem::take(&mut skip)..).unwrap_or_default()))
            .collect()
    }

    /// Forgets the first `written` bytes.
    pub fn advance(&mut self, written: usize) {
        self.len = self.len.saturating_sub(written);
        self.written += written;
        while let Some(first) = self.queue.front().map(|chunk| chunk.bytes().len()) {
            if self.written < first {
                return;
            }
            self.written -= first;
            if let Some(Chunk::Frames(mut frames)) = self.queue.pop_front()
                && self.spare.len() < KEPT
            {
                frames.clear();
                // Rests of split chunks are of no use, and one that a large frame made grow would keep its memory for ever.
                if (CHUNK..=2 * CHUNK).contains(&frames.capacity()) {
                    self.spare.push(frames);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;
    use proptest::prelude::*;

    use super::{CHUNK, Chunks};

    #[test]
    fn a_payload_keeps_its_place_where_a_chunk_becomes_full() {
        for before in CHUNK - 4..=CHUNK {
            let mut chunks = Chunks::default();
            chunks.append(|out| out.put_bytes(b'.', before));
            chunks.append_around(b"payload".to_vec(), |out| {
                out.put_slice(b"<<");
                let at = out.len();
                out.put_slice(b">>");
                at
            });
            chunks.append(|out| out.put_slice(b"next"));
            let bytes: Vec<u8> = chunks.slices(9).iter().flat_map(|slice| slice.to_vec()).collect();
            assert_eq!(bytes[before..], *b"<<payload>>next", "after {before}");
            assert_eq!(bytes.len(), chunks.len());
        }
    }

    proptest! {
        #[test]
        fn all_bytes_come_out_in_order(
            frames in proptest::collection::vec((0..300usize, prop_oneof![Just(0), 1..2 * CHUNK], 0..300usize), 0..20),
            writes in proptest::collection::vec((1..4usize, 1..3 * CHUNK), 1..8),
        ) {
            let (mut chunks, mut expected, mut byte) = (Chunks::default(), Vec::new(), 0u8);
            let mut next = |len: usize| {
                byte = byte.wrapping_add(1);
                vec![byte; len]
            };
            for (before, payload, after) in frames {
                let (before, payload, after) = (next(before), next(payload), next(after));
                expected.extend([&before[..], &payload, &after].concat());
                if payload.is_empty() {
                    chunks.append(|out| [before, after].iter().for_each(|part| out.put_slice(part)));
                } else {
                    chunks.append_around(payload, |out| {
                        out.put_slice(&before);
                        let at = out.len();
                        out.put_slice(&after);
                        at
                    });
                }
                prop_assert_eq!(chunks.len(), expected.len());
            }
            let mut written = Vec::new();
            for (count, most) in writes.iter().cycle() {
                let mut bytes = chunks.slices(*count).iter().flat_map(|slice| slice.to_vec()).collect::<Vec<u8>>();
                if bytes.is_empty() {
                    break;
                }
                bytes.truncate(*most);
                chunks.advance(bytes.len());
                written.extend(bytes);
            }
            prop_assert_eq!(written, expected);
            prop_assert!(chunks.is_empty());
        }
    }
}
