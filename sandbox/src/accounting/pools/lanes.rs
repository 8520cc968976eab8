//! Threads for guests' work with files, one for each *lane*.
//!
//! wasmtime hands such work to the threads for blocking work of whichever runtime it is in. So each lane is a runtime of its own
//! that has one such thread and nothing else, and a guest's future is polled inside of it. Work that hangs can't be cancelled: a
//! guest that is killed meanwhile leaves its lane occupied, which comes back, to its family and to all, when the work ends. So
//! neither a family nor all of them together have more threads than this says, whatever they do.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lanes of one family. Further work waits.
pub(super) const OF_A_FAMILY: usize = 4;

/// Lanes of all families. Further work waits.
const OF_ALL: usize = 128;

/// The time for which a thread stays for further work.
const KEPT: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Lanes {
    places: Arc<Semaphore>,
    idle: Arc<Idle>,
}

type Idle = Mutex<Vec<Thread>>;

impl Default for Lanes {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(OF_ALL)),
            idle: Arc::default(),
        }
    }
}

impl Lanes {
    /// A lane, once there is one.
    ///
    /// # Errors
    /// The system has no room for it.
    pub(super) async fn take(&self, family: &Arc<Semaphore>) -> io::Result<Lane> {
        let closed = io::Error::other;
        // The family's first, so that those of a family which wait for each other hold nothing of what all share.
        let of_family = family.clone().acquire_owned().await.map_err(closed)?;
        let of_all = self.places.clone().acquire_owned().await.map_err(closed)?;
        self.lane([of_family, of_all])
    }

    /// A lane, if there is one.
    pub(super) fn take_now(&self, family: &Arc<Semaphore>) -> Option<Lane> {
        let of_family = family.clone().try_acquire_owned().ok()?;
        let of_all = self.places.clone().try_acquire_owned().ok()?;
        self.lane([of_family, of_all]).ok()
    }

    fn lane(&self, places: [OwnedSemaphorePermit; 2]) -> io::Result<Lane> {
        // The youngest first, because its thread is the likeliest to live still.
        let idle = self.idle.lock().pop();
        let thread = idle.map_or_else(Thread::new, Ok)?;
        Ok(Lane(Some(Occupied {
            thread,
            idle: self.idle.clone(),
            _places: places,
        })))
    }
}

/// A runtime with one thread for work that blocks, which starts with the first work.
#[derive(Debug)]
struct Thread(Option<Runtime>);

impl Thread {
    fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .thread_keep_alive(KEPT)
            .thread_name("guest-files")
            .build()?;
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Its work may hang for ever.
            runtime.shutdown_background();
        }
    }
}

/// A thread that one guest has, for one piece of work at a time.
#[derive(Debug)]
pub(crate) struct Lane(Option<Occupied>);

#[derive(Debug)]
struct Occupied {
    thread: Thread,
    idle: Arc<Idle>,
    _places: [OwnedSemaphorePermit; 2],
}

impl Lane {
    /// Does this with its thread, and gives the lane back.
    pub(crate) async fn run<T>(self, work: impl Future<Output = T>) -> T {
        let done = self.within(work).await;
        self.give_back();
        done
    }

    /// Does this with its thread.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        // Entered anew for each poll and never across a wait: the guard belongs to the thread, and other tasks run
        // there meanwhile.
        std::future::poll_fn(|cx| {
            let _entered = self.enter();
            work.as_mut().poll(cx)
        })
        .await
    }

    /// What is begun on this thread until the guard is dropped has the lane's thread for its work that blocks.
    pub(crate) fn enter(&self) -> Option<EnterGuard<'_>> {
        Some(self.0.as_ref()?.thread.0.as_ref()?.enter())
    }

    /// Gives the lane back, of which no work is left.
    pub(crate) fn give_back(mut self) {
        if let Some(occupied) = self.0.take() {
            occupied.give_back();
        }
    }
}

impl Drop for Lane {
    /// Work may be left, because the guest was killed: the lane comes back when the thread gets to it.
    fn drop(&mut self) {
        let Some(occupied) = self.0.take() else { return };
        let thread = occupied.thread.0.as_ref().map(|runtime| runtime.handle().clone());
        if let Some(thread) = thread {
            // It is the only thread of this runtime, so this comes after all that hangs there, and the places are
            // taken until then.
            drop(thread.spawn_blocking(move || occupied.give_back()));
        }
    }
}

impl Occupied {
    fn give_back(self) {
        let Self { thread, idle, .. } = self;
        idle.lock().push(thread);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::spawn_blocking;

    use super::*;

    fn family() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(OF_A_FAMILY))
    }

    #[tokio::test]
    async fn work_that_hangs_keeps_its_family_waiting_and_no_other() {
        let (lanes, family_that_hangs, other) = (Lanes::default(), family(), family());
        let mut ends = Vec::new();
        for _ in 0..OF_A_FAMILY {
            let (end, hangs) = mpsc::channel::<()>();
            let lane = lanes.take(&family_that_hangs).await.unwrap();
            let mut work = Box::pin(lane.run(async { spawn_blocking(move || hangs.recv().is_ok()).await }));
            assert!(futures_util::poll!(&mut work).is_pending());
            // The guest is killed.
            drop(work);
            ends.push(end);
        }
        assert!(lanes.take_now(&family_that_hangs).is_none());
        let lane = lanes.take(&other).await.unwrap();
        assert_eq!(lane.run(async { spawn_blocking(|| 7).await.unwrap() }).await, 7);
        ends.pop();
        let lane = lanes.take(&family_that_hangs).await.unwrap();
        lane.give_back();
        assert!(lanes.idle.lock().len() <= OF_A_FAMILY + 1);
        drop(lanes);
        drop(ends);
    }

    #[tokio::test]
    async fn threads_are_used_again() {
        let (lanes, family) = (Lanes::default(), family());
        for _ in 0..10 {
            let lane = lanes.take(&family).await.unwrap();
            lane.run(async { spawn_blocking(|| ()).await.unwrap() }).await;
        }
        assert_eq!(lanes.idle.lock().len(), 1);
    }
}
