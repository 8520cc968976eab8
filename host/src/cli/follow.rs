//! What `logs`, `events` and `trace` share: nodes are asked for one page after the other, each at its own pace.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::{join_all, pending, try_join_all};
use tokio::time::{sleep_until, timeout};

use super::arguments::ControlArguments;
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

    /// What the node is to be told if no further page is wanted before the last one. None where it makes no difference to the node.
    fn farewell(&self) -> Option<Request> {
        None
    }
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

/// The longest that a node waits for something to show.
const TURN: Duration = Duration::from_secs(20);

/// The longest that nodes have to be told that no further page is wanted.
const FAREWELL: Duration = Duration::from_secs(2);

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

impl Following {
    /// As the arguments of a command say.
    pub(super) fn new(goes_on: bool, control: &ControlArguments, patience: Duration) -> Self {
        Self {
            goes_on,
            turn: TURN,
            timeout: control.timeout,
            patience,
        }
    }
}

/// Why nothing more is shown of any node.
enum End {
    Unread,
    /// By the signal of this number.
    Signalled(u8),
    Failed(anyhow::Error),
}

/// A node whose pages are shown.
struct Reader<P> {
    node: LastingNode,
    pages: P,
    /// What came of it last.
    page: Page,
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Shows what there is, node by node, and then what comes. The exit code says whether no node was lost for good.
pub(super) async fn follow<P: Pages>(
    nodes: Vec<(ControlledNode, P)>,
    following: &Following,
) -> anyhow::Result<ExitCode> {
    follow_until(nodes, following, pending()).await
}

/// The same until a signal comes, whose number this gives. Nodes that have more to show are told that it isn't wanted.
pub(super) async fn follow_until<P: Pages>(
    nodes: Vec<(ControlledNode, P)>,
    following: &Following,
    signal: impl Future<Output = u8>,
) -> anyhow::Result<ExitCode> {
    let readers = nodes.into_iter().map(|(node, pages)| Reader {
        node: LastingNode::new(node, following.timeout, following.patience),
        pages,
        page: Page::More,
    });
    let mut readers: Vec<_> = readers.collect();
    let outcome = tokio::select! {
        outcome = follow_all(&mut readers, following) => outcome,
        number = signal => Err(End::Signalled(number)),
    };
    // What came before it is shown, and what comes of it is for nobody.
    drop(timeout(FAREWELL, join_all(readers.iter_mut().map(leave))).await);
    match outcome {
        Ok(true) | Err(End::Unread) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(End::Signalled(number)) => Ok(ExitCode::from(128 + number)),
        Err(End::Failed(error)) => Err(error),
    }
}

/// True if every node has shown all that it has.
async fn follow_all<P: Pages>(readers: &mut [Reader<P>], following: &Following) -> Result<bool, End> {
    for reader in &mut *readers {
        show_all(reader).await?;
    }
    let going_on = readers
        .iter_mut()
        .filter(|reader| following.goes_on && reader.page != Page::Last);
    // All at the same time: a node on which nothing happens, or which is gone, keeps no other waiting.
    let all = going_on.map(async |reader| {
        match go_on(reader, following.turn).await {
            // The others go on.
            Err(End::Failed(error)) => {
                output::say("error", &format!("{error:#}"));
                Ok(false)
            }
            Err(end) => Err(end),
            Ok(()) => Ok(true),
        }
    });
    Ok(try_join_all(all).await?.into_iter().all(|is_well| is_well))
}

/// Tells a node that no further page is wanted. One that doesn't hear it finds out by itself.
async fn leave<P: Pages>(reader: &mut Reader<P>) {
    if let Some(farewell) = reader.pages.farewell().filter(|_| reader.page != Page::Last) {
        drop(reader.node.tell(&farewell).await);
    }
}

/// What there is now.
async fn show_all<P: Pages>(reader: &mut Reader<P>) -> Result<(), End> {
    loop {
        match next(reader, Duration::ZERO).await? {
            Page::More => {}
            Page::Unread => return Err(End::Unread),
            Page::Whole | Page::Last => return Ok(()),
        }
    }
}

/// What comes.
async fn go_on<P: Pages>(reader: &mut Reader<P>, turn: Duration) -> Result<(), End> {
    let mut wait = turn;
    loop {
        wait = match next(reader, wait).await? {
            Page::More => Duration::ZERO,
            Page::Whole => turn,
            Page::Last => return Ok(()),
            Page::Unread => return Err(End::Unread),
        };
    }
}

/// The next page, however often it has to be asked for.
async fn next<P: Pages>(reader: &mut Reader<P>, wait: Duration) -> Result<Page, End> {
    let Reader { node, pages, page } = reader;
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    loop {
        let attempt = node.attempt(async |node, life| {
            if life == Life::New {
                pages.begin_anew();
            }
            node.ask(&pages.request(wait_ms)).await
        });
        // One that is gone can't be told anything.
        let attempt = attempt.await.inspect_err(|_| *page = Page::Last);
        match attempt? {
            Attempt::Answered(answer) => {
                *page = pages.show(node.name(), answer)?;
                return Ok(*page);
            }
            Attempt::Lost { until, .. } => sleep_until(until).await,
        }
    }
}
