//! What passes an actor, for whoever traces it.
//!
//! An actor that nobody traces pays one relaxed load for each message: whether it is traced is looked up when a callback begins, and holds
//! until that ends. Where it is traced, everything is handed out on the actor's own thread, so a [`Tracer`] must be quick.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The most calls that are remembered until their replies come, in each direction. Replies to others are not seen.
const REMEMBERED: usize = 1024;

/// The most bytes of a message's name that are kept of what passes. The rest is cut off.
const LONGEST_NAME: usize = 256;

/// Whoever traces an actor.
pub trait Tracer: Send + Sync + 'static {
    /// Something has passed. Called on the thread of the actor, in the order in which things pass.
    fn passed(&self, passing: &Passing<'_>);
}

/// What has passed an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassingKind {
    /// The actor was given a cast, and begins to handle it.
    CastIn,
    /// The actor was given a call, and begins to handle it.
    CallIn,
    /// The handler of the last message has ended. A call may be answered later.
    Handled,
    /// A call that the actor was given is answered, failed or dropped.
    ReplyOut,
    /// The actor has sent a cast, or tried to.
    CastOut,
    /// The actor makes a call.
    CallOut,
    /// A call that the actor has made has ended.
    ReplyIn,
}

/// Another actor, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    /// The number of its node within this process; 0 for the process itself.
    pub node: u64,
    /// Its pid. Other nodes don't say which of their actors sends a message.
    pub pid: Option<u64>,
}

/// See [`PassingKind`].
#[derive(Clone, Copy)]
#[non_exhaustive]
#[expect(missing_debug_implementations, reason = "its bytes may be secret")]
pub struct Passing<'a> {
    /// What it is.
    pub kind: PassingKind,
    /// The name of the message, or of that whose reply or end this is.
    pub message: &'a str,
    /// The arguments, or the reply.
    pub bytes: &'a [u8],
    /// Tells a call from others of the same direction, where its reply may come when others have begun.
    pub call: Option<u64>,
    /// Whom a message is sent to, or who has sent it if that is known.
    pub peer: Option<Peer>,
    /// The time since what this is the end of has begun.
    pub took: Option<Duration>,
    /// Why it did not succeed.
    pub failed: Option<&'a dyn Display>,
}

/// The taps of one actor.
#[derive(Default)]
pub(crate) struct Taps {
    is_on: AtomicBool,
    next: AtomicU64,
    /// In a box, because of all the actors that there are hardly any is traced.
    tapped: Mutex<Option<Box<Tapped>>>,
}

#[derive(Default)]
struct Tapped {
    tracers: Vec<(u64, Arc<dyn Tracer>)>,
    /// Calls that the actor was given, by number.
    given: HashMap<u64, Begun>,
    /// Calls that the actor has made without standing still, by token.
    made: HashMap<u64, Begun>,
    /// Who has sent messages that wait.
    senders: HashMap<Mark, Peer>,
}

/// Tells a message from all others that wait at the same time: where its bytes are, and their lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Mark(usize, usize, usize);

/// Something whose end is to come.
#[derive(Debug)]
struct Begun {
    message: String,
    peer: Option<Peer>,
    since: Instant,
}

/// How a call ends: with a reply, or with why there is none.
pub(crate) type Ended<'a> = Result<&'a [u8], &'a dyn Display>;

impl std::fmt::Debug for Taps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taps")
            .field("is_on", &self.is_on)
            .finish_non_exhaustive()
    }
}

/// As much of a message's name as is kept.
pub fn kept_name(message: &str) -> &str {
    let end = message.floor_char_boundary(LONGEST_NAME);
    message.get(..end).unwrap_or_default()
}

