//! Customers: connections to the gateway, each of which sends an order when the one before is answered.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::orders;
use crate::process;

/// The number of connections.
const CONNECTIONS: usize = 8;
/// The pause of a connection after an answer, when orders come slowly: so that they last until Python is built on a busy machine.
const SLOW: Duration = Duration::from_secs(1);
/// The pause of a connection that may send no more for now.
const IDLE: Duration = Duration::from_millis(5);
/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest time for all orders that may be sent.
const ALL_ANSWERED: Duration = Duration::from_secs(300);

/// Orders that are being sent.
pub(super) struct Traffic {
    shared: Arc<Shared>,
    connections: Vec<JoinHandle<Result<()>>>,
}

struct Shared {
    /// The next order.
    next: AtomicUsize,
    /// No order from here on is sent for now.
    limit: AtomicUsize,
    /// Whether connections pause between orders.
    is_slow: AtomicBool,
    /// Nothing more is sent.
    is_over: AtomicBool,
    /// Each order with its answer.
    answers: Mutex<Vec<(usize, String)>>,
}

impl Traffic {
    /// Opens the connections, which send nothing yet.
    pub(super) fn open(address: &str) -> Result<Self> {
        let shared = Arc::new(Shared {
            next: AtomicUsize::new(0),
            limit: AtomicUsize::new(0),
            is_slow: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            answers: Mutex::default(),
        });
        let connections = (0..CONNECTIONS).map(|_| {
            let mut connection = Connection::open(address)?;
            let shared = Arc::clone(&shared);
            Ok(thread::spawn(move || shared.serve(&mut connection)))
        });
        Ok(Self {
            connections: connections.collect::<Result<_>>()?,
            shared,
        })
    }

    /// Lets the orders before `limit` be sent as fast as they are answered, and waits for all answers.
    pub(super) fn send_until(&self, limit: usize) -> Result<()> {
        self.shared.is_slow.store(false, Ordering::SeqCst);
        self.shared.limit.store(limit, Ordering::SeqCst);
        process::poll(ALL_ANSWERED, || {
            if self.connections.iter().any(JoinHandle::is_finished) {
                bail!("a connection to the gateway ended");
            }
            Ok((self.answered() == limit).then_some(()))
        })
        .with_context(|| format!("{} of {limit} orders were answered", self.answered()))
    }

    /// Lets the orders before `limit` be sent one now and then.
    pub(super) fn send_slowly_until(&self, limit: usize) {
        self.shared.is_slow.store(true, Ordering::SeqCst);
        self.shared.limit.store(limit, Ordering::SeqCst);
    }

    /// The number of orders that were answered.
    pub(super) fn answered(&self) -> usize {
        self.shared.answers().len()
    }

    /// Closes the connections. Gives each order with its answer.
    pub(super) fn close(mut self) -> Result<Vec<(usize, String)>> {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for connection in self.connections.drain(..) {
            connection
                .join()
                .map_err(|_| anyhow!("a thread with a connection panicked"))??;
        }
        Ok(std::mem::take(&mut *self.shared.answers()))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<(usize, String)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, connection: &mut Connection) -> Result<()> {
        while !self.is_over.load(Ordering::SeqCst) {
            let Some(number) = self.take() else {
                thread::sleep(IDLE);
                continue;
            };
            let answer = connection.order(&orders::line(number))?;
            self.answers().push((number, answer));
            if self.is_slow.load(Ordering::SeqCst) {
                thread::sleep(SLOW);
            }
        }
        Ok(())
    }

    /// The next order, if it may be sent.
    fn take(&self) -> Option<usize> {
        let limit = self.limit.load(Ordering::SeqCst);
        let next = |next| (next < limit).then_some(next + 1);
        self.next.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).ok()
    }
}

/// A connection to the gateway.
pub(super) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(super) fn open(address: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(address).with_context(|| format!("cannot connect to the gateway at {address}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends an order, and gives the answer.
    pub(super) fn order(&mut self, line: &str) -> Result<String> {
        let mut answer = String::new();
        self.0.get_mut().write_all(format!("{line}\n").as_bytes())?;
        self.0
            .read_line(&mut answer)
            .with_context(|| format!("no answer to the order `{line}`"))?;
        if !answer.ends_with('\n') {
            bail!("the gateway closed the connection instead of an answer to `{line}`");
        }
        Ok(answer.trim_end().to_owned())
    }
}
