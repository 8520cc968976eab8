//! Looks up the name of a peer, on the threads of the runtime for work that blocks.
//!
//! The system's own way of looking up names can't be cancelled, and may take longer than an attempt to connect waits for it. So the
//! next attempt waits for a look-up that is still under way instead of beginning another: each peer takes one thread at most.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// The look-ups of one name, one at a time.
#[derive(Debug, Default)]
pub(super) struct NameLookUp {
    under_way: Option<JoinHandle<io::Result<Vec<SocketAddr>>>>,
}

impl NameLookUp {
    /// The addresses that `host:port` has.
    ///
    /// # Errors
    /// It has none, or the answer didn't come within `patience`.
    pub(super) async fn addresses(&mut self, name: &str, patience: Duration) -> io::Result<Vec<SocketAddr>> {
        let name = name.to_owned();
        self.addresses_by(patience, move || Ok(name.to_socket_addrs()?.collect()))
            .await
    }

    async fn addresses_by(
        &mut self,
        patience: Duration,
        look: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
    ) -> io::Result<Vec<SocketAddr>> {
        let looking = self.under_way.get_or_insert_with(|| spawn_blocking(look));
        // The handle is only borrowed, so when the time is over the look-up goes on, and the next attempt finds it.
        let found = timeout(patience, looking).await;
        let found = found.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        // A handle that has given its result must not be polled again.
        self.under_way = None;
        found.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn a_look_up_that_hangs_is_waited_for_again_and_not_begun_anew() {
        let (answer, hangs) = channel();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut hangs = Some(hangs);
        let mut look_up = NameLookUp::default();
        for _ in 0..3 {
            let (begun, hangs) = (begun.clone(), hangs.take());
            let look = move || {
                begun.fetch_add(1, Ordering::Relaxed);
                hangs
                    .and_then(|hangs| hangs.recv().ok())
                    .ok_or_else(|| io::Error::other("begun anew"))
            };
            let error = look_up.addresses_by(Duration::from_millis(1), look).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        answer.send(vec![SocketAddr::from(([192, 0, 2, 1], 1))]).unwrap();
        let found = look_up
            .addresses("nobody.invalid:1", Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(found, [SocketAddr::from(([192, 0, 2, 1], 1))]);
        assert_eq!(begun.load(Ordering::Relaxed), 1);
    }
}
