//! Some connections, each with one statement at a time.
//!
//! A statement that isn't answered in time keeps its connection, and its place among them, until the answer comes or the connection ends: so
//! no more statements than connections are ever on their way to a server that hangs. It is not cancelled, because a
//! server that waits for its standby would take that as leave to confirm what the standby doesn't have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Row;

use super::pauses::Pauses;
use super::{Query, Session};
use crate::address::Address;
use crate::error::{Fault, StoreError};

/// A statement waits for a connection.
const WAITS: u8 = 0;
/// It is being sent, or was.
const IS_SENT: u8 = 1;
/// Whoever wanted it has given up, and it will not be sent.
const IS_GIVEN_UP: u8 = 2;

/// The time after which a connection without an answer is closed, in leases.
const HOPELESS: u32 = 6;

#[derive(Debug)]
struct Shared {
    address: Address,
    lease: Duration,
    idle: Mutex<Vec<Session>>,
    /// Of all pools of a store: they lead to the same server.
    pauses: Arc<Mutex<Pauses>>,
}

/// Connections to one server.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(address: &Address, lease: Duration, connections: usize, pauses: &Arc<Mutex<Pauses>>) -> Self {
        Self {
            shared: Arc::new(Shared {
                address: address.clone(),
                lease,
                idle: Mutex::default(),
                pauses: pauses.clone(),
            }),
            places: Arc::new(Semaphore::new(connections)),
        }
    }

    /// Sends a statement, and waits for its answer until then.
    pub(crate) async fn run(&self, query: Query, until: Instant) -> Result<Vec<Row>, Fault> {
        let limit = until.saturating_duration_since(Instant::now());
        let place = timeout_at(until, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(Fault::failed(StoreError::Busy));
        };
        let stage = Arc::new(AtomicU8::new(WAITS));
        let (tell, told) = oneshot::channel();
        let task = self.shared.clone().carry_out(query, place, stage.clone());
        // By itself: whoever waits may give up, and the connection must not be used for anything else then.
        tokio::spawn(async move {
            let result = task.await;
            // Whoever waited may have given up.
            tell.send(result).ok();
        });
        match timeout_at(until, told).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Fault::unknown(StoreError::Closed(
                "the task that waited has ended".to_owned(),
            ))),
            Err(_) => {
                let given_up = stage.compare_exchange(WAITS, IS_GIVEN_UP, Ordering::AcqRel, Ordering::Acquire);
                let late = StoreError::Timeout(limit);
                Err(if given_up.is_ok() {
                    Fault::failed(late)
                } else {
                    Fault::unknown(late)
                })
            }
        }
    }

    /// Forgets connections that wait for work, and the pause after those that failed: the next statement looks at the server again.
    pub(crate) fn begin_afresh(&self) {
        self.shared.idle.lock().clear();
        self.shared.pauses.lock().succeeded();
    }
}

impl Shared {
    async fn carry_out(
        self: Arc<Self>,
        query: Query,
        place: OwnedSemaphorePermit,
        stage: Arc<AtomicU8>,
    ) -> Result<Vec<Row>, Fault> {
        let session = self.session().await.map_err(Fault::failed)?;
        let sent = stage.compare_exchange(WAITS, IS_SENT, Ordering::AcqRel, Ordering::Acquire);
        if sent.is_err() {
            self.idle.lock().push(session);
            return Err(Fault::failed(StoreError::Busy));
        }
        let hopeless = self.lease * HOPELESS;
        let result = match timeout(hopeless, session.run(&query)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(Fault::of_sent(&error)),
            Err(_) => Err(Fault::unknown(StoreError::Timeout(hopeless))),
        };
        let is_good = match &result {
            Ok(_) => true,
            Err(fault) => {
                fault.fault == ractor_host_placement::statement::StoreFault::Failed && !fault.error.is_of_session()
            }
        };
        if is_good {
            self.idle.lock().push(session);
        }
        drop(place);
        result
    }

    async fn session(&self) -> Result<Session, StoreError> {
        loop {
            let Some(session) = self.idle.lock().pop() else { break };
            if !session.client.is_closed() {
                return Ok(session);
            }
        }
        if let Some((left, why)) = self.pauses.lock().left(Instant::now()) {
            return Err(StoreError::Paused { left, why });
        }
        let opened = self.open().await;
        let mut pauses = self.pauses.lock();
        match &opened {
            Ok(_) => pauses.succeeded(),
            Err(error) => pauses.failed(Instant::now(), error.to_string()),
        }
        opened
    }

    async fn open(&self) -> Result<Session, StoreError> {
        let session = Session::open(&self.address, self.lease).await?;
        let limit = self.lease / 3;
        let checked = timeout(limit, session.check()).await;
        checked.map_err(|_| StoreError::Timeout(limit))??;
        Ok(session)
    }
}
