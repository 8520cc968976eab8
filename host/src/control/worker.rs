//! What is asked of a node, carried out: by whatever way it was asked, and whoever asked has proved that they may.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::timeout;

use super::body::decode_body;
use super::entities::MOST_LISTED;
use super::ledger::RequestLedger;
use super::message::{Answer, ControlRefusal, MAX_PIECE, Request};
use super::request_id::RequestId;
use super::role::Role;
use super::rooms::{Asker, Place, Rooms};
use super::sending::{SendFault, bounded};
use super::service::Service;
use super::store::{ComponentStore, UploadError, UploadProgress};
use crate::guest::Digest;
use crate::supervision::reload::Reload;

/// The most requests that are worked on at once for each role, and for the node's own machine. Further ones are refused.
const MOST_REQUESTS: usize = 16;

/// The most calls to actors that wait for their replies at once, for each role and for the node's own machine. Further ones are refused.
const MOST_CALLS: usize = 256;

/// The most requests that wait at once for news, for other nodes or for the outcome of another, for each role and for the node's own machine. Further ones
/// are refused. The admin HTTP has twice as many connections, so that those who wait in one role can't take all of them.
const MOST_READERS: usize = 128;

/// The longest that somebody waits for the outcome of a request.
const OUTCOME_WAIT: Duration = Duration::from_mins(10);

/// See the module. It outlives the control actor, and is what all ways to ask have in common.
pub(crate) struct RequestWorker {
    /// Where uploaded components are; none for a node that nobody may deploy to from elsewhere.
    store: Option<Arc<Mutex<ComponentStore>>>,
    service: Arc<dyn Service>,
    ledger: RequestLedger,
    /// The node is about to stop.
    is_closed: AtomicBool,
    requests: Rooms,
    calls: Rooms,
    readers: Rooms,
}

impl std::fmt::Debug for RequestWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestWorker").finish_non_exhaustive()
    }
}

impl RequestWorker {
    /// For this node.
    pub(crate) fn new(service: Arc<dyn Service>, store: Option<Arc<Mutex<ComponentStore>>>) -> Self {
        Self {
            store,
            service,
            ledger: RequestLedger::default(),
            is_closed: AtomicBool::new(false),
            requests: Rooms::new(MOST_REQUESTS),
            calls: Rooms::new(MOST_CALLS),
            readers: Rooms::new(MOST_READERS),
        }
    }

