//! What all guests of an engine share and may wait for, bounded by kind, for each family and for all: look-ups of names, and
//! threads for work with files.
//!
//! None of it takes the runtime's own threads for work that blocks: those are the host's, which reads components, keeps states and
//! looks up its peers there. So a server for names that never answers, or a file system that hangs, keeps the family
//! that asked waiting, and nobody else until so many families wait that the bound for all is reached.

mod lanes;
mod names;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;

use self::lanes::Lanes;
use self::names::Names;

pub(crate) use self::lanes::Lane;
pub(crate) use self::names::NoAddress;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    names: Names,
    lanes: Lanes,
}

/// The part of one family.
#[derive(Debug)]
pub(crate) struct PoolShare {
    pools: Arc<Pools>,
    names: Arc<Semaphore>,
    lanes: Arc<Semaphore>,
}

impl Pools {
    /// Pools of which that of names asks these servers, or those of the system if there are none.
    pub(crate) fn new(name_servers: Vec<SocketAddr>) -> Self {
        Self {
            names: Names::new(name_servers),
            lanes: Lanes::default(),
        }
    }
}

impl PoolShare {
    pub(super) fn of(pools: Arc<Pools>) -> Self {
        Self {
            pools,
            names: Arc::new(Semaphore::new(names::OF_A_FAMILY)),
            lanes: Arc::new(Semaphore::new(lanes::OF_A_FAMILY)),
        }
    }

    /// The addresses of a name, of which there is at least one.
    pub(crate) async fn look_up(&self, name: &str) -> Result<Vec<std::net::IpAddr>, NoAddress> {
        self.pools.names.look_up(&self.names, name).await
    }

    /// A thread for work with files, once there is one for this family.
    pub(crate) async fn lane(&self) -> std::io::Result<Lane> {
        self.pools.lanes.take(&self.lanes).await
    }

    /// The same, if there is one at once.
    pub(crate) fn lane_now(&self) -> Option<Lane> {
        self.pools.lanes.take_now(&self.lanes)
    }
}
