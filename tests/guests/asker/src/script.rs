//! What a script does, step by step.

use std::cell::RefCell;

use crate::bindings::imported::requests::{self, CallError, Mailbox};
use crate::bindings::imported::types::Pid;
use crate::bindings::imported::{identity, lifecycle, logging, messaging, timers};
use crate::executor::{Outcome, first_of, news, woken};

thread_local! {
    /// What was noted outside of calls, and by all handlers.
    pub(crate) static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes this for whoever asks.
pub(crate) fn log(text: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(text.into()));
}

/// The mailbox that a script wants while it isn't done: it begins with `open;` if others may be handled meanwhile.
pub(crate) fn mailbox(script: &str) -> Mailbox {
    if script.starts_with("open;") {
        Mailbox::Open
    } else {
        Mailbox::Held
    }
}

/// Runs a script, and answers this call at its end with what it noted.
pub(crate) async fn run(script: String, reply_to: Option<u64>) -> Result<(), String> {
    let mut notes = Notes::default();
    for step in script.split(';') {
        let words: Vec<&str> = step.split_whitespace().collect();
        notes.step(&words).await?;
    }
    if let Some(reply_to) = reply_to {
        _ = messaging::reply(reply_to, notes.taken.join(",").as_bytes());
    }
    Ok(())
}

#[derive(Default)]
struct Notes {
    taken: Vec<String>,
    asked: Vec<u64>,
}

impl Notes {
    async fn step(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["ask", to, variant, rest @ ..] => self.ask(to, variant, rest),
            ["asks", number, to, variant, rest @ ..] => {
                for _ in 0..number.parse().map_err(|_| "no number")? {
                    self.ask(to, variant, rest);
                }
            }
            // One after the other, each waited for before the next.
            ["asks-in-turn", number, to, variant, rest @ ..] => {
                for _ in 0..number.parse().map_err(|_| "no number")? {
                    self.ask(to, variant, rest);
                    _ = first_of(&mut self.asked).await;
                }
            }
            ["calls-in-turn", number, to, variant, rest @ ..] => {
                let (args, timeout) = arguments(rest);
                for _ in 0..number.parse().map_err(|_| "no number")? {
                    _ = requests::call(pid(to), variant, &args, timeout);
                }
            }
            ["call", to, variant, rest @ ..] => {
                let (args, timeout) = arguments(rest);
                let outcome = requests::call(pid(to), variant, &args, timeout);
                self.note(&outcome);
            }
            // The oldest.
            ["await"] => {
                let oldest = self.asked.remove(0);
                let outcome = first_of(&mut vec![oldest]).await;
                self.note(&outcome);
            }
            // Whichever comes first.
            ["any"] => {
                let outcome = first_of(&mut self.asked).await;
                self.note(&outcome);
            }
            ["count"] => {
                let mut replies = 0;
                while !self.asked.is_empty() {
                    replies += u64::from(first_of(&mut self.asked).await.is_ok());
                }
                self.taken.push(replies.to_string());
            }
            ["cancel"] => {
                let cancelled = requests::cancel(self.asked.remove(0));
                self.taken.push(cancelled.to_string());
            }
            ["sleep", delay] => match timers::wake_after(delay.parse().map_err(|_| "no number")?) {
                Ok(timer) => woken(timer).await,
                Err(error) => self.taken.push(format!("{error:?}")),
            },
            ["wake", delay] => {
                let timer = timers::wake_after(delay.parse().map_err(|_| "no number")?);
                self.taken.push(format!("{}", timer.is_ok()));
            }
            ["news"] => {
                let event = news().await;
                self.taken.push(event);
            }
            ["monitor", actor] => _ = lifecycle::monitor(pid(actor)),
            ["log", text] => log(*text),
            ["note", text] => self.taken.push((*text).to_owned()),
            ["print", text] => logging::log(logging::Level::Info, "asker", text, &[]),
            ["pending"] => requests::pending(Mailbox::Held),
            ["stop"] => lifecycle::stop(None),
            ["fail", text] => return Err((*text).to_owned()),
            ["for-ever"] => std::future::pending().await,
            _ => {}
        }
        Ok(())
    }

    fn ask(&mut self, to: &str, variant: &str, rest: &[&str]) {
        let (args, timeout) = arguments(rest);
        match requests::ask(pid(to), variant, &args, timeout) {
            Ok(token) => self.asked.push(token),
            Err(error) => self.taken.push(shown(&error)),
        }
    }

    fn note(&mut self, outcome: &Outcome) {
        self.taken.push(match outcome {
            Ok(reply) => String::from_utf8_lossy(reply).into_owned(),
            Err(error) => shown(error),
        });
    }
}

fn shown(error: &CallError) -> String {
    match error {
        CallError::Failed(reason) => format!("failed: {reason}"),
        CallError::TooMany => "too-many".to_owned(),
        CallError::UnknownActor => "unknown-actor".to_owned(),
        CallError::NoReply => "no-reply".to_owned(),
        CallError::WouldDeadlock => "would-deadlock".to_owned(),
        other => format!("{other:?}")
            .rsplit("::")
            .next()
            .unwrap_or_default()
            .to_lowercase(),
    }
}

/// The arguments, with `_` for spaces, `+` for what separates steps and `|` for the `_` of a script in them; and a timeout in
/// milliseconds.
fn arguments(rest: &[&str]) -> (Vec<u8>, Option<u64>) {
    let args = rest.first().copied().unwrap_or_default();
    let args = args.replace('_', " ").replace('+', ";").replace('|', "_");
    let timeout = rest.get(1).and_then(|timeout| timeout.parse().ok());
    (args.into_bytes(), timeout)
}

/// `me`, or node and pid with a colon between them.
fn pid(text: &str) -> Pid {
    let mut numbers = text.split(':').map(|number| number.parse().unwrap_or_default());
    match (text, numbers.next(), numbers.next()) {
        ("me", ..) => identity::self_pid(),
        (_, Some(node), Some(id)) => Pid { node, id },
        _ => Pid { node: 0, id: 0 },
    }
}
