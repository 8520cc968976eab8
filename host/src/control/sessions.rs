//! The sessions of a node's control actor: who has proved to have the control key, and how far they have counted.
//!
//! Opening one keeps nothing. The number that the node draws for it is a code, under a secret of this node's own, over what the
//! client is told and has sent; so it can be computed again when the client comes back with its first request. Whoever proves
//! nothing costs a code and no memory, and keeps nobody out, however often they ask.

use std::collections::HashMap;
use std::time::Duration;

use hmac::Mac as _;
use tokio::time::Instant;

use super::key::mac;
use super::keys::{ControlKeys, KeyId};
use super::message::ControlRefusal;
use super::role::Role;
use super::seal::{Hello, Opening, Sealed, SessionKey, SessionNonce};

/// The most sessions of a role. One more takes the place of the one of this role that has not been used for the longest: who may only
/// look can't put out who may deploy.
const MOST: usize = 64;

/// The most sessions of a role that may begin within the time between opening one and its first request.
const MOST_BEGUN: usize = 1024;

/// The time between opening a session and its first request.
const UNPROVED: Duration = Duration::from_secs(30);

/// The life of a session that isn't used.
const UNUSED: Duration = Duration::from_mins(10);

/// See the module.
#[derive(Debug)]
pub(super) struct ControlSessions {
    keys: ControlKeys,
    /// This node's full name.
    node: String,
    /// What the node's numbers are made with. Never leaves this process, nor outlives it.
    secret: SessionNonce,
    /// When the clock of [`Hello::opened`] began.
    began: Instant,
    sessions: HashMap<u64, ServerSession>,
    /// Sessions that had a first request, as long as it would be taken again.
    begun: HashMap<u64, (Role, Instant)>,
}

#[derive(Debug)]
struct ServerSession {
    role: Role,
    /// What it was proved with.
    proved_by: KeyId,
    key: SessionKey,
    /// The counter of the last request that was proved.
    counter: u64,
    used: Instant,
}

impl ServerSession {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) > UNUSED
    }
}

/// A request that was proved.
#[derive(Debug)]
pub(super) struct ProvedRequest {
    pub(super) session: u64,
    pub(super) counter: u64,
    /// What its sender may do.
    pub(super) role: Role,
    pub(super) key: SessionKey,
    pub(super) body: Vec<u8>,
}

impl ControlSessions {
    /// The secret must be random.
    pub(super) fn new(keys: ControlKeys, node: String, secret: SessionNonce, now: Instant) -> Self {
        Self {
            keys,
            node,
            secret,
            began: now,
            sessions: HashMap::new(),
            begun: HashMap::new(),
        }
    }

    /// What a client is told that opens a session. The number is drawn at random.
    pub(super) fn open(&self, number: u64, client: &SessionNonce, now: Instant) -> Hello {
        let opened = self.millis(now);
        Hello {
            session: number,
            opened,
            server: self.server_nonce(number, opened, client),
        }
    }

    /// The first request of a session, if it is proved and has not been seen before.
    pub(super) fn begin(&mut self, bytes: &[u8], now: Instant) -> Result<ProvedRequest, ControlRefusal> {
        let Opening {
            opened,
            client,
            request,
        } = Opening::parse(bytes).ok_or(ControlRefusal::Malformed)?;
        let sealed = Sealed::parse(request).ok_or(ControlRefusal::Malformed)?;
        let number = sealed.session;
        // The time comes first because it costs nothing: an old request is refused before any code is computed.
        let age = self.millis(now).checked_sub(opened).map(Duration::from_millis);
        if age.is_none_or(|age| age > UNPROVED) {
            return Err(ControlRefusal::NoSession);
        }
        let server = self.server_nonce(number, opened, &client);
        // Whoever has a key need not say which it is, and so says nothing to those who listen.
        let entries = self.keys.entries();
        let mut sessions = entries.iter().map(|entry| {
            let key = SessionKey::derive(&entry.key, &self.node, &client, &server);
            (entry.role, entry.id, key)
        });
        let proved = sessions.find(|(_, _, key)| key.proves(&sealed));
        let (role, proved_by, key) = proved.ok_or(ControlRefusal::NotProved)?;
        // Only what is proved gets here, so strangers can't fill this table. An entry may go once its opening is too old to be taken.
        self.begun
            .retain(|_, (_, since)| now.saturating_duration_since(*since) <= UNPROVED);
        if self.begun.contains_key(&number) {
            return Err(ControlRefusal::Replayed);
        }
        if self.begun.values().filter(|(of, _)| *of == role).count() >= MOST_BEGUN {
            return Err(ControlRefusal::Busy);
        }
        self.begun.insert(number, (role, now));
        self.make_room(role, now);
        let counter = sealed.counter;
        let session = ServerSession {
            role,
            proved_by,
            key: key.clone(),
            counter,
            used: now,
        };
        self.sessions.insert(number, session);
        Ok(ProvedRequest {
            session: number,
            counter,
            role,
            key,
            body: sealed.body.to_vec(),
        })
    }

