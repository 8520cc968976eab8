//! The compiled functions of a module's last version, so that of the next one only what is new is compiled.
//!
//! Between two versions of a large component most functions are the same: an interpreter with other source in it, or one function
//! edited. The compiler asks for each by a hash of what it would compile and with which settings, and brings those that it made.
//! Afterwards the pack of the module holds what this version is made of, and nothing else, so it doesn't grow from version to version.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use wasmtime::CacheStore;

/// A hash of what is compiled, and how.
type Key = [u8; 32];

/// The bytes before a function in a pack: its key, and its length.
const HEAD: usize = size_of::<Key>() + size_of::<u32>();

/// The functions that are known while one component is compiled, and those that come to be.
#[derive(Default)]
pub(crate) struct Functions {
    pack: Vec<u8>,
    known: HashMap<Key, KnownFunction>,
    made: Mutex<BTreeMap<Key, Vec<u8>>>,
}

struct KnownFunction {
    /// Where the pack has it.
    at: Range<usize>,
    is_used: AtomicBool,
}

/// How many functions of a component were there already, and how many were compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FunctionCounts {
    pub(crate) taken: usize,
    pub(crate) compiled: usize,
}

impl Functions {
    /// Those of a pack that begins at `start` of these bytes. None if it is cut off.
    pub(super) fn from_pack(pack: Vec<u8>, start: usize) -> Option<Self> {
        let mut known = HashMap::new();
        let mut at = start;
        while at < pack.len() {
            let head = pack.get(at..at + HEAD)?;
            let (key, length) = head.split_first_chunk()?;
            let length = u32::from_le_bytes(length.try_into().ok()?);
            let begin = at + HEAD;
            let end = begin.checked_add(usize::try_from(length).ok()?)?;
            if end > pack.len() {
                return None;
            }
            let function = KnownFunction {
                at: begin..end,
                is_used: AtomicBool::new(false),
            };
            known.insert(*key, function);
            at = end;
        }
        Some(Self {
            pack,
            known,
            made: Mutex::default(),
        })
    }

    /// The pack of what was used and made. None if it would be the one that there was.
    pub(super) fn to_pack(&self) -> Option<Vec<u8>> {
        let made = self.made.lock();
        let used: Vec<_> = self.used().collect();
        if made.is_empty() && used.len() == self.known.len() {
            return None;
        }
        let made = made.iter().map(|(key, function)| (key, function.as_slice()));
        let mut pack = Vec::with_capacity(self.pack.len());
        for (key, function) in used.into_iter().chain(made) {
            // One that is larger than 4 GiB is none that a component of this host's can have.
            let Ok(length) = u32::try_from(function.len()) else {
                continue;
            };
            pack.extend_from_slice(key);
            pack.extend_from_slice(&length.to_le_bytes());
            pack.extend_from_slice(function);
        }
        Some(pack)
    }

    /// What came of a compilation.
    pub(crate) fn counts(&self) -> FunctionCounts {
        FunctionCounts {
            taken: self.used().count(),
            compiled: self.made.lock().len(),
        }
    }

    fn used(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        // Relaxed, here and where it is set: the threads that compile have ended when this is asked.
        let used = self
            .known
            .iter()
            .filter(|(_, known)| known.is_used.load(Ordering::Relaxed));
        used.filter_map(|(key, known)| Some((key, self.pack.get(known.at.clone())?)))
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions")
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let key = Key::try_from(key).ok()?;
        if let Some(known) = self.known.get(&key) {
            known.is_used.store(true, Ordering::Relaxed);
            return self.pack.get(known.at.clone()).map(Cow::Borrowed);
        }
        // Components have the same function several times, and the second can be had from the first.
        self.made.lock().get(&key).cloned().map(Cow::Owned)
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let Ok(key) = Key::try_from(key) else { return false };
        self.made.lock().insert(key, value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> Key {
        let mut key = Key::default();
        key[0] = first;
        key
    }

    #[test]
    fn a_pack_has_what_the_last_version_is_made_of_and_nothing_else() {
        let first = Functions::default();
        assert!(first.insert(&key(1), b"one".to_vec()));
        assert!(first.insert(&key(2), Vec::new()));
        let pack = first.to_pack().unwrap();
        let second = Functions::from_pack(pack.clone(), 0).unwrap();
        assert_eq!(second.get(&key(1)).as_deref(), Some(b"one".as_slice()));
        assert_eq!(second.get(&key(3)), None);
        assert!(second.insert(&key(3), b"three".to_vec()));
        assert_eq!(second.get(&key(3)).as_deref(), Some(b"three".as_slice()));
        assert_eq!(second.counts(), FunctionCounts { taken: 1, compiled: 1 });
        let third = Functions::from_pack(second.to_pack().unwrap(), 0).unwrap();
        assert_eq!(third.get(&key(2)), None, "no longer a part of it");
        assert!(third.get(&key(1)).is_some() && third.get(&key(3)).is_some());
        assert_eq!(third.to_pack(), None, "the pack that there is");
    }

    #[test]
    fn a_pack_that_is_cut_off_anywhere_is_none_or_one_with_fewer_functions() {
        let functions = Functions::default();
        functions.insert(&key(1), b"one".to_vec());
        functions.insert(&key(2), b"two".to_vec());
        let pack = functions.to_pack().unwrap();
        for end in 0..pack.len() {
            let cut = Functions::from_pack(pack[..end].to_vec(), 0);
            let whole = [0, pack.len() / 2].contains(&end);
            assert_eq!(cut.is_some(), whole, "{end}");
        }
    }

    #[test]
    fn what_is_no_key_is_not_kept() {
        let functions = Functions::default();
        assert!(!functions.insert(b"short", b"one".to_vec()));
        assert_eq!(functions.get(b"short"), None);
    }
}
