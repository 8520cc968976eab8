//! The sessions of a node's control actor: who has proved to have the deploy key, and how far he has counted.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::key::DeployKey;
use super::message::Refusal;
use super::seal::{Nonce, Sealed, SessionKey};

/// Sessions at most. Beyond it, those that have proved nothing make room, the oldest first.
const MOST: usize = 64;

/// How long a session lives that has proved nothing.
const UNPROVED: Duration = Duration::from_secs(30);

/// How long a session lives that isn't used.
const UNUSED: Duration = Duration::from_mins(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Sessions {
    key: DeployKey,
    /// This node's full name.
    node: String,
    sessions: HashMap<u64, Session>,
}

#[derive(Debug)]
struct Session {
    key: SessionKey,
    /// The counter of the last request that was proved. 0 before the first.
    counter: u64,
    used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        let lifetime = if self.counter == 0 { UNPROVED } else { UNUSED };
        now.saturating_duration_since(self.used) > lifetime
    }
}

/// A request that was proved.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) session: u64,
    pub(super) counter: u64,
    pub(super) key: SessionKey,
    pub(super) body: Vec<u8>,
}

impl Sessions {
    pub(super) fn new(key: DeployKey, node: String) -> Self {
        Self {
            key,
            node,
            sessions: HashMap::new(),
        }
    }

    /// Opens a session under a number and with a number of the node's, both drawn at random.
    pub(super) fn open(&mut self, number: u64, client: &Nonce, server: &Nonce, now: Instant) -> Result<(), Refusal> {
        self.sessions.retain(|_, session| !session.is_over(now));
        if self.sessions.len() >= MOST {
            let unproved = self.sessions.iter().filter(|(_, session)| session.counter == 0);
            let oldest = unproved
                .min_by_key(|(_, session)| session.used)
                .map(|(number, _)| *number);
            self.sessions.remove(&oldest.ok_or(Refusal::Busy)?);
        }
        let key = SessionKey::derive(&self.key, &self.node, client, server);
        let (counter, used) = (0, now);
        self.sessions.insert(number, Session { key, counter, used });
        Ok(())
    }

    /// The request, if it is proved and has not been seen before.
    pub(super) fn check(&mut self, bytes: &[u8], now: Instant) -> Result<Proved, Refusal> {
        let sealed = Sealed::parse(bytes).ok_or(Refusal::Malformed)?;
        let session = self.sessions.get_mut(&sealed.session);
        let session = session
            .filter(|session| !session.is_over(now))
            .ok_or(Refusal::NoSession)?;
        if !session.key.proves(&sealed) {
            return Err(Refusal::NotProved);
        }
        if sealed.counter <= session.counter {
            return Err(Refusal::Replayed);
        }
        session.counter = sealed.counter;
        session.used = now;
        Ok(Proved {
            session: sealed.session,
            counter: sealed.counter,
            key: session.key.clone(),
            body: sealed.body.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deploy_key() -> DeployKey {
        DeployKey::new(b"0123456789abcdef".to_vec()).unwrap()
    }

    fn session_key() -> SessionKey {
        SessionKey::derive(&deploy_key(), "alpha@localhost", &[1; 32], &[2; 32])
    }

    #[test]
    fn a_request_is_taken_once_and_in_order() {
        let now = Instant::now();
        let mut sessions = Sessions::new(deploy_key(), "alpha@localhost".to_owned());
        let request = |counter| session_key().seal_request(7, counter, b"x");
        assert_eq!(sessions.check(&request(1), now).unwrap_err(), Refusal::NoSession);
        sessions.open(7, &[1; 32], &[2; 32], now).unwrap();
        assert_eq!(sessions.check(b"", now).unwrap_err(), Refusal::Malformed);
        assert_eq!(sessions.check(&request(1), now).unwrap().body, b"x");
        assert_eq!(sessions.check(&request(1), now).unwrap_err(), Refusal::Replayed);
        assert_eq!(sessions.check(&request(3), now).unwrap().counter, 3);
        assert_eq!(sessions.check(&request(2), now).unwrap_err(), Refusal::Replayed);
        let other = DeployKey::new(b"another-key-of-them".to_vec()).unwrap();
        let forged = SessionKey::derive(&other, "alpha@localhost", &[1; 32], &[2; 32]).seal_request(7, 4, b"x");
        assert_eq!(sessions.check(&forged, now).unwrap_err(), Refusal::NotProved);
        assert_eq!(
            sessions.check(&request(4), now).unwrap().counter,
            4,
            "a forgery uses up nothing"
        );
        let late = now + UNUSED + Duration::from_secs(1);
        assert_eq!(sessions.check(&request(5), late).unwrap_err(), Refusal::NoSession);
    }

    #[test]
    fn those_who_prove_nothing_make_room() {
        let now = Instant::now();
        let mut sessions = Sessions::new(deploy_key(), "alpha@localhost".to_owned());
        sessions.open(0, &[1; 32], &[2; 32], now).unwrap();
        sessions.check(&session_key().seal_request(0, 1, b""), now).unwrap();
        for number in 1..1000 {
            sessions
                .open(number, &[3; 32], &[2; 32], now + Duration::from_millis(number))
                .unwrap();
        }
        assert_eq!(sessions.sessions.len(), MOST);
        sessions.check(&session_key().seal_request(0, 2, b""), now).unwrap();
        let later = now + UNPROVED + Duration::from_secs(2);
        sessions.open(5000, &[3; 32], &[2; 32], later).unwrap();
        assert_eq!(sessions.sessions.len(), 2, "the one that is proved, and the new one");
    }
}
