//! The listener, and the connections that it takes: how many, and for how long.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::body::BodyRooms;
use super::guard::Connection;
use super::places::{Connections, Place, hold};
use super::routes::router;
use super::state::{Access, AdminNode, AdminState, Phase, Proofs};
use super::stream::GuardedStream;
use crate::control::Role;
use crate::metrics::MetricsPage;
use crate::tls::{ClientAuth, Tls, TlsError};

/// The most connections at once. For a further one, that which has been idle the longest gives way. Where none is idle, the further one is
/// answered with 503, or closed where there is TLS.
const MOST_CONNECTIONS: usize = 256;

/// The most bytes of a request's first line and headers.
const MAX_HEAD: usize = 32 << 10;

/// The most headers of a request.
const MAX_HEADERS: usize = 100;

/// The longest that a connection may be without a request, and that the headers of one may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// The longest that a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The time that answers have to leave when the server ends, or no longer trusts who has asked.
const GOODBYE: Duration = Duration::from_secs(2);

/// The interval between looks whether those count still who have shown a certificate: they may have done so long ago.
const DISTRUST: Duration = Duration::from_secs(1);

/// The pause after a connection that could not be accepted, such as where the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The answer to a connection for which there is no room. It has no length, since its end is that of the connection.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n\
    Connection: close\r\n\r\n{\"type\":\"urn:ractor-host:problem:busy\",\"title\":\"The node has no room for another \
    connection\",\"status\":503,\"detail\":\"try again\"}";

/// What a node has decided about its admin HTTP.
pub(crate) struct AdminSetup {
    /// The node's full name.
    pub(crate) node_name: String,
    pub(crate) listen: SocketAddr,
    pub(crate) proofs: Proofs,
    /// The role of those who show a certificate.
    pub(crate) client_role: Option<Role>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) required_peers: Vec<String>,
    pub(crate) tls: Option<(Tls, ClientAuth)>,
    pub(crate) metrics: Option<MetricsPage>,
}

/// Why there is no admin HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotListening {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("[admin.tls]: {0}")]
    Tls(#[from] TlsError),
}

/// A server that listens, and ends when this is dropped. Until the node is up it says so.
pub(crate) struct AdminServer {
    address: SocketAddr,
    is_secure: bool,
    state: Arc<AdminState>,
    /// True once connections are to end.
    ending: watch::Sender<bool>,
    accepting: AbortHandle,
    ended: watch::Receiver<()>,
}

impl AdminServer {
    /// Listens, and answers.
    ///
    /// # Errors
    /// The address is taken, or the certificates don't serve.
    pub(crate) async fn listen(setup: AdminSetup) -> Result<Self, NotListening> {
        let acceptor = match setup.tls {
            Some((tls, client_auth)) => Some(Secured {
                acceptor: tls.acceptor(client_auth)?,
                client_auth,
                tls,
            }),
            None => None,
        };
        let listener = TcpListener::bind(setup.listen).await?;
        let address = listener.local_addr()?;
        let is_secure = acceptor.is_some();
        let ending = watch::Sender::new(false);
        let state = Arc::new(AdminState {
            node_name: setup.node_name,
            address,
            access: Access {
                proofs: setup.proofs,
                client_role: setup.client_role,
                allowed_hosts: setup.allowed_hosts,
            },
            required_peers: setup.required_peers,
            metrics: setup.metrics,
            phase: watch::Sender::new(Phase::Starting),
            node: OnceLock::new(),
            ending: ending.subscribe(),
            refusals: parking_lot::Mutex::default(),
            bodies: BodyRooms::default(),
        });
        let (alive, ended) = watch::channel(());
        let acceptor = Acceptor {
            listener,
            tls: acceptor,
            router: router(state.clone()),
            ending: ending.subscribe(),
        };
        let accepting = tokio::spawn(async move {
            acceptor.run().await;
            drop(alive);
        });
        Ok(Self {
            address,
            is_secure,
            state,
            ending,
            accepting: accepting.abort_handle(),
            ended,
        })
    }

    /// Where it listens, with the port that it has.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What is replaced when a token is.
    pub(crate) fn proofs(&self) -> &Proofs {
        &self.state.access.proofs
    }

