//! What an instance has of interfaces that keep something for it, each found by a type.

use std::any::{Any, TypeId};

/// What an instance has of one interface.
pub(crate) struct Opened {
    interface: TypeId,
    state: Box<dyn Any + Send>,
}

impl Opened {
    /// This, of interface `I`.
    pub(super) fn of<I: 'static>(state: impl Any + Send) -> Self {
        Self {
            interface: TypeId::of::<I>(),
            state: Box::new(state),
        }
    }
}

/// What an instance has of all of them. They are few, and looked through.
#[derive(Default)]
pub(super) struct InterfaceStates(Vec<Opened>);

impl InterfaceStates {
    /// Keeps this, as the only one of its interface.
    pub(super) fn put(&mut self, opened: Opened) {
        self.0.retain(|other| other.interface != opened.interface);
        self.0.push(opened);
    }

    /// What there is of interface `I`.
    pub(super) fn of<I: 'static, S: Any>(&mut self) -> Option<&mut S> {
        let wanted = TypeId::of::<I>();
        let found = self.0.iter_mut().find(|opened| opened.interface == wanted);
        found.and_then(|opened| opened.state.downcast_mut())
    }

    /// The same, to look at.
    pub(super) fn peek<I: 'static, S: Any>(&self) -> Option<&S> {
        let wanted = TypeId::of::<I>();
        let found = self.0.iter().find(|opened| opened.interface == wanted);
        found.and_then(|opened| opened.state.downcast_ref())
    }
}
