//! Asking nodes again and again.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::board::Wish;
use crate::cli::lasting::{Attempt, LastingNode};
use crate::cli::nodes::ControlledNode;
use crate::control::{ActorDetail, ActorRow, Answer, AskError, NodeFigures, Request};

/// The longest that one look at a node may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a look has brought.
pub(super) enum News {
    /// How the nodes are, in their order, or why that isn't known.
    Nodes(Vec<Result<SeenNode, String>>),
    /// Everything of one actor.
    Detail {
        node: usize,
        pid: u64,
        detail: Result<Box<ActorDetail>, String>,
    },
}

/// A node, as it is now.
pub(super) struct SeenNode {
    pub(super) figures: Box<NodeFigures>,
    pub(super) actors: Vec<ActorRow>,
}

/// Asks the nodes.
pub(super) struct Looker {
    nodes: Vec<LastingNode>,
    every: Duration,
    /// The actor that somebody looks at.
    detail: Option<(usize, u64)>,
}

impl Looker {
    pub(super) fn new(nodes: Vec<ControlledNode>, every: Duration, patience: Duration) -> Self {
        let patience = patience.min(PATIENCE);
        let nodes = nodes.into_iter().map(|node| LastingNode::for_ever(node, patience));
        Self {
            nodes: nodes.collect(),
            // Nobody sees more, and the nodes have other things to do.
            every: every.max(Duration::from_millis(100)),
            detail: None,
        }
    }

    /// Looks until nobody wants to know.
    pub(super) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>, tell: mpsc::Sender<News>) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut is_tick = false;
            tokio::select! {
                _ = ticks.tick() => is_tick = true,
                wish = wishes.recv() => match wish {
                    Some(Wish::Detail(node, pid)) => self.detail = Some((node, pid)),
                    Some(Wish::NoDetail) => self.detail = None,
                    Some(Wish::Quit) | None => return,
                },
            }
            if is_tick && tell.send(News::Nodes(self.look().await)).await.is_err() {
                return;
            }
            if let Some((node, pid)) = self.detail {
                let detail = self.look_at(node, pid).await;
                if tell.send(News::Detail { node, pid, detail }).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn look(&mut self) -> Vec<Result<SeenNode, String>> {
        let looks = self.nodes.iter_mut().map(async |node| told(node, look).await);
        join_all(looks).await
    }

    async fn look_at(&mut self, node: usize, pid: u64) -> Result<Box<ActorDetail>, String> {
        let node = self
            .nodes
            .get_mut(node)
            .ok_or_else(|| "there is no such node".to_owned())?;
        let target = format!("pid:{pid}");
        let detail = told(node, async |node| match node.try_ask(&Request::Show { target }).await {
            Ok(Answer::Show { actor }) => Ok(Ok(actor)),
            Ok(_) => anyhow::bail!("{} did not say anything of it", node.name),
            // An actor that has ended is no reason to connect anew.
            Err(AskError::Failed(reason)) => Ok(Err(reason)),
            Err(error) => anyhow::bail!("{}: {error}", node.name),
        });
        detail.await?
    }
}

/// What a node answers, or why it doesn't.
async fn told<T>(
    node: &mut LastingNode,
    ask: impl AsyncFnOnce(&mut ControlledNode) -> anyhow::Result<T>,
) -> Result<T, String> {
    match node.attempt(async |node, _| ask(node).await).await {
        Ok(Attempt::Answered(answer)) => Ok(answer),
        Ok(Attempt::Lost { reason, .. }) => Err(format!("{reason}; trying again")),
        Err(error) => Err(format!("{error:#}")),
    }
}

async fn look(node: &mut ControlledNode) -> anyhow::Result<SeenNode> {
    let Answer::Figures { figures } = node.ask(&Request::Figures).await? else {
        anyhow::bail!("{} did not say how it is", node.name);
    };
    let Answer::Actors { actors, .. } = node.ask(&Request::Actors).await? else {
        anyhow::bail!("{} did not say which actors it has", node.name);
    };
    Ok(SeenNode { figures, actors })
}