    /// Takes nothing more that would change the node, which is about to stop. What has begun goes on, and who asks what runs is still
    /// answered.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// A place among the requests that are worked on at once for those who ask in this way.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn place(&self, asker: Asker) -> Result<Place, ControlRefusal> {
        self.requests.enter(asker).ok_or(ControlRefusal::Busy)
    }

    /// A place, as soon as there is one.
    ///
    /// # Errors
    /// There was none within this time.
    pub(crate) async fn place_within(&self, asker: Asker, patience: Duration) -> Result<Place, ControlRefusal> {
        let place = self.requests.enter_within(asker, patience).await;
        place.ok_or(ControlRefusal::Busy)
    }

    /// Carries out what is in a body, for somebody who has this role.
    pub(super) async fn outcome(&self, body: Vec<u8>, role: Role, place: Place) -> Answer {
        let Some((request, piece)) = decode_body::<Request>(&body) else {
            let reason = "this node does not understand the request; it may run another version".to_owned();
            return Answer::Failed { reason };
        };
        self.carry_out(request, piece, role, place).await
    }

    /// Carries out a request, with what is uploaded by it, for somebody who has this role.
    pub(crate) async fn carry_out(&self, request: Request, piece: &[u8], role: Role, place: Place) -> Answer {
        let needed = Role::needed_for(&request);
        if role < needed {
            return Answer::Failed {
                reason: format!("this takes the role `{needed}`, and the key proves `{role}`"),
            };
        }
        let asker = place.asker();
        if only_waits(&request) {
            // Nobody else is to wait for it.
            drop(place);
            return self.wait(request, piece, asker).await;
        }
        // The flag guards no memory, and a request that comes at the same time may be the last one.
        if self.is_closed.load(Ordering::Relaxed) && needed > Role::Observe {
            let reason = "the node is stopping, and takes nothing any more that would change it".to_owned();
            return Answer::Failed { reason };
        }
        if is_for_an_actor(&request) {
            // It waits, too, as long as the actor likes.
            drop(place);
            return self.of_an_actor(request, piece, asker).await;
        }
        let Some(id) = changes(&request) else {
            return answer_of(self.done(request, piece, asker).await);
        };
        // Noted before the work begins, so that a request that arrives twice at the same time is done once.
        let Some(pending) = self.ledger.begin(id) else {
            return sent_before(id);
        };
        // If this task ends early, the drop of `pending` says that the request was broken off.
        let answer = answer_of(self.done(request, piece, asker).await);
        pending.ended(&answer);
        answer
    }

    async fn done(&self, request: Request, piece: &[u8], asker: Asker) -> Result<Answer, String> {
        match request {
            // Never reached: `carry_out` has answered them.
            Request::Outcome { .. } | Request::Call(_) | Request::Describe { .. } | Request::Deliver(_) => {
                Ok(Answer::NoRecord)
            }
            Request::Status => Ok(Answer::Status(self.service.status().await)),
            Request::Nodes => {
                let nodes = self.service.nodes().await?;
                Ok(Answer::Nodes { nodes })
            }
            Request::Actors => {
                let service = self.service.clone();
                // Of many actors it takes a while, in which the runtime has other things to do.
                Ok(Answer::actors(blocking(move || service.actors()).await?))
            }
            Request::Groups => {
                let service = self.service.clone();
                Ok(Answer::groups(blocking(move || service.groups()).await?))
            }
            Request::BeginUpload { digest, size } => self.begin_upload(&digest, size).await,
            Request::Upload { digest, offset } => self.upload(&digest, offset, piece).await,
            Request::Reload {
                id: _,
                digest,
                planned,
                reload,
            } => self.reload(reload, digest, planned).await,
            Request::Rollback { id: _, module, planned } => {
                let planned = planned.as_deref().map(parse).transpose()?;
                let report = self.service.rollback(module, planned).await?;
                Ok(Answer::report(report))
            }
            Request::Steer(steer) => {
                let actors = self.service.steer(steer).await?;
                Ok(Answer::Steered { actors })
            }
            Request::Stopped => {
                let actors = self.service.stopped().await;
                Ok(Answer::Stopped { actors })
            }
            Request::LogLevels { change, seconds } => {
                let passing = seconds.map(Duration::from_secs);
                Ok(Answer::LogLevels(self.service.log_levels(change, passing).await?))
            }
            Request::Leave => {
                self.service.leave().await?;
                Ok(Answer::Leaving)
            }
            Request::Logs(query) => Ok(Answer::Logs(self.service.logs(query).await?)),
            Request::Figures => {
                let figures = Box::new(self.service.figures().await);
                Ok(Answer::Figures { figures })
            }
            Request::Links => {
                let links = self.service.links().await?;
                Ok(Answer::Links { links })
            }
            Request::ClusterLinks => {
                let nodes = self.service.cluster_links().await?;
                Ok(Answer::ClusterLinks { nodes })
            }
            Request::Show { target } => {
                let actor = Box::new(self.service.show(target).await?);
                Ok(Answer::Show { actor })
            }
            Request::BeginTrace(start) => Ok(Answer::TraceBegun(self.service.begin_trace(start, asker).await?)),
            Request::Trace(query) => Ok(Answer::Traced(self.service.trace(query).await?)),
            Request::EndTrace { trace } => {
                self.service.end_trace(trace)?;
                Ok(Answer::TraceEnded)
            }
            Request::Checkpoints { actor } => {
                let checkpoints = self.service.checkpoints(actor).await?;
                Ok(Answer::Checkpoints { checkpoints })
            }
            Request::GoBack { actor, number } => Ok(Answer::WentBack(self.service.go_back(actor, number).await?)),
            Request::Spawn(spawning) => Ok(Answer::Spawned(self.service.spawn(spawning).await?)),
            Request::Cast(message) => Ok(match self.service.cast(message).await {
                Ok(actors) => Answer::Sent { actors },
                Err(not_sent) => Answer::NotSent(not_sent),
            }),
            Request::Apply { id: _, dry_run } => {
                let report = self.service.apply(dry_run).await?;
                let report = Box::new(report.in_short());
                Ok(Answer::Applied { report })
            }
            entities @ (Request::Entities | Request::EntityKeys { .. } | Request::DeleteEntity { .. }) => {
                self.entities(entities).await
            }
            Request::Events(query) => Ok(Answer::Events(self.service.events(query).await)),
        }
    }

    async fn entities(&self, request: Request) -> Result<Answer, String> {
        match request {
            Request::EntityKeys {
                entity_type,
                after,
                limit,
            } => {
                let most = limit.clamp(1, MOST_LISTED);
                let keys = self.service.entity_keys(entity_type, after, most).await?;
                Ok(Answer::EntityKeys(keys))
            }
            Request::DeleteEntity { entity } => {
                let entity = self.service.delete_entity(entity).await?;
                Ok(Answer::EntityDeleted { entity })
            }
            _ => {
                let types = self.service.entities().await?;
                Ok(Answer::Entities { types })
            }
        }
    }

    async fn begin_upload(&self, digest: &str, size: u64) -> Result<Answer, String> {
        let digest = parse(digest)?;
        // Before the store is locked: this takes the locks of the modules and of the record.
        let used = self.service.components();
        self.in_store(move |store| {
            store.set_used(used);
            store.begin(digest, size)
        })
        .await
    }

    async fn upload(&self, digest: &str, offset: u64, piece: &[u8]) -> Result<Answer, String> {
        let digest = parse(digest)?;
        if piece.len() > MAX_PIECE {
            return Err(format!("the piece has {} bytes; at most {MAX_PIECE} fit", piece.len()));
        }
        let piece = piece.to_vec();
        self.in_store(move |store| store.put(digest, offset, &piece)).await
    }

    /// Waits for news, or for what became of another request.
    async fn wait(&self, request: Request, piece: &[u8], asker: Asker) -> Answer {
        let Some(_place) = self.readers.enter(asker) else {
            let reason = format!("{MOST_READERS} others wait for news of this node already; try again later");
            return Answer::Busy { reason };
        };
        let Request::Outcome { id } = request else {
            return answer_of(self.done(request, piece, asker).await);
        };
        match timeout(OUTCOME_WAIT, self.ledger.outcome(id)).await {
            Ok(outcome) => outcome.unwrap_or(Answer::NoRecord),
            Err(_) => Answer::Busy {
                reason: format!("the request {id} is still worked on; ask again what became of it"),
            },
        }
    }

    /// How many wait who ask in this way.
    #[cfg(test)]
    pub(crate) fn waiting(&self, asker: Asker) -> usize {
        MOST_READERS - self.readers.left(asker)
    }

    /// Replaces the code of a module, by what was uploaded or by its own file, if that is what was planned.
    async fn reload(
        &self,
        mut reload: Reload,
        digest: Option<String>,
        planned: Option<String>,
    ) -> Result<Answer, String> {
        reload.digest = planned.as_deref().map(parse).transpose()?;
        if let Some(digest) = digest {
            let (file, digest) = self.component(&digest).await?;
            (reload.file, reload.digest) = (Some(file), Some(digest));
        }
        Ok(Answer::report(self.service.reload(reload).await?))
    }

    /// What one actor, or one of a group, is asked.
    async fn of_an_actor(&self, request: Request, piece: &[u8], asker: Asker) -> Answer {
        let Some(_place) = self.calls.enter(asker) else {
            let reason = format!("{MOST_CALLS} calls wait for replies already; try again later");
            return Answer::NotSent(SendFault::Overloaded.because(reason));
        };
        let answer = match request {
            Request::Call(message) => self.service.call(message).await.map(Answer::Reply),
            Request::Describe { target, timeout_ms } => {
                let described = self.service.describe(target, bounded(timeout_ms)).await;
                described.map(Answer::Described)
            }
            Request::Deliver(delivery) => {
                let delivered = self.service.deliver(delivery, piece.to_vec()).await;
                delivered.map(Answer::Delivered)
            }
            _ => Ok(Answer::NoRecord),
        };
        answer.unwrap_or_else(Answer::NotSent)
    }

    async fn component(&self, digest: &str) -> Result<(std::path::PathBuf, Digest), String> {
        let digest = parse(digest)?;
        let store = self.store()?;
        // Somebody else's upload may hold the store as long as the disk takes.
        let path = blocking(move || store.lock().path(&digest)).await?;
        let path = path.ok_or_else(|| format!("{digest} was not uploaded to this node, or has been removed since"))?;
        Ok((path, digest))
    }

    fn store(&self) -> Result<Arc<Mutex<ComponentStore>>, String> {
        let none = "this node keeps no uploaded components: its node.toml has no table [control]";
        self.store.clone().ok_or_else(|| none.to_owned())
    }

    /// Works on the store on a thread that may block, so that other requests don't wait for the disk.
    async fn in_store(
        &self,
        work: impl FnOnce(&mut ComponentStore) -> Result<UploadProgress, UploadError> + Send + 'static,
    ) -> Result<Answer, String> {
        let store = self.store()?;
        let done = blocking(move || work(&mut store.lock())).await?;
        let UploadProgress { offset, complete } = done.map_err(|error| error.to_string())?;
        Ok(Answer::UploadProgress { offset, complete })
    }
}

