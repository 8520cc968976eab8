//! The metrics of a node: which there are, and bringing those up to date that are read and not counted.
//!
//! What happens seldom is counted where it happens, through the `metrics` facade. Everything else is kept as plain numbers by whoever
//! has them, and read when somebody looks: [`Collector::collect`] is called before an exporter renders. What the facade has no words
//! for (histograms that were filled elsewhere, counters of seconds) comes as text of its own, [`Scrape::text`], to be appended to what
//! the exporter renders: it is the same in the Prometheus format and in OpenMetrics, where it goes before the closing `# EOF`.
//!
//! [`METRICS`] has all of them; docs/metrics.md is made from it. Labels are bounded: names of `[[actors]]`, of modules and of nodes,
//! and words of the code. A name that a guest makes up is in none.

mod collect;
mod openmetrics;
mod page;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use collect::{Collector, Scrape};
pub(crate) use page::{Exposition, MetricsPage, Upkeep};
pub use table::{Kind, METRICS, Metric, Source, Unit, describe_all};
