//! The signals that end a command which has something to put in order first.

use std::io;
#[cfg(unix)]
use std::{future::poll_fn, task::Poll};

#[cfg(unix)]
use crate::host::is_ignored;

/// The signals that end a command, but for those that it was started to ignore (`nohup`, `command &` in a script).
#[cfg(unix)]
pub(super) struct Signals(Vec<(tokio::signal::unix::Signal, u8)>);

#[cfg(unix)]
impl Signals {
    /// From now on they don't end the process by themselves. Must be called within a runtime.
    ///
    /// # Errors
    /// The system doesn't tell of them.
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP]
            .into_iter()
            .filter(|number| !is_ignored(*number))
            .map(|number| {
                Ok((
                    signal(SignalKind::from_raw(number))?,
                    u8::try_from(number).unwrap_or_default(),
                ))
            });
        Ok(Self(heard.collect::<io::Result<_>>()?))
    }

    /// The number of the next one.
    pub(super) async fn recv(&mut self) -> u8 {
        poll_fn(|context| {
            let mut heard = self.0.iter_mut();
            let found = heard.find_map(|(signal, number)| signal.poll_recv(context).is_ready().then_some(*number));
            found.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Elsewhere there is one, which Ctrl-C on another console sends.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn recv(&mut self) -> u8 {
        drop(tokio::signal::ctrl_c().await);
        2
    }
}
