//! The mailbox of a guest, and who waits for whom.

#[path = "../../../sandbox/src/mailbox.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
mod mailbox;
#[path = "../../../sandbox/src/family/purse.rs"]
#[rustfmt::skip]
mod purse;
#[path = "../../../sandbox/src/waits.rs"]
#[rustfmt::skip]
mod waits;

pub mod mailboxes;
pub mod waiting;

mod describe {
    use std::sync::Arc;

    use super::life::Life;
    use crate::message::SerializedMessage;

    pub(super) fn is_question(_: &SerializedMessage) -> bool {
        false
    }

    pub(super) fn answer_ahead(_: Arc<Life>, message: SerializedMessage) -> Option<SerializedMessage> {
        Some(message)
    }
}

/// What a family shares, which is tried by itself: here it has more than it needs.
mod family {
    pub(super) use super::purse::Purse;
}

mod life {
    pub(super) struct Life;
}

pub(crate) mod limits {
    /// Of the host's limits, those of a mailbox.
    pub(crate) struct Limits {
        pub(crate) mailbox_messages: usize,
        pub(crate) mailbox_bytes: usize,
        pub(crate) mailbox_full: WhenFull,
    }

    impl Limits {
        pub(crate) fn of_family(&self, _: Common) -> usize {
            usize::MAX
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Common {
        Memory,
        MailboxBytes,
        Timers,
        Monitors,
        Groups,
        DeferredReplies,
        HttpRequests,
        Handles,
    }

    impl Common {
        pub(crate) const ALL: [Self; 8] = [
            Self::Memory,
            Self::MailboxBytes,
            Self::Timers,
            Self::Monitors,
            Self::Groups,
            Self::DeferredReplies,
            Self::HttpRequests,
            Self::Handles,
        ];
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(crate) enum WhenFull {
        Wait,
        Refuse,
        DropOldest,
    }

    #[derive(Debug)]
    pub(crate) enum Limit {
        MailboxMessages(usize),
        MailboxBytes(usize),
        OfFamily(Common, usize),
    }
}

mod reload {
    #[derive(Debug)]
    pub(crate) struct Request;

    #[derive(Debug)]
    pub(crate) struct Asked;
}

mod state {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    /// Counts in place of a log.
    #[derive(Clone, Default)]
    pub(crate) struct Label {
        pub(crate) dead_letters: Arc<AtomicUsize>,
    }
}

mod strikes {
    use std::sync::atomic::Ordering;

    use super::limits::Limit;
    use super::state::Label;

    pub(super) fn limit(_: &Label, _: Limit) {}

    pub(super) fn dead_letters(label: &Label, _: &str, letters: usize) {
        label.dead_letters.fetch_add(letters, Ordering::Relaxed);
    }
}
