//! What an actor may do with the interfaces that a program adds to its node.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What an actor's section says of one interface. `Debug` doesn't show it, because it may be secret.
#[derive(Clone)]
pub struct InterfaceConfig(Arc<dyn Any + Send + Sync>);

impl InterfaceConfig {
    pub(crate) fn new(config: impl Any + Send + Sync) -> Self {
        Self(Arc::new(config))
    }

    pub(crate) fn of<C: Any>(&self) -> Option<&C> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for InterfaceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterfaceConfig").finish_non_exhaustive()
    }
}

/// Equal if they are the same one: nothing else is known of what they say.
impl PartialEq for InterfaceConfig {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for InterfaceConfig {}
