//! Asking a node for as long as somebody wants to know. A node that restarts, or to which the connection drops, is connected to anew,
//! with pauses that grow.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::time::Instant;

use super::nodes::ControlledNode;
use super::output;
use super::timeout::parse_patience;
use crate::control::{Answer, Request};

/// The pause before the first attempt to win a node back. Each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What becomes of a command that goes on and on when a node is gone.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct PatienceArguments {
    /// If a node is gone, such as for a restart, how long to try to connect to it again: 30s, 10m. With 0s, not at all.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_patience)]
    pub(super) retry_for: Duration,
}

/// What somebody who asks again and again has to know of the node's past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It is the process that answered before.
    Same,
    /// It has been started since it answered last, and numbers everything from the beginning.
    New,
}

/// What came of one attempt to ask.
pub(super) enum Attempt<T> {
    Answered(T),
    /// It is lost for now, for this reason. Before this time it isn't asked again.
    Lost {
        reason: String,
        until: Instant,
    },
}

/// A node that is asked again and again.
pub(super) struct LastingNode {
    node: ControlledNode,
    /// The time that each answer has.
    timeout: Duration,
    /// The time for which it is sought when it is lost: none for as long as it takes.
    patience: Option<Duration>,
    /// When it answered last, or was connected to.
    heard: Instant,
    has_answered: bool,
    loss: Option<Loss>,
    is_silent: bool,
}

/// A node has answered, and does so no more.
struct Loss {
    since: Instant,
    reason: String,
    /// When it is asked next, and the pause after that.
    next: Instant,
    pause: Duration,
}

impl LastingNode {
    /// A node that is sought for this long when it is lost. On stderr it is said that it is lost, and that it is back.
    pub(super) fn new(node: ControlledNode, timeout: Duration, patience: Duration) -> Self {
        Self {
            node,
            timeout,
            patience: Some(patience),
            heard: Instant::now(),
            has_answered: false,
            loss: None,
            is_silent: false,
        }
    }

    /// A node that is sought for as long as it takes, without a word: for a caller that shows what has become of it.
    pub(super) fn for_ever(node: ControlledNode, timeout: Duration) -> Self {
        Self {
            patience: None,
            is_silent: true,
            ..Self::new(node, timeout, Duration::ZERO)
        }
    }

    /// Tells the node something, whatever it was asked before and whether or not it has answered that.
    ///
    /// # Errors
    /// It can't be reached, or refuses.
    pub(super) async fn tell(&mut self, request: &Request) -> anyhow::Result<Answer> {
        self.node.renew_deadline(self.timeout);
        // An answer that nobody waits for any more may be on its way over the connection that there is.
        self.node.reconnect().await?;
        self.node.ask(request).await
    }

    pub(super) fn name(&self) -> &str {
        &self.node.name
    }

    /// Asks once, if it is time to.
    ///
    /// # Errors
    /// It has never answered, and asking again wouldn't help, or it has been lost for too long.
    pub(super) async fn attempt<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut ControlledNode, Life) -> anyhow::Result<T>,
    ) -> anyhow::Result<Attempt<T>> {
        if let Some(Loss { next, reason, .. }) = &self.loss
            && Instant::now() < *next
        {
            return Ok(Attempt::Lost {
                reason: reason.clone(),
                until: *next,
            });
        }
        match self.ask(ask).await {
            Ok(answer) => {
                self.heard = Instant::now();
                self.has_answered = true;
                if self.loss.take().is_some() && !self.is_silent {
                    output::note(format_args!("{} is back", self.node.name));
                }
                Ok(Attempt::Answered(answer))
            }
            Err(error) => self.lose(error),
        }
    }

    async fn ask<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut ControlledNode, Life) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        // Somebody may look for days; it is each answer that has its time.
        self.node.renew_deadline(self.timeout);
        let life = if self.loss.is_some() {
            self.node.reconnect().await?;
            self.life().await?
        } else {
            Life::Same
        };
        ask(&mut self.node, life).await
    }

    /// A node that is younger than its last answer has begun a new life since. No clock of another machine is needed for that.
    async fn life(&mut self) -> anyhow::Result<Life> {
        let Answer::Figures { figures } = self.node.ask(&Request::Figures).await? else {
            anyhow::bail!("{} did not say how long it has been running", self.node.name);
        };
        let age = Duration::from_millis(figures.uptime_ms);
        Ok(if age < self.heard.elapsed() {
            Life::New
        } else {
            Life::Same
        })
    }

    /// It did not answer. The first error of all is final: a wrong key or name doesn't mend itself.
    fn lose<T>(&mut self, error: anyhow::Error) -> anyhow::Result<Attempt<T>> {
        let is_final = self.patience.is_some() && !self.has_answered;
        if is_final || self.patience == Some(Duration::ZERO) {
            return Err(error);
        }
        let now = Instant::now();
        let (since, pause) = match &self.loss {
            Some(loss) => (loss.since, loss.pause),
            None => {
                self.say_lost(&error);
                (now, FIRST_PAUSE)
            }
        };
        if let Some(patience) = self.patience
            && now.duration_since(since) >= patience
        {
            let name = &self.node.name;
            return Err(error).with_context(|| format!("{name} did not come back within {patience:?}"));
        }
        // The last attempt is at the end of the patience, and not before it.
        let end = self.patience.map(|patience| since + patience);
        let until = end.map_or(now + pause, |end| end.min(now + pause));
        let reason = format!("{error:#}");
        self.loss = Some(Loss {
            since,
            reason: reason.clone(),
            next: until,
            pause: (pause * 2).min(LONGEST_PAUSE),
        });
        Ok(Attempt::Lost { reason, until })
    }

    fn say_lost(&self, error: &anyhow::Error) {
        if let (false, Some(patience)) = (self.is_silent, self.patience) {
            output::note(format_args!("{error:#}; trying again for {patience:?} (`--retry-for`)"));
        }
    }
}
