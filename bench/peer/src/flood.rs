//! More than the other node can take: casts to an actor that is slow, as fast as they can be sent.

use std::time::Instant;

use bench_load::{BURST, Report};

use crate::sink::RemoteSink;

/// Sends `count` casts of `size` bytes.
pub(crate) async fn send(sink: RemoteSink, size: usize, count: u64) -> anyhow::Result<Report> {
    let payload = vec![7; size];
    let started = Instant::now();
    for number in 1..=count {
        sink.slow(&payload)?;
        if number % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(Report {
        count,
        seconds: started.elapsed().as_secs_f64(),
        ..Report::default()
    })
}
