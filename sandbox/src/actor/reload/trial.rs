//! New code on trial: how long, and what becomes of the actor with each message that it handles or fails at. Only what is decided;
//! `probation` does it.

use super::{Aftermath, Snapshot};

/// See the module. `I` is an instance, `C` the code before.
#[derive(Debug)]
pub struct Trial<I, C> {
    /// Messages that the new code has still to handle.
    left: u32,
    before: C,
    way_back: WayBack<I>,
}

/// How the code before can come back.
#[derive(Debug)]
pub enum WayBack<I> {
    /// As it was: nothing was handled since.
    Instance(I),
    /// With the state that the new code had after the last message that it handled.
    State(Snapshot),
    /// Afresh: the new code was restarted since, and what it began with then is not what the code before had.
    Afresh,
}

/// What follows from a message that was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// The code has proven itself.
    Proven,
    /// The trial goes on, if the code gives its state: what it has handled must not be lost with it. See [`Trial::handle_state`].
    AskState,
}

/// What follows from a message at which the new code failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The code before gets it.
    GiveAgain,
    /// It is lost, as after any failure.
    Lose,
}

impl Failed {
    /// What is reported of it.
    pub fn aftermath(self) -> Aftermath {
        match self {
            Self::GiveAgain => Aftermath::GivenAgain,
            Self::Lose => Aftermath::MessageLost,
        }
    }
}

/// Whether anybody has noticed something of what new code did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// It did nothing, or nothing that leaves its instance.
    Nothing,
    /// It may have.
    Something,
}

impl<I, C> Trial<I, C> {
    /// Of code that has to handle this many messages, in place of the code before. None if there is nothing to prove.
    pub fn new(messages: u32, before: C, instance: I) -> Option<Self> {
        (messages > 0).then_some(Self {
            left: messages,
            before,
            way_back: WayBack::Instance(instance),
        })
    }

    /// The new code has handled a message.
    pub fn handle_passed(&mut self) -> Passed {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            Passed::Proven
        } else {
            Passed::AskState
        }
    }

    /// The state of the new code, after [`Passed::AskState`]. From here on the instance before is of no use: it knows nothing of the
    /// message.
    pub fn handle_state(&mut self, state: Snapshot) {
        self.way_back = WayBack::State(state);
    }

    /// The new code goes on with a fresh instance. What was there before that is given up, as by any restart.
    pub fn handle_restarted(&mut self) {
        self.way_back = WayBack::Afresh;
    }

    /// The new code has died of being asked for its state, after [`Passed::AskState`]. The code before goes on afresh.
    pub fn handle_no_state(self) -> C {
        self.before
    }

    /// The new code has failed at a message. `Noticed::Something` and a message that can't be copied keep it from being given again.
    pub fn handle_failed(self, noticed: Noticed, has_copy: bool) -> (C, WayBack<I>, Failed) {
        let failed = match noticed {
            // Who begins afresh is restarted, and what is at hand then is lost.
            _ if matches!(self.way_back, WayBack::Afresh) => Failed::Lose,
            Noticed::Nothing if has_copy => Failed::GiveAgain,
            _ => Failed::Lose,
        };
        (self.before, self.way_back, failed)
    }

    /// The code before, if nothing was handled since.
    pub fn unused(&self) -> Option<&C> {
        matches!(self.way_back, WayBack::Instance(_)).then_some(&self.before)
    }

    /// The code before and its instance, if nothing was handled since.
    pub fn into_unused(self) -> Option<(C, I)> {
        match self.way_back {
            WayBack::Instance(instance) => Some((self.before, instance)),
            WayBack::State(_) | WayBack::Afresh => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Snapshot;
    use super::{Failed, Noticed, Passed, Trial, WayBack};
    use crate::component::source::Digest;

    fn trial(messages: u32) -> Trial<&'static str, u32> {
        Trial::new(messages, 1, "old").unwrap()
    }

    #[test]
    fn without_messages_there_is_nothing_to_prove() {
        assert!(Trial::new(0, 1, "old").is_none());
    }

    #[test]
    fn code_is_proven_by_so_many_messages() {
        let mut trial = trial(3);
        assert_eq!(
            [(); 3].map(|()| trial.handle_passed()),
            [Passed::AskState, Passed::AskState, Passed::Proven]
        );
    }

    #[test]
    fn what_new_code_has_handled_comes_back_with_the_old_code() {
        let mut trial = trial(3);
        assert_eq!(trial.unused(), Some(&1));
        trial.handle_passed();
        trial.handle_state(Snapshot::new(b"one message".to_vec(), 2, Digest::of(b"code")));
        assert_eq!(trial.unused(), None);
        let (before, way_back, _) = trial.handle_failed(Noticed::Nothing, true);
        // The old instance knows nothing of the message.
        let revived = match way_back {
            WayBack::State(state) => Some(state.state),
            WayBack::Instance(_) | WayBack::Afresh => None,
        };
        assert_eq!((before, revived), (1, Some(b"one message".to_vec())));
    }

    #[test]
    fn what_a_restart_has_given_up_does_not_come_back() {
        let mut trial = trial(3);
        trial.handle_restarted();
        assert_eq!(trial.unused(), None);
        let (before, way_back, failed) = trial.handle_failed(Noticed::Nothing, true);
        assert!(matches!(way_back, WayBack::Afresh));
        assert_eq!((before, failed), (1, Failed::Lose));
    }

    #[test]
    fn a_message_is_given_again_only_if_nobody_noticed_anything_and_it_can_be_copied() {
        for (noticed, has_copy, expected) in [
            (Noticed::Nothing, true, Failed::GiveAgain),
            (Noticed::Nothing, false, Failed::Lose),
            (Noticed::Something, true, Failed::Lose),
            (Noticed::Something, false, Failed::Lose),
        ] {
            let (_, way_back, failed) = trial(1).handle_failed(noticed, has_copy);
            assert_eq!(failed, expected, "{noticed:?}, {has_copy}");
            assert!(matches!(way_back, WayBack::Instance("old")));
        }
    }
}
