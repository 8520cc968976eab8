//! The places of connections. Where all are taken, the connection that has been idle the longest gives way to a new one.
//!
//! A connection is idle unless a request is being worked on or its answer has not left yet. One whose request has not arrived whole is idle,
//! too: whoever holds places with halves of requests gives way to others as well.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::future::pending;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Nothing, since then.
    Idle(Instant),
    /// A request is being worked on, or its answer is being made.
    Answering,
    /// The answer is whole, and some of it may not have been taken by the system.
    Leaving,
    /// It has given way, and is about to end.
    GaveWay,
}

/// The place of one connection.
#[derive(Debug)]
pub(super) struct Place(Mutex<Doing>);

impl Place {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Doing::Idle(Instant::now()))))
    }

    /// A request is there. None if the connection has given way.
    fn begin(self: &Arc<Self>) -> Option<Answering> {
        let mut doing = self.0.lock();
        if *doing == Doing::GaveWay {
            return None;
        }
        *doing = Doing::Answering;
        Some(Answering(self.clone()))
    }

    /// All that was to leave has left.
    pub(super) fn flushed(&self) {
        let mut doing = self.0.lock();
        if *doing == Doing::Leaving {
            *doing = Doing::Idle(Instant::now());
        }
    }

    fn idle_since(&self) -> Option<Instant> {
        match *self.0.lock() {
            Doing::Idle(since) => Some(since),
            Doing::Answering | Doing::Leaving | Doing::GaveWay => None,
        }
    }

    /// False if a request has come meanwhile.
    fn give_way(&self) -> bool {
        let mut doing = self.0.lock();
        let is_idle = matches!(*doing, Doing::Idle(_));
        if is_idle {
            *doing = Doing::GaveWay;
        }
        is_idle
    }
}

/// A request that is being worked on, until dropped.
#[derive(Debug)]
struct Answering(Arc<Place>);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut doing = self.0.0.lock();
        if *doing == Doing::Answering {
            *doing = Doing::Leaving;
        }
    }
}

/// Holds the place of a connection while a request of it is worked on, to the end of the answer.
pub(super) async fn hold(State(place): State<Arc<Place>>, request: Request, next: Next) -> Response {
    let Some(answering) = place.begin() else {
        // The task of the connection is about to be ended.
        return pending().await;
    };
    let response = next.run(request).await;
    response.map(|body| {
        Body::new(HeldBody {
            body,
            _answering: answering,
        })
    })
}

/// The body of an answer, which holds the place of its connection.
struct HeldBody {
    body: Body,
    _answering: Answering,
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The connections that there are, at most this many. They end with this.
pub(super) struct Connections {
    most: usize,
    tasks: JoinSet<()>,
    places: Vec<(Arc<Place>, AbortHandle)>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tasks: JoinSet::new(),
            places: Vec::new(),
        }
    }

    /// Waits for one to end. None if there is none.
    pub(super) async fn ended(&mut self) -> Option<()> {
        // However it ended, it has.
        self.tasks.join_next().await.map(drop)
    }

    /// Makes room for another one. False if all places are taken by those who have a request under way.
    pub(super) async fn make_room(&mut self) -> bool {
        while self.tasks.try_join_next().is_some() {}
        while self.tasks.len() >= self.most {
            if !self.end_idlest() {
                return false;
            }
            // It ends at once, since it waits for something. Until then it has its memory and its descriptor.
            self.ended().await;
        }
        true
    }

    /// Serves another one, for which there is room.
    pub(super) fn add(&mut self, place: Arc<Place>, serving: impl Future<Output = ()> + Send + 'static) {
        self.places.retain(|(_, task)| !task.is_finished());
        let task = self.tasks.spawn(serving);
        self.places.push((place, task));
    }

    fn end_idlest(&self) -> bool {
        let idle = self
            .places
            .iter()
            .filter(|(_, task)| !task.is_finished())
            .filter_map(|(place, task)| Some((place.idle_since()?, place, task)));
        let mut idle: Vec<_> = idle.collect();
        idle.sort_unstable_by_key(|(since, ..)| *since);
        let gone = idle.into_iter().find(|(_, place, _)| place.give_way());
        gone.map(|(.., task)| task.abort()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(connections: &mut Connections) -> Arc<Place> {
        let place = Place::new();
        connections.add(place.clone(), pending());
        place
    }

    #[tokio::test]
    async fn the_connection_that_has_been_idle_the_longest_gives_way() {
        let mut connections = Connections::new(3);
        let [oldest, reused, busy] = [(); 3].map(|()| add(&mut connections));
        let answering = busy.begin().unwrap();
        drop(reused.begin().unwrap());
        assert_eq!(reused.idle_since(), None, "its answer has not left");
        reused.flushed();
        assert!(connections.make_room().await);
        assert!(oldest.begin().is_none() && reused.idle_since().is_some());
        let newest = add(&mut connections);
        assert!(connections.make_room().await);
        assert!(reused.begin().is_none());
        std::mem::forget(add(&mut connections).begin());
        std::mem::forget(newest.begin());
        assert!(!connections.make_room().await, "all have requests");
        drop(answering);
        busy.flushed();
        assert!(connections.make_room().await);
        assert_eq!(connections.tasks.len(), 2);
    }
}
