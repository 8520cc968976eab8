//! Casts that wait to be handled in one call.

use ractor::message::SerializedMessage;

use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::instance::batch_export::CastSizes;
use crate::policy::limits::Limits;

/// The most casts of a batch.
const CASTS: usize = 32;

/// The most bytes of one: what a guest with little memory left has to make room for.
const BYTES: usize = 16 << 10;

/// The largest cast of one. It is copied once more than one that comes apart, which pays for what an entry costs up to here.
const CAST_BYTES: usize = 4 << 10;

/// Where casts come one at a time, one of this many waits to see whether others follow.
const TRIED: u32 = 8;

/// What is kept for the next batch.
const KEPT_BYTES: usize = 1 << 10;

/// See the module. What is in here when it is dropped is given up.
#[derive(Debug)]
pub(crate) struct Casts {
    label: Label,
    most: usize,
    largest: usize,
    sizes: Vec<CastSizes>,
    /// The variants and the arguments, one behind the other.
    bytes: Vec<u8>,
    /// A mark is on its way.
    marked: bool,
    /// Casts that came since the last mark was sent.
    since_mark: usize,
    /// They were several.
    several: bool,
    /// Those that came alone.
    alone: u32,
}

impl Casts {
    pub(crate) fn new(label: Label, limits: &Limits) -> Self {
        Self {
            label,
            // Beyond the limit of the mailbox, but not much.
            most: CASTS.min(limits.mailbox_messages / 8),
            largest: CAST_BYTES.min(limits.message_bytes),
            sizes: Vec::new(),
            bytes: Vec::new(),
            marked: false,
            since_mark: 0,
            several: false,
            alone: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// True if a cast of this many bytes is to wait here.
    pub(crate) fn takes(&mut self, bytes: usize) -> bool {
        if bytes > self.largest || self.most < 2 {
            return false;
        }
        // Also behind one that waits, or this cast would be handled before it.
        if self.several || !self.is_empty() {
            return true;
        }
        self.alone = self.alone.wrapping_add(1);
        // A mark is one more message to the actor itself. Where casts come alone that is for nothing, so few of them
        // try.
        self.alone.is_multiple_of(TRIED)
    }

    /// Adds one that is taken. True if there must be a mark behind it.
    pub(crate) fn push(&mut self, variant: &str, args: &[u8]) -> bool {
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.sizes.push(CastSizes {
            variant: size(variant.as_bytes()),
            args: size(args),
        });
        self.bytes.extend_from_slice(variant.as_bytes());
        self.bytes.extend_from_slice(args);
        self.since_mark += 1;
        self.several |= self.len() > 1;
        // One mark at a time: ractor's mailbox would otherwise have as many marks as casts.
        !std::mem::replace(&mut self.marked, true)
    }

    /// True if no other fits for sure.
    pub(crate) fn is_full(&self) -> bool {
        // For sure, and not for this or that cast: room for the largest must be left, whatever comes next.
        self.len() >= self.most || self.bytes.len() > BYTES - CAST_BYTES
    }

    /// The mark has come: nothing that was sent before it waits any more.
    pub(crate) fn mark_came(&mut self) {
        self.marked = false;
        self.several = std::mem::take(&mut self.since_mark) > 1;
    }

    /// All of them, as the guest gets them.
    pub(super) fn all(&self) -> (&[u8], &[CastSizes]) {
        (&self.bytes, &self.sizes)
    }

    /// Variant and arguments of one.
    pub(super) fn get(&self, at: usize) -> Option<(&str, &[u8])> {
        let ahead = self.sizes.get(..at)?.iter().map(CastSizes::bytes).sum();
        let (_, cast) = self.bytes.split_at_checked(ahead)?;
        let (variant, args) = cast.split_at_checked(self.sizes.get(at)?.variant as usize)?;
        let args = args.get(..self.sizes.get(at)?.args as usize)?;
        Some((std::str::from_utf8(variant).ok()?, args))
    }

    /// Takes the first one out.
    pub(crate) fn take_first(&mut self) -> SerializedMessage {
        let (variant, args) = self.get(0).unwrap_or_default();
        let first = SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: args.to_vec(),
            metadata: None,
        };
        self.begun(1);
        first
    }

    /// Forgets the first ones, which were begun.
    pub(crate) fn begun(&mut self, casts: usize) {
        let casts = casts.min(self.sizes.len());
        let bytes: usize = self.sizes.drain(..casts).map(|sizes| sizes.bytes()).sum();
        self.bytes.drain(..bytes);
        // Thousands of guests that once had a busy moment must not each keep what it took.
        if self.is_empty() && self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
    }
}

impl CastSizes {
    fn bytes(&self) -> usize {
        self.variant as usize + self.args as usize
    }
}

impl Drop for Casts {
    fn drop(&mut self) {
        telemetry::dead_letters(&self.label, "ended", self.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn casts(limits: &Limits) -> Casts {
        Casts::new(Label::new("test".into(), "test".into(), 1, limits), limits)
    }

    fn variants(casts: &Casts) -> Vec<&str> {
        (0..casts.len()).map(|at| casts.get(at).unwrap().0).collect()
    }

    #[test]
    fn they_come_out_as_they_went_in() {
        let mut casts = casts(&Limits::default());
        assert!(casts.push("Add", b"1"), "a mark goes behind the first");
        assert!(!casts.push("", b"two"), "and is on its way");
        casts.push("Three", b"");
        assert_eq!(casts.get(0), Some(("Add", &b"1"[..])));
        assert_eq!(casts.get(1), Some(("", &b"two"[..])));
        assert_eq!(casts.get(2), Some(("Three", &b""[..])));
        assert_eq!(casts.get(3), None);
        casts.begun(2);
        assert_eq!(variants(&casts), ["Three"]);
        casts.push("Four", b"4");
        assert_eq!(variants(&casts), ["Three", "Four"]);
        casts.begun(9);
        assert!(casts.is_empty());
    }

    #[test]
    fn they_wait_only_where_several_came_together() {
        let mut casts = casts(&Limits::default());
        let taken = (0..TRIED).filter(|_| casts.takes(1)).count();
        assert_eq!(taken, 1, "one of some is tried");
        casts.push("a", b"");
        assert!(casts.takes(1), "what follows must not overtake it");
        casts.push("b", b"");
        casts.begun(2);
        casts.mark_came();
        assert!(casts.takes(1), "two came together");
        casts.push("c", b"");
        casts.begun(1);
        casts.mark_came();
        assert!(!casts.takes(1), "one came alone");
    }

    #[test]
    fn large_ones_and_small_mailboxes_have_no_batches() {
        let takes = |limits: &Limits, bytes| {
            let mut casts = casts(limits);
            (0..TRIED).any(|_| casts.takes(bytes))
        };
        let limits = Limits::default();
        assert!(takes(&limits, CAST_BYTES));
        assert!(!takes(&limits, CAST_BYTES + 1));
        let small = Limits {
            mailbox_messages: 15,
            ..limits.clone()
        };
        assert!(!takes(&small, 1));
        let short = Limits {
            message_bytes: 10,
            ..limits
        };
        assert!(takes(&short, 10) && !takes(&short, 11));
    }

    #[test]
    fn a_batch_is_full_before_the_largest_would_not_fit() {
        let mut casts = casts(&Limits::default());
        while !casts.is_full() {
            casts.push("v", &vec![0; CAST_BYTES - 1]);
        }
        assert!(casts.bytes.len() <= BYTES);
        casts.begun(casts.len());
        assert_eq!(casts.bytes.capacity(), 0);
        while !casts.is_full() {
            casts.push("v", b"");
        }
        assert_eq!(casts.len(), CASTS);
        casts.begun(CASTS);
    }
}
