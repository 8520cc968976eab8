//! Of what an actor may take, what its mailbox asks for.

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
        Asks,
        HttpRequests,
        Handles,
    }

    impl Common {
        pub(crate) const ALL: [Self; 9] = [
            Self::Memory,
            Self::MailboxBytes,
            Self::Timers,
            Self::Monitors,
            Self::Groups,
            Self::DeferredReplies,
            Self::Asks,
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
