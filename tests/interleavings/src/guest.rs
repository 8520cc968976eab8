//! The mailbox of a guest, and who waits for whom.

#[path = "../../../host/src/guest/mailbox.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
mod mailbox;
#[path = "../../../host/src/guest/waits.rs"]
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

mod life {
    pub(super) struct Life;
}

mod limits {
    /// Of the host's limits, those of a mailbox.
    pub(crate) struct Limits {
        pub(crate) mailbox_messages: usize,
        pub(crate) mailbox_bytes: usize,
        pub(crate) mailbox_full: WhenFull,
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
