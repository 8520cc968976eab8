//! The names of a configuration's actors.

use crate::config::NodeConfig;
use crate::guest::ReservedNames;

/// The names that a guest could otherwise take while their actors are started again.
pub(super) fn reserved(config: &NodeConfig) -> ReservedNames {
    reserved_by(&[config])
}

/// The same while a node goes from one configuration to another: those of both.
pub(super) fn reserved_by(configs: &[&NodeConfig]) -> ReservedNames {
    let mut names = ReservedNames::default();
    for actor in configs.iter().flat_map(|config| &config.actors) {
        names.add(&actor.name, actor.count);
    }
    names
}