/// Does what takes its thread for a while on one that may be taken.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|ended| ended.to_string())
}

fn answer_of(done: Result<Answer, String>) -> Answer {
    done.unwrap_or_else(|reason| Answer::Failed { reason })
}

/// True for what changes nothing, and may take long only because there is nothing to tell yet, or because other nodes don't tell it. Whoever
/// asks may break it off.
pub(crate) fn only_waits(request: &Request) -> bool {
    matches!(
        request,
        Request::Outcome { .. } | Request::Logs(_) | Request::Trace(_) | Request::Events(_) | Request::ClusterLinks
    )
}

/// True of what takes as long as an actor likes.
fn is_for_an_actor(request: &Request) -> bool {
    matches!(
        request,
        Request::Call(_) | Request::Describe { .. } | Request::Deliver(_)
    )
}

/// The number of a request that changes what runs.
fn changes(request: &Request) -> Option<RequestId> {
    match request {
        // It bears the number of the reload that follows it, which must not be taken for a repetition.
        Request::Reload { reload, .. } if reload.dry_run => None,
        Request::Reload { id, .. } | Request::Rollback { id, .. } => Some(*id),
        Request::Apply { id, dry_run: false } => Some(*id),
        _ => None,
    }
}

fn sent_before(id: RequestId) -> Answer {
    Answer::Failed {
        reason: format!("the request {id} was sent before; `--request {id}` asks what became of it"),
    }
}

fn parse(digest: &str) -> Result<Digest, String> {
    digest.parse::<Digest>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
