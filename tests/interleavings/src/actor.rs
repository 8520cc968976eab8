//! What the host asks of an actor.

#[path = "../../../sandbox/src/actor/commands.rs"]
#[rustfmt::skip] // rustfmt looks for its tests beside this file
pub(crate) mod commands;

mod going_back {
    #[derive(Debug)]
    pub(crate) struct GoBackRequest;

    impl GoBackRequest {
        pub(crate) fn is_given_up(&self) -> bool {
            false
        }
    }
}

mod reload {
    #[derive(Debug)]
    pub(crate) struct ReloadRequest;

    impl ReloadRequest {
        pub(crate) fn holds_mailbox(&self) -> bool {
            true
        }

        pub(crate) fn is_given_up(&self) -> bool {
            false
        }
    }

    #[derive(Debug)]
    pub(crate) struct SnapshotRequest;

    impl SnapshotRequest {
        pub(crate) fn is_given_up(&self) -> bool {
            false
        }
    }
}
