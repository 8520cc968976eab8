//! What `logs`, `events` and `trace` share: nodes are asked for one page after the other, each at its own pace.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::sleep_until;

use super::lasting::{Attempt, LastingNode, Life};
use super::nodes::ControlledNode;
use super::output;
use crate::control::{Answer, Request};

/// What a node is asked for, page by page.
pub(super) trait Pages {
    /// The request for the next page. If there is nothing on it yet, the node may wait for this long, in milliseconds.
    fn request(&mut self, wait_ms: u64) -> Request;

    /// Shows a page.
    fn show(&mut self, node: &str, page: Answer) -> anyhow::Result<Page>;

    /// The node has begun a new life: from here on, everything in it is wanted.
    fn begin_anew(&mut self);
}

/// What comes after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// There is more already.
    More,
    /// That is all there is at present.
    Whole,
    /// There will be no more.
    Last,
    /// Nobody reads them.
    Unread,
}

/// How long pages are asked for.
pub(super) struct Following {
    /// Whether to go on with the pages to come.
    pub(super) goes_on: bool,
    /// The longest that a node waits for something to show.
    pub(super) turn: Duration,
    /// The time that each answer has.
    pub(super) timeout: Duration,
    /// How long a node that is lost is sought.
    pub(super) patience: Duration,
}

/// Why nothing more is shown of any node.
enum End {
    Unread,
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Shows what there is, node by node, and then what comes. The exit code says whether no node was lost for good.
pub(super) async fn follow<P: Pages>(
    readers: Vec<(ControlledNode, P)>,
    following: &Following,
) -> anyhow::Result<ExitCode> {
    match follow_all(readers, following).await {
        Ok(true) | Err(End::Unread) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(End::Failed(error)) => Err(error),
    }
}

/// True if every node has shown all that it has.
async fn follow_all<P: Pages>(nodes: Vec<(ControlledNode, P)>, following: &Following) -> Result<bool, End> {
    let mut readers = Vec::new();
    for (node, mut pages) in nodes {
        let mut node = LastingNode::new(node, following.timeout, following.patience);
        let page = show_all(&mut node, &mut pages).await?;
        if following.goes_on && page != Page::Last {
            readers.push((node, pages));
        }
    }
    // All at the same time: a node on which nothing happens, or which is gone, keeps no other waiting.
    let all = readers.into_iter().map(async |(mut node, mut pages)| {
        match go_on(&mut node, &mut pages, following.turn).await {
            // The others go on.
            Err(End::Failed(error)) => {
                output::say("error", &format!("{error:#}"));
                Ok(false)
            }
            Err(End::Unread) => Err(End::Unread),
            Ok(()) => Ok(true),
        }
    });
    Ok(try_join_all(all).await?.into_iter().all(|is_well| is_well))
}

/// What there is now.
async fn show_all(node: &mut LastingNode, pages: &mut impl Pages) -> Result<Page, End> {
    loop {
        match next(node, pages, Duration::ZERO).await? {
            Page::More => {}
            Page::Unread => return Err(End::Unread),
            page => return Ok(page),
        }
    }
}

/// What comes.
async fn go_on(node: &mut LastingNode, pages: &mut impl Pages, turn: Duration) -> Result<(), End> {
    let mut wait = turn;
    loop {
        wait = match next(node, pages, wait).await? {
            Page::More => Duration::ZERO,
            Page::Whole => turn,
            Page::Last => return Ok(()),
            Page::Unread => return Err(End::Unread),
        };
    }
}

/// The next page, however often it has to be asked for.
async fn next(node: &mut LastingNode, pages: &mut impl Pages, wait: Duration) -> Result<Page, End> {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    loop {
        let attempt = node.attempt(async |node, life| {
            if life == Life::New {
                pages.begin_anew();
            }
            node.ask(&pages.request(wait_ms)).await
        });
        match attempt.await? {
            Attempt::Answered(page) => return Ok(pages.show(node.name(), page)?),
            Attempt::Lost { until, .. } => sleep_until(until).await,
        }
    }
}
