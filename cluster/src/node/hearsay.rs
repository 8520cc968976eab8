//! Connections to other nodes that a peer has named: few at one time, whatever peers say.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::client::{ClientConnectErr, ConnectError, connect_on_hearsay};
use super::limits::{MAX_HEARSAY_LOOK_UPS, MAX_TRANSITIVE_DIALS};
use super::{NameMessage, NodeServerMessage, NodeServerSessionInformation};

/// The time that a connection on a peer's word has until its session is ready. After it another one may be opened in its place.
const TRANSITIVE_DIAL: Duration = Duration::from_secs(10);

/// What all sessions of a node may do at one time because of what their peers say.
#[derive(Debug)]
pub(super) struct Hearsay {
    /// A permit for each connection that is being opened.
    dials: Arc<Semaphore>,
    /// A permit for each name that is being looked up. The system's look-ups block a thread, can't be cancelled, and may take longer
    /// than a connection has; the node needs those threads for other work, too.
    look_ups: Arc<Semaphore>,
}

impl Default for Hearsay {
    fn default() -> Self {
        Self {
            dials: Arc::new(Semaphore::new(MAX_TRANSITIVE_DIALS)),
            look_ups: Arc::new(Semaphore::new(MAX_HEARSAY_LOOK_UPS)),
        }
    }
}

impl Hearsay {
    /// Connects to these nodes in the background, as far as the limit allows.
    pub(super) fn dial(self: &Arc<Self>, node_server: &ActorRef<NodeServerMessage>, peers: Vec<NameMessage>) {
        let mut left_out = 0;
        for peer in peers {
            // Taken without a wait, which would hold up the session until other attempts have ended.
            let Ok(permit) = self.dials.clone().try_acquire_owned() else {
                left_out += 1;
                continue;
            };
            let (this, node_server) = (self.clone(), node_server.clone());
            ractor::concurrency::spawn(async move { this.dial_one(&node_server, &peer, permit).await });
        }
        if left_out > 0 {
            tracing::warn!(
                left_out,
                "left out some of the nodes that a peer knows: {MAX_TRANSITIVE_DIALS} connections are being opened already"
            );
        }
    }

    /// Keeps the permit until the outcome is there, because the limit counts the attempts that are under way.
    async fn dial_one(
        &self,
        node_server: &ActorRef<NodeServerMessage>,
        peer: &NameMessage,
        _permit: OwnedSemaphorePermit,
    ) {
        let (name, address) = (peer.name.as_str(), peer.connection_string.as_str());
        match timeout(TRANSITIVE_DIAL, self.connect(node_server, address)).await {
            Ok(Err(ConnectError::Connect(error))) => {
                tracing::warn!(peer = name, address, "cannot connect to a peer's peer: {error}");
            }
            Err(_) => tracing::warn!(
                peer = name,
                address,
                "no session with a peer's peer within {TRANSITIVE_DIAL:?}"
            ),
            // The end of a session has a line of the log by itself.
            Ok(Ok(_) | Err(ConnectError::Closed(_))) => {}
        }
    }

    async fn connect(
        &self,
        node_server: &ActorRef<NodeServerMessage>,
        address: &str,
    ) -> Result<NodeServerSessionInformation, ConnectError> {
        let addresses = self.addresses(address).await.map_err(ClientConnectErr::from)?;
        connect_on_hearsay(node_server, &addresses).await
    }

    async fn addresses(&self, address: &str) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = address.parse() {
            return Ok(vec![address]);
        }
        let address = address.to_owned();
        self.look_up(move || Ok(address.to_socket_addrs()?.collect())).await
    }

    /// Looks a name up when there is a thread for it. The thread counts as taken until `look` returns, whoever still waits for it.
    async fn look_up(
        &self,
        look: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
    ) -> io::Result<Vec<SocketAddr>> {
        let permit = self.look_ups.clone().acquire_owned().await.map_err(io::Error::other)?;
        let looking = spawn_blocking(move || {
            let found = look();
            drop(permit);
            found
        });
        looking.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use futures_util::FutureExt as _;

    use super::*;

    /// Otherwise a name server that doesn't answer would take the threads that components, checkpoints and deployments need, however
    /// often the attempts are given up.
    #[tokio::test]
    async fn look_ups_that_hang_take_few_threads_though_nobody_waits_for_them_any_more() {
        let hearsay = Hearsay::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut answers = Vec::new();
        for _ in 0..2 * MAX_HEARSAY_LOOK_UPS {
            let (answer, hangs) = channel::<()>();
            answers.push(answer);
            let begun = begun.clone();
            let looking = hearsay.look_up(move || {
                begun.fetch_add(1, Ordering::SeqCst);
                hangs.recv().ok();
                Ok(Vec::new())
            });
            // Polled once, which begins it if there is a thread for it, and given up.
            assert!(looking.now_or_never().is_none());
        }
        let given_up = timeout(Duration::from_millis(1), hearsay.addresses("nobody.invalid:1")).await;
        assert!(given_up.is_err(), "all threads are taken");
        let known = hearsay.addresses("127.0.0.1:7").now_or_never();
        assert_eq!(known.unwrap().unwrap(), [SocketAddr::from(([127, 0, 0, 1], 7))]);
        drop(answers);
        // They come back one by one, when the look-ups end.
        let all = u32::try_from(MAX_HEARSAY_LOOK_UPS).unwrap();
        drop(hearsay.look_ups.acquire_many(all).await.unwrap());
        assert_eq!(begun.load(Ordering::SeqCst), MAX_HEARSAY_LOOK_UPS);
    }
}
