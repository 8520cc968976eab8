//! The loads. Each runs for a given time against one target and checks that nothing was lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::report::Report;
use crate::usage::cpu_seconds;
use crate::{BURST, Target};

/// The number of windows of casts that may be under way besides the one that is being sent.
const WINDOWS: usize = 2;
/// What a call carries.
const CALL_BYTES: usize = 16;
/// The interval at which casts at a given rate are sent.
const TICK: Duration = Duration::from_millis(1);

/// Casts of `size` bytes. After each `window` of them the receiver is asked how many came, and the sender goes on as
/// long as it isn't more than [`WINDOWS`] ahead of the answers: no queue grows without bound, and none runs dry.
pub(crate) async fn casts<T: Target>(
    target: T,
    size: usize,
    window: u64,
    duration: Duration,
) -> anyhow::Result<Report> {
    let payload = vec![7; size];
    let before = count(&target).await?;
    let mut windows: VecDeque<oneshot::Receiver<u64>> = VecDeque::new();
    let mut sent = 0;
    let (started, cpu) = (Instant::now(), cpu_seconds());
    while started.elapsed() < duration {
        burst(&target, &payload, window).await?;
        sent += window;
        windows.push_back(target.count()?);
        if windows.len() > WINDOWS
            && let Some(oldest) = windows.pop_front()
        {
            oldest.await.context("a count got no answer")?;
        }
    }
    let mut counted = before;
    for window in windows {
        counted = window.await.context("a count got no answer")?;
    }
    let report = Report {
        count: sent,
        seconds: started.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu,
        ..Report::default()
    };
    ensure!(
        counted - before == sent,
        "{sent} casts were sent, {} came",
        counted - before
    );
    Ok(report)
}

/// Sends `count` casts, and lets other tasks run in between.
async fn burst<T: Target>(target: &T, payload: &[u8], count: u64) -> anyhow::Result<()> {
    for number in 1..=count {
        target.cast(payload)?;
        if number % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

async fn count<T: Target>(target: &T) -> anyhow::Result<u64> {
    target.count()?.await.context("a count got no answer")
}

/// `in_flight` tasks, each of which calls again when it has its answer.
pub(crate) async fn calls<T: Target>(
    target: T,
    in_flight: usize,
    timeout: Option<Duration>,
    duration: Duration,
) -> anyhow::Result<Report> {
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        callers.spawn(caller(target.clone(), timeout, started + duration));
    }
    let mut latencies = Vec::new();
    while let Some(caller) = callers.join_next().await {
        latencies.append(&mut caller??);
    }
    let report = Report {
        count: latencies.len() as u64,
        seconds: started.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu,
        ..Report::default()
    };
    Ok(report.with_latencies(latencies))
}

/// Calls until `end`, one call after the other.
async fn caller<T: Target>(target: T, timeout: Option<Duration>, end: Instant) -> anyhow::Result<Vec<Duration>> {
    let payload = [7; CALL_BYTES];
    let mut latencies = Vec::new();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok(latencies);
        }
        target.echo(&payload, timeout).await?;
        latencies.push(asked.elapsed());
    }
}

/// One call after the other to `callee`, while casts of 16 bytes flow to `target` at `rate` a second.
pub(crate) async fn mixed<T: Target>(target: T, callee: T, rate: u64, duration: Duration) -> anyhow::Result<Report> {
    let before = count(&target).await?;
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let flow = tokio::spawn(flow(target.clone(), rate, started, duration));
    let latencies = tokio::spawn(caller(callee, None, started + duration)).await??;
    let sent = flow.await??;
    let came = count(&target).await? - before;
    ensure!(came == sent, "{sent} casts were sent, {came} came");
    let report = Report {
        count: latencies.len() as u64,
        seconds: started.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu,
        casts: Some(sent),
        ..Report::default()
    };
    Ok(report.with_latencies(latencies))
}

/// Sends casts at a steady rate, in the steps that a timer allows.
async fn flow<T: Target>(target: T, rate: u64, started: Instant, duration: Duration) -> anyhow::Result<u64> {
    let payload = [7; CALL_BYTES];
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut sent = 0;
    while started.elapsed() < duration {
        ticks.tick().await;
        let due = u128::from(rate) * started.elapsed().as_nanos() / 1_000_000_000;
        let due = u64::try_from(due)?.saturating_sub(sent);
        burst(&target, &payload, due).await?;
        sent += due;
    }
    Ok(sent)
}
