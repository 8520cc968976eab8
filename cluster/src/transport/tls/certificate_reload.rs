//! Reloads certificates when their files are replaced.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::Tls;

/// Reads the files of a [`Tls`] again and again until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the reloads"]
pub struct CertificateReload(JoinHandle<()>);

impl Drop for CertificateReload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tls {
    /// Reads the files each time that `every` has passed, and reloads them when they have changed. A fault of new files is logged
    /// once, and the old ones stay in use. Needs a tokio runtime with time.
    pub fn reload_on_change(&self, every: Duration) -> CertificateReload {
        CertificateReload(tokio::spawn(reload_again_and_again(self.clone(), every)))
    }
}

async fn reload_again_and_again(tls: Tls, every: Duration) {
    let mut failure = None;
    loop {
        // The wait comes first, because the files have just been read when the reloads begin.
        tokio::time::sleep(every).await;
        let reading = tls.clone();
        // It fails only if the runtime is shutting down.
        let Ok(outcome) = tokio::task::spawn_blocking(move || reading.reload()).await else {
            return;
        };
        match outcome {
            Ok(changed) => {
                if changed {
                    tracing::info!("the TLS certificates were replaced; new connections use the new ones");
                    warn_of_itself(&tls);
                } else if failure.is_some() {
                    tracing::info!("the TLS certificates in use are in place again");
                }
                failure = None;
            }
            Err(error) => {
                let text = error.to_string();
                if failure.as_ref() != Some(&text) {
                    tracing::error!("the new TLS certificates cannot be used, and the old ones stay in use: {text}");
                    failure = Some(text);
                }
            }
        }
    }
}

fn warn_of_itself(tls: &Tls) {
    if let Some(reason) = tls.self_check() {
        tracing::warn!("other nodes with the same `ca` will not accept the new TLS certificate: {reason}");
    }
}