    /// A further request, if it is proved and has not been seen before.
    pub(super) fn check(&mut self, bytes: &[u8], now: Instant) -> Result<ProvedRequest, ControlRefusal> {
        let sealed = Sealed::parse(bytes).ok_or(ControlRefusal::Malformed)?;
        let session = self.sessions.get_mut(&sealed.session);
        let session = session
            .filter(|session| !session.is_over(now) && self.keys.has(session.proved_by))
            .ok_or(ControlRefusal::NoSession)?;
        // The proof comes before the counter: whoever can't prove a request must not move the counter of the client who can.
        if !session.key.proves(&sealed) {
            return Err(ControlRefusal::NotProved);
        }
        if sealed.counter <= session.counter {
            return Err(ControlRefusal::Replayed);
        }
        session.counter = sealed.counter;
        session.used = now;
        Ok(ProvedRequest {
            session: sealed.session,
            counter: sealed.counter,
            role: session.role,
            key: session.key.clone(),
            body: sealed.body.to_vec(),
        })
    }

    fn make_room(&mut self, role: Role, now: Instant) {
        self.sessions
            .retain(|_, session| !session.is_over(now) && self.keys.has(session.proved_by));
        let of_role = || self.sessions.iter().filter(|(_, session)| session.role == role);
        if of_role().count() < MOST {
            return;
        }
        let oldest = of_role().min_by_key(|(_, session)| session.used);
        if let Some(oldest) = oldest.map(|(number, _)| *number) {
            self.sessions.remove(&oldest);
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.began).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    fn server_nonce(&self, number: u64, opened: u64, client: &SessionNonce) -> SessionNonce {
        let parts: [&[u8]; 3] = [&number.to_be_bytes(), &opened.to_be_bytes(), client];
        mac(&self.secret, &parts).finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::ControlKey;
    use super::*;

    const NODE: &str = "alpha@localhost";
    const CLIENT: SessionNonce = [1; 32];

    fn deploy_key() -> ControlKey {
        ControlKey::new(b"0123456789abcdef".to_vec()).unwrap()
    }

    fn keys() -> ControlKeys {
        ControlKeys::new([(Role::Deploy, deploy_key()), (Role::Observe, observe_key())])
    }

    fn observe_key() -> ControlKey {
        ControlKey::new(b"a key that only sees".to_vec()).unwrap()
    }

    fn sessions(now: Instant) -> ControlSessions {
        ControlSessions::new(keys(), NODE.to_owned(), [7; 32], now)
    }

    /// The session's key as its client has it, and its first request.
    fn first(hello: &Hello, key: &ControlKey, body: &[u8]) -> (SessionKey, Vec<u8>) {
        let session = SessionKey::derive(key, NODE, &CLIENT, &hello.server);
        let request = session.seal_request(hello.session, 1, body);
        let opening = Opening {
            opened: hello.opened,
            client: CLIENT,
            request: &request,
        };
        (session, opening.to_bytes())
    }

    #[test]
    fn a_request_is_taken_once_and_in_order() {
        let now = Instant::now();
        let mut sessions = sessions(now);
        let hello = sessions.open(7, &CLIENT, now);
        let (key, begin) = first(&hello, &deploy_key(), b"x");
        let request = |counter| key.seal_request(7, counter, b"x");
        assert_eq!(sessions.check(&request(1), now).unwrap_err(), ControlRefusal::NoSession);
        assert_eq!(sessions.begin(b"", now).unwrap_err(), ControlRefusal::Malformed);
        assert_eq!(sessions.begin(&begin, now).unwrap().body, b"x");
        assert_eq!(sessions.begin(&begin, now).unwrap_err(), ControlRefusal::Replayed);
        assert_eq!(sessions.check(b"", now).unwrap_err(), ControlRefusal::Malformed);
        assert_eq!(sessions.check(&request(1), now).unwrap_err(), ControlRefusal::Replayed);
        assert_eq!(sessions.check(&request(3), now).unwrap().counter, 3);
        assert_eq!(sessions.check(&request(2), now).unwrap_err(), ControlRefusal::Replayed);
        let other = ControlKey::new(b"another-key-of-them".to_vec()).unwrap();
        let forged = SessionKey::derive(&other, NODE, &CLIENT, &hello.server).seal_request(7, 4, b"x");
        assert_eq!(sessions.check(&forged, now).unwrap_err(), ControlRefusal::NotProved);
        assert_eq!(
            sessions.check(&request(4), now).unwrap().counter,
            4,
            "a forgery uses up nothing"
        );
        let late = now + UNUSED + Duration::from_secs(1);
        assert_eq!(
            sessions.check(&request(5), late).unwrap_err(),
            ControlRefusal::NoSession
        );
        assert_eq!(sessions.begin(&begin, late).unwrap_err(), ControlRefusal::NoSession);
    }

    #[test]
    fn a_key_proves_its_own_role_and_no_other() {
        let now = Instant::now();
        let mut sessions = sessions(now);
        for (number, key, expected) in [(1, deploy_key(), Role::Deploy), (2, observe_key(), Role::Observe)] {
            let hello = sessions.open(number, &CLIENT, now);
            let (session, begin) = first(&hello, &key, b"x");
            assert_eq!(sessions.begin(&begin, now).unwrap().role, expected);
            let next = session.seal_request(number, 2, b"x");
            assert_eq!(sessions.check(&next, now).unwrap().role, expected);
        }
        // A session stays what it was opened as.
        let hello = sessions.open(3, &CLIENT, now);
        let (_, begin) = first(&hello, &observe_key(), b"x");
        sessions.begin(&begin, now).unwrap();
        let stronger = SessionKey::derive(&deploy_key(), NODE, &CLIENT, &hello.server).seal_request(3, 2, b"x");
        assert_eq!(sessions.check(&stronger, now).unwrap_err(), ControlRefusal::NotProved);
    }

    #[test]
    fn a_key_that_is_replaced_takes_its_sessions_along_and_no_others() {
        let now = Instant::now();
        let keys = keys();
        let mut sessions = ControlSessions::new(keys.clone(), NODE.to_owned(), [7; 32], now);
        let begin = |sessions: &mut ControlSessions, number, key: &ControlKey| {
            let hello = sessions.open(number, &CLIENT, now);
            let (session, begin) = first(&hello, key, b"x");
            sessions.begin(&begin, now).map(|_| session)
        };
        let deploying = begin(&mut sessions, 1, &deploy_key()).unwrap();
        let observing = begin(&mut sessions, 2, &observe_key()).unwrap();
        let other = ControlKey::new(b"another-key-of-them".to_vec()).unwrap();
        keys.replace([(Role::Deploy, other.clone()), (Role::Observe, observe_key())]);
        let of_old = deploying.seal_request(1, 2, b"x");
        assert_eq!(sessions.check(&of_old, now).unwrap_err(), ControlRefusal::NoSession);
        let refused = begin(&mut sessions, 3, &deploy_key()).unwrap_err();
        assert_eq!(refused, ControlRefusal::NotProved);
        assert!(begin(&mut sessions, 4, &other).is_ok());
        let of_observer = observing.seal_request(2, 2, b"x");
        assert_eq!(sessions.check(&of_observer, now).unwrap().role, Role::Observe);
        // Nobody gets back in with what was valid before the old key came back.
        keys.replace([(Role::Deploy, deploy_key())]);
        assert_eq!(sessions.check(&of_old, now).unwrap_err(), ControlRefusal::NoSession);
    }

    #[test]
    fn who_may_only_look_puts_out_nobody_who_may_deploy() {
        let now = Instant::now();
        let mut sessions = sessions(now);
        let hello = sessions.open(0, &CLIENT, now);
        let (deploying, begin) = first(&hello, &deploy_key(), b"x");
        sessions.begin(&begin, now).unwrap();
        let mut refused = 0;
        for number in 1..=2 * MOST_BEGUN as u64 {
            let hello = sessions.open(number, &CLIENT, now);
            let (_, begin) = first(&hello, &observe_key(), b"x");
            refused += usize::from(sessions.begin(&begin, now).is_err());
        }
        assert_eq!(refused, MOST_BEGUN, "what is remembered of them is bounded");
        let next = deploying.seal_request(0, 2, b"x");
        assert_eq!(sessions.check(&next, now).unwrap().role, Role::Deploy);
    }

    #[test]
    fn a_first_request_fits_what_was_opened() {
        let now = Instant::now();
        let mut sessions = sessions(now);
        let hello = sessions.open(7, &CLIENT, now);
        let other = ControlKey::new(b"another-key-of-them".to_vec()).unwrap();
        assert_eq!(
            sessions.begin(&first(&hello, &other, b"x").1, now).unwrap_err(),
            ControlRefusal::NotProved
        );
        // What the client says of the opening is part of the code.
        for changed in [
            Hello { session: 8, ..hello },
            Hello {
                opened: hello.opened + 1,
                ..hello
            },
            Hello {
                server: [9; 32],
                ..hello
            },
        ] {
            let refused = sessions.begin(&first(&changed, &deploy_key(), b"x").1, now + Duration::from_secs(1));
            assert_eq!(refused.unwrap_err(), ControlRefusal::NotProved, "{changed:?}");
        }
        let (_, begin) = first(&hello, &deploy_key(), b"x");
        let late = now + UNPROVED + Duration::from_secs(1);
        assert_eq!(sessions.begin(&begin, late).unwrap_err(), ControlRefusal::NoSession);
        // A node that has restarted has another secret.
        let mut restarted = ControlSessions::new(keys(), NODE.to_owned(), [8; 32], now);
        assert_eq!(restarted.begin(&begin, now).unwrap_err(), ControlRefusal::NotProved);
        // Nothing of that used the opening up.
        assert!(sessions.begin(&begin, now).is_ok());
    }

    #[test]
    fn those_who_prove_nothing_keep_nobody_out_and_leave_nothing() {
        let now = Instant::now();
        let mut sessions = sessions(now);
        let hello = sessions.open(0, &CLIENT, now);
        for number in 1..100_000 {
            sessions.open(number, &[3; 32], now);
        }
        assert!(sessions.begin(&first(&hello, &deploy_key(), b"").1, now).is_ok());
        assert_eq!((sessions.sessions.len(), sessions.begun.len()), (1, 1));
    }

    #[test]
    fn however_many_are_proved_the_next_one_gets_in() {
        let now = Instant::now();
        let mut sessions = sessions(now);
        let mut keys = Vec::new();
        for number in 0..200 {
            let now = now + Duration::from_millis(number);
            let hello = sessions.open(number, &CLIENT, now);
            let (key, begin) = first(&hello, &deploy_key(), b"");
            sessions.begin(&begin, now).unwrap();
            keys.push(key);
            // The first one is used all the time.
            let used = keys[0].seal_request(0, number + 2, b"");
            sessions.check(&used, now).unwrap();
        }
        assert_eq!(sessions.sessions.len(), MOST);
        let unused = keys[1].seal_request(1, 2, b"");
        let later = now + Duration::from_secs(1);
        assert_eq!(sessions.check(&unused, later).unwrap_err(), ControlRefusal::NoSession);
    }
}