impl Taps {
    /// True if somebody traces the actor.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        // It guards no memory: what a tracer is told has a lock of its own, and the first message may miss it.
        self.is_on.load(Ordering::Relaxed)
    }

    /// Has this one see what passes. Gives the number to leave by.
    pub(crate) fn enter(&self, tracer: Arc<dyn Tracer>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut tapped = self.tapped.lock();
        tapped.get_or_insert_default().tracers.push((number, tracer));
        self.is_on.store(true, Ordering::Relaxed);
        number
    }

    pub(crate) fn leave(&self, number: u64) {
        let mut tapped = self.tapped.lock();
        let Some(left) = &mut *tapped else { return };
        left.tracers.retain(|(tracer, _)| *tracer != number);
        if left.tracers.is_empty() {
            self.is_on.store(false, Ordering::Relaxed);
            *tapped = None;
        }
    }

    /// This message, which is about to wait for the actor, comes from there.
    #[cold]
    pub(crate) fn comes_from(&self, message: &str, args: &[u8], peer: Peer) {
        self.with(|tapped| {
            // Of messages that are given up when their actor ends, the marks stay. They must not become many.
            if tapped.senders.len() >= REMEMBERED {
                tapped.senders.clear();
            }
            tapped.senders.insert(Mark::of(message, args), peer);
        });
    }

    /// This message does not wait: nobody is to be taken for the sender of one that has its place later.
    #[cold]
    pub(crate) fn comes_from_nobody(&self, message: &str, args: &[u8]) {
        self.with(|tapped| {
            tapped.senders.remove(&Mark::of(message, args));
        });
    }

    /// The actor begins to handle a cast.
    #[cold]
    pub(crate) fn cast_in(&self, message: &str, args: &[u8]) -> Instant {
        self.with(|tapped| {
            let peer = tapped.senders.remove(&Mark::of(message, args));
            tapped.tell(&Passing {
                peer,
                ..Passing::new(PassingKind::CastIn, message, args)
            });
        });
        Instant::now()
    }

    /// The actor begins to handle a call.
    #[cold]
    pub(crate) fn call_in(&self, message: &str, args: &[u8], call: u64) -> Instant {
        let since = Instant::now();
        self.with(|tapped| {
            let peer = tapped.senders.remove(&Mark::of(message, args));
            tapped.tell(&Passing {
                peer,
                call: Some(call),
                ..Passing::new(PassingKind::CallIn, message, args)
            });
            remember(&mut tapped.given, call, Begun::of(message, peer, since));
        });
        since
    }

    /// The handler that began then has ended, if need be with this failure.
    #[cold]
    pub(crate) fn handled(&self, message: &str, since: Instant, failed: Option<&dyn Display>) {
        self.tell(&Passing {
            took: Some(since.elapsed()),
            failed,
            ..Passing::new(PassingKind::Handled, message, &[])
        });
    }

    /// A call that the actor was given has ended.
    #[cold]
    pub(crate) fn reply_out(&self, call: u64, ended: Ended<'_>) {
        self.with(|tapped| {
            let begun = tapped.given.remove(&call);
            tapped.end(PassingKind::ReplyOut, Some(call), begun, ended);
        });
    }

    /// The actor has sent a cast, or tried to.
    #[cold]
    pub(crate) fn cast_out(&self, message: &str, args: &[u8], to: Peer, failed: Option<&dyn Display>) {
        self.tell(&Passing {
            peer: Some(to),
            failed,
            ..Passing::new(PassingKind::CastOut, message, args)
        });
    }

    /// The actor makes a call.
    #[cold]
    pub(crate) fn call_out(&self, message: &str, args: &[u8], to: Peer) -> Instant {
        self.tell(&Passing {
            peer: Some(to),
            ..Passing::new(PassingKind::CallOut, message, args)
        });
        Instant::now()
    }

    /// The call that was made last will end under this token, unless it has failed at once.
    #[cold]
    pub(crate) fn asked(&self, message: &str, to: Peer, since: Instant, token: Result<u64, &dyn Display>) {
        let begun = Begun::of(message, Some(to), since);
        self.with(|tapped| match token {
            Ok(token) => remember(&mut tapped.made, token, begun),
            Err(failed) => tapped.end(PassingKind::ReplyIn, None, Some(begun), Err(failed)),
        });
    }

    /// A call that the actor stood still for has ended.
    #[cold]
    pub(crate) fn reply_in(&self, message: &str, from: Peer, since: Instant, ended: Ended<'_>) {
        let begun = Begun::of(message, Some(from), since);
        self.with(|tapped| tapped.end(PassingKind::ReplyIn, None, Some(begun), ended));
    }

    /// The call of this token has ended.
    #[cold]
    pub(crate) fn arrived(&self, token: u64, ended: Ended<'_>) {
        self.with(|tapped| {
            let begun = tapped.made.remove(&token);
            tapped.end(PassingKind::ReplyIn, Some(token), begun, ended);
        });
    }

    fn tell(&self, passing: &Passing<'_>) {
        self.with(|tapped| tapped.tell(passing));
    }

    /// Does this, if anybody still traces the actor.
    fn with(&self, work: impl FnOnce(&mut Tapped)) {
        if let Some(tapped) = &mut *self.tapped.lock() {
            work(tapped);
        }
    }
}

