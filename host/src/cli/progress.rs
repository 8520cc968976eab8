//! How far something is that takes a while: on stderr, and only if that is a terminal. Whoever reads a pipe is spared.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::printable;
use crate::ops::console;

/// The interval at which a spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Bars and spinners of one command, one below the other. Each goes away when it is dropped.
pub(super) struct Progress {
    all: MultiProgress,
}

/// One of them.
pub(super) struct Bar(ProgressBar);

impl Progress {
    pub(super) fn new() -> Self {
        let target = if console::is_terminal_stderr() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            all: MultiProgress::with_draw_target(target),
        }
    }

    /// A bar that is full at this many bytes.
    pub(super) fn bytes(&self, label: &str, total: u64) -> Bar {
        let bar = self.all.add(ProgressBar::new(total));
        bar.set_style(style("{msg}  [{bar:30}] {bytes}/{total_bytes} {eta}"));
        bar.set_message(owned(label));
        // Shown from the beginning, however long the first piece takes.
        bar.tick();
        Bar(bar)
    }

    /// A spinner, for what nobody knows the length of.
    pub(super) fn spinner(&self, label: &str) -> Bar {
        let bar = self.all.add(ProgressBar::new_spinner());
        bar.set_style(style("{spinner} {msg}  {elapsed}"));
        bar.set_message(owned(label));
        bar.enable_steady_tick(TURN);
        Bar(bar)
    }
}

/// A template that can't be read leaves the default, which shows as much.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn owned(label: &str) -> Cow<'static, str> {
    Cow::Owned(printable(label).into_owned())
}

impl Bar {
    /// It is that far now.
    pub(super) fn reach(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
