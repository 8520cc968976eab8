//! What the node says of itself, as a Prometheus server reads it.

use std::net::SocketAddr;

use anyhow::Context as _;
use bench_load::scrape;

/// All metrics, as text.
#[derive(Debug)]
pub(crate) struct Metrics(String);

impl Metrics {
    /// Reads them.
    ///
    /// # Errors
    /// The node doesn't answer.
    pub(crate) async fn read(admin: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self(scrape(admin).await?))
    }

    /// The value of a metric, with its labels.
    ///
    /// # Errors
    /// There is none of this name.
    pub(crate) fn value(&self, name: &str) -> anyhow::Result<f64> {
        let mut values = self.0.lines().filter_map(|line| line.strip_prefix(name));
        let value = values.find_map(|rest| rest.strip_prefix(' '));
        let value = value.with_context(|| format!("no metric `{name}`"))?;
        value.trim().parse().with_context(|| format!("{name} is {value}"))
    }
}