impl Tapped {
    fn tell(&self, passing: &Passing<'_>) {
        for (_, tracer) in &self.tracers {
            tracer.passed(passing);
        }
    }

    /// What began before the trace ends without a word: nobody knows which message it was.
    fn end(&self, kind: PassingKind, call: Option<u64>, begun: Option<Begun>, ended: Ended<'_>) {
        let Some(Begun { message, peer, since }) = begun else {
            return;
        };
        self.tell(&Passing {
            call,
            peer,
            took: Some(since.elapsed()),
            failed: ended.err(),
            ..Passing::new(kind, &message, ended.unwrap_or_default())
        });
    }
}

impl<'a> Passing<'a> {
    fn new(kind: PassingKind, message: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            kind,
            message,
            bytes,
            call: None,
            peer: None,
            took: None,
            failed: None,
        }
    }
}

impl Mark {
    fn of(message: &str, args: &[u8]) -> Self {
        // A message is moved through mailboxes, and its bytes stay where they are. Those of a name without letters are nowhere.
        let at = if message.is_empty() {
            args.as_ptr().addr()
        } else {
            message.as_ptr().addr()
        };
        Self(at, message.len(), args.len())
    }
}

impl Begun {
    fn of(message: &str, peer: Option<Peer>, since: Instant) -> Self {
        // The sender chooses it, and it may have as many bytes as a message.
        let message = kept_name(message).to_owned();
        Self { message, peer, since }
    }
}

fn remember(all: &mut HashMap<u64, Begun>, number: u64, begun: Begun) {
    if all.len() < REMEMBERED {
        all.insert(number, begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Tracer for Seen {
        fn passed(&self, passing: &Passing<'_>) {
            let Passing {
                kind, message, peer, ..
            } = passing;
            let failed = passing.failed.map(ToString::to_string);
            self.0.lock().push(format!(
                "{kind:?} {message} {} {:?} {failed:?}",
                passing.bytes.len(),
                peer.and_then(|peer| peer.pid)
            ));
        }
    }

    #[test]
    fn whoever_traces_sees_what_passes_until_they_leave() {
        let taps = Taps::default();
        assert!(!taps.is_on());
        let seen = Arc::new(Seen::default());
        let number = taps.enter(seen.clone());
        assert!(taps.is_on());
        let (name, args) = ("Add".to_owned(), vec![1, 2]);
        let sender = Peer { node: 0, pid: Some(7) };
        taps.comes_from(&name, &args, sender);
        let since = taps.call_in(&name, &args, 3);
        taps.handled(&name, since, Some(&"trapped"));
        taps.reply_out(3, Ok(&[1]));
        taps.reply_out(3, Ok(&[1]));
        taps.cast_in(&name, &args);
        taps.asked("Get", sender, Instant::now(), Ok(9));
        taps.arrived(9, Err(&"no reply"));
        taps.leave(number);
        assert!(!taps.is_on());
        taps.cast_in(&name, &args);
        assert_eq!(
            *seen.0.lock(),
            [
                "CallIn Add 2 Some(7) None",
                "Handled Add 0 None Some(\"trapped\")",
                "ReplyOut Add 1 Some(7) None",
                "CastIn Add 2 None None",
                "ReplyIn Get 0 Some(7) Some(\"no reply\")",
            ]
        );
    }

    #[test]
    fn a_message_that_was_refused_lends_its_sender_to_no_other() {
        let taps = Taps::default();
        let seen = Arc::new(Seen::default());
        taps.enter(seen.clone());
        let (name, args) = ("Add".to_owned(), vec![1, 2]);
        taps.comes_from(&name, &args, Peer { node: 0, pid: Some(7) });
        taps.comes_from_nobody(&name, &args);
        taps.cast_in(&name, &args);
        assert_eq!(*seen.0.lock(), ["CastIn Add 2 None None"]);
    }

    #[test]
    fn of_a_very_long_name_a_part_is_remembered() {
        let taps = Taps::default();
        let seen = Arc::new(Seen::default());
        taps.enter(seen.clone());
        let name = "ä".repeat(1 << 16);
        taps.call_in(&format!("x{name}"), &[], 1);
        taps.reply_out(1, Ok(&[]));
        let replied = seen.0.lock().pop().unwrap();
        assert_eq!(replied, format!("ReplyOut x{} 0 None None", "ä".repeat(127)));
    }
}
