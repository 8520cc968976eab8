//! What the programs of the benchmark have in common: the loads, how they are measured, and the lines by which
//! `cargo xtask bench` drives them. It knows neither ractor nor any cluster, so all systems are measured by the same code.

mod control;
mod loads;
mod report;
mod scrape;
mod usage;

use std::time::Duration;

use tokio::sync::oneshot;

pub use control::{Node, number, say, serve, word};
pub use report::Report;
pub use scrape::scrape;
pub use usage::{Usage, proportional_kib, resident_kib};

/// The number of messages that are sent before the sender lets others run, as an actor does between two messages.
pub const BURST: u64 = 32;

/// The far end of a link, as the sender sees it: an actor that counts casts and echoes calls.
pub trait Target: Clone + Send + Sync + 'static {
    /// Sends a message that gets no answer.
    ///
    /// # Errors
    /// It can't be sent.
    fn cast(&self, payload: &[u8]) -> anyhow::Result<()>;

    /// Asks how many casts have arrived. The question is sent now, behind what was sent before.
    ///
    /// # Errors
    /// It can't be sent.
    fn count(&self) -> anyhow::Result<oneshot::Receiver<u64>>;

    /// Sends a message, and waits until it comes back.
    ///
    /// # Errors
    /// It can't be sent, or there is no answer within `timeout`.
    fn echo(&self, payload: &[u8], timeout: Option<Duration>) -> impl Future<Output = anyhow::Result<()>> + Send;
}
