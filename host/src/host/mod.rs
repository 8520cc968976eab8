//! A whole node in one process: what `ractor-host run` starts, and what a program embeds.
//!
//! [`HostBuilder`] takes the native actors of a program; [`HostBuilder::start`] brings up what a [`NodeConfig`] asks
//! for, in this order: the engine and all modules, the listener, the supervisor, the actors in the order of the file,
//! the peers. [`RunningHost::shutdown`] takes it down the other way round.
//!
//! [`NodeConfig`]: crate::config::NodeConfig

mod actors;
mod admin;
mod apply;
#[cfg(test)]
mod batch_tests;
mod builder;
mod calls;
mod cluster;
mod cluster_links;
mod deliveries;
mod deployment_record;
mod deployments;
mod dial;
mod ended_links;
mod engine;
mod entities;
mod error;
mod exported_metrics;
mod figures;
mod folder_lock;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod given_up_tests;
mod groups;
mod kept_states;
mod keyed_calls;
mod lately;
mod leaving;
mod links;
#[cfg(unix)]
mod local_socket;
mod logs;
mod maintenance;
mod module_files;
mod modules;
mod names;
mod native;
mod node;
mod on_demand;
mod own_files;
mod ownership;
mod pool;
mod preflight;
mod reloader;
mod running;
mod service;
mod show;
mod signals;
mod spawning;
mod start;
mod state_dir;
mod steering;
mod stopping;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
mod told;
mod told_children;
mod traces;
mod tree;
mod upkeep;
mod user_dirs;

pub use builder::{Host, HostBuilder};
pub use error::{HostError, NativeError};
pub use pool::PoolTooSmall;
pub use running::{RunningHost, StartedActor, Stopped};
pub use signals::StopSignal;

pub(crate) use cluster::store as cluster_store;
pub(crate) use dial::Dial;
pub(crate) use engine::{cache_dir, engine_with_cache};
#[cfg(unix)]
pub(crate) use local_socket::places_to_ask as local_sockets;
#[cfg(unix)]
pub(crate) use signals::is_ignored;
pub(crate) use signals::survive_file_size_limit;
pub(crate) use state_dir::{check_folder as check_state_folder, folder_in_use as state_folder};

/// What the simulation of whole nodes runs.
#[cfg(test)]
pub(crate) mod sim {
    pub(crate) use super::stopping::{DRAIN, LAST_WRITES, StopStep, Stopping};
}
