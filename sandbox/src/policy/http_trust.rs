//! Whom guests' HTTPS requests trust: certificates that node.toml names, or those that the system trusts.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Whom HTTPS requests trust. The default is those whom the system trusts, asked at the first request. Cheap to clone.
#[derive(Clone, Default)]
pub struct HttpTrust {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    roots: Option<RootCertStore>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl HttpTrust {
    /// Trusts these certificates, and those that lead to them, alone.
    pub fn new(roots: RootCertStore) -> Self {
        let inner = Inner {
            roots: Some(roots),
            config: OnceCell::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What connections are made with.
    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let Inner { roots, config } = &*self.inner;
        // A failure isn't kept: the next request tries again.
        let made = config.get_or_try_init(|| async {
            match roots {
                Some(roots) => client(roots.clone()),
                None => client(of_system().await?),
            }
        });
        made.await.cloned()
    }
}

/// Two are the same if they trust the same certificates.
impl PartialEq for HttpTrust {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.inner.roots.as_ref(), other.inner.roots.as_ref());
        one.map(|store| &store.roots) == other.map(|store| &store.roots)
    }
}

impl Eq for HttpTrust {}

impl fmt::Debug for HttpTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.inner.roots.as_ref().map(RootCertStore::len);
        f.debug_struct("HttpTrust").field("roots", &known).finish()
    }
}

async fn of_system() -> Result<RootCertStore, rustls::Error> {
    let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let read = read.map_err(|error| rustls::Error::General(error.to_string()))?;
    for error in &read.errors {
        tracing::warn!(%error, "certificates that the system trusts can't be read");
    }
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(read.certs);
    if usable == 0 {
        tracing::warn!(
            "the system trusts no certificates, so every HTTPS request of a guest will fail; `http_roots` in [runtime] \
             names a file of those to trust"
        );
    }
    Ok(roots)
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    // A program that has installed a provider has a reason for it, e.g. a certified one.
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A server that is offered HTTP/2 would speak it, and the client here reads HTTP/1.1 alone.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