    /// The node is up.
    pub(crate) fn open(&self, node: AdminNode) {
        // A second node never comes.
        drop(self.state.node.set(node));
        self.state.phase.send_replace(Phase::Running);
    }

    /// The node is not ready from now on, and takes nothing that would change it.
    pub(crate) fn drain(&self) {
        self.state.phase.send_replace(Phase::Stopping);
    }

    /// Takes no further requests, and waits a moment for answers that are on their way.
    pub(crate) async fn close(mut self) {
        self.ending.send_replace(true);
        // It changes only by its end.
        drop(timeout(GOODBYE, self.ended.changed()).await);
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl std::fmt::Debug for AdminServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminServer").field("address", &self.address).finish()
    }
}

/// How connections are secured.
#[derive(Clone)]
struct Secured {
    acceptor: TlsAcceptor,
    client_auth: ClientAuth,
    tls: Tls,
}

struct Acceptor {
    listener: TcpListener,
    tls: Option<Secured>,
    router: Router,
    ending: watch::Receiver<bool>,
}

impl Acceptor {
    /// Until the server is to end, and its connections have.
    async fn run(self) {
        let mut ending = self.ending.clone();
        // They end with this task.
        let mut connections = Connections::new(MOST_CONNECTIONS);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if connections.make_room().await {
                            let place = Place::new();
                            connections.add(place.clone(), self.serve(stream, peer, place));
                        } else {
                            refuse(&stream, self.tls.is_some());
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the admin HTTP can't be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(()) = connections.ended() => {}
                () = end(&mut ending) => break,
            }
        }
        while connections.ended().await.is_some() {}
    }

    /// One connection, to its end.
    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Arc<Place>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (tls, ending) = (self.tls.clone(), self.ending.clone());
        let router = self.router.clone().layer(from_fn_with_state(place.clone(), hold));
        async move {
            // Without it small answers may wait for the other side.
            drop(stream.set_nodelay(true));
            let Some(Secured {
                acceptor,
                client_auth,
                tls,
            }) = tls
            else {
                let connection = Connection {
                    peer,
                    is_secure: false,
                    is_proved: false,
                };
                return answer(GuardedStream::new(stream, place), connection, router, ending, pending()).await;
            };
            let connection = Connection {
                peer,
                is_secure: true,
                // Without one the handshake fails.
                is_proved: client_auth == ClientAuth::Required,
            };
            // Before the handshake: if the CA is another one by its end, the connection counts as one of before.
            let then = tls.trusted();
            let distrusted = async {
                if !connection.is_proved {
                    pending::<()>().await;
                }
                while tls.still_trusts(&then) {
                    sleep(DISTRUST).await;
                }
            };
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    answer(
                        GuardedStream::new(stream, place),
                        connection,
                        router,
                        ending,
                        distrusted,
                    )
                    .await
                }
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "a connection to the admin HTTP has no TLS that is good")
                }
                Err(_) => tracing::debug!(%peer, "a TLS handshake with the admin HTTP took too long"),
            }
        }
    }
}

/// Tells that there is no room. It waits for nothing, so what does not fit at once is not said.
fn refuse(stream: &TcpStream, is_secure: bool) {
    if !is_secure {
        drop(stream.try_write(FULL));
    }
}

/// Waits until the server is to end.
async fn end(ending: &mut watch::Receiver<bool>) {
    // The sender goes only with the server, which is its end too.
    drop(ending.wait_for(|ending| *ending).await);
}

/// Answers until the client or the server ends the connection, or `distrusted` does: who has proved to be somebody by a certificate is nobody
/// once that leads to no CA of the node any more.
async fn answer(
    stream: GuardedStream,
    connection: Connection,
    router: Router,
    mut ending: watch::Receiver<bool>,
    distrusted: impl Future<Output = ()>,
) {
    let service = TowerToHyperService::new(router.layer(Extension(connection)));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = end(&mut ending) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
        () = distrusted => {
            serving.as_mut().graceful_shutdown();
            // An answer that goes on and on is broken off.
            let Ok(served) = timeout(GOODBYE, serving).await else { return };
            served
        }
    };
    if let Err(error) = served {
        tracing::debug!(peer = %connection.peer, %error, "a connection to the admin HTTP ended early");
    }
}
