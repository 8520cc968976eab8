//! What the fuzz target `requests` calls: everything that the control actor and its clients read from the other end.

use std::time::Duration;

use tokio::time::Instant;

use super::body::{decode_body, encode_body};
use super::key::ControlKey;
use super::keys::ControlKeys;
use super::message::{Answer, Request, decode_reply, encode_reply};
use super::role::Role;
use super::seal::{Hello, Opening, SessionKey};
use super::sessions::ControlSessions;

/// The number that the client of the one session drew.
const CLIENT: [u8; 32] = [7; 32];

/// The number of the one session.
const SESSION: u64 = 5;

/// The first byte says what the others are taken for.
pub(crate) fn requests(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % 6 {
        0 => request(bytes),
        1 => answer(bytes),
        2 => reply(bytes),
        3 => hello(bytes),
        4 => conversation(bytes, Forger::OfTheFirstRequest),
        _ => conversation(bytes, Forger::OfALaterRequest),
    }
}

fn request(bytes: &[u8]) {
    let Some((request, piece)) = decode_body::<Request>(bytes) else {
        return;
    };
    let again = encode_body(&request, piece).unwrap_or_default();
    assert_eq!(
        decode_body(&again),
        Some((request, piece)),
        "a request survives its bytes"
    );
}

fn answer(bytes: &[u8]) {
    let Some((answer, _)) = decode_body::<Answer>(bytes) else {
        return;
    };
    let again = encode_body(&answer, &[]).unwrap_or_default();
    assert_eq!(
        decode_body(&again),
        Some((answer.clone(), &[][..])),
        "an answer survives its bytes"
    );
    assert!(encode_body(&answer.in_short(), &[]).is_ok_and(|short| short.len() <= again.len() + 20));
}

fn reply(bytes: &[u8]) {
    if let Some(reply) = decode_reply(bytes) {
        assert_eq!(encode_reply(reply), bytes, "there is one way to write a reply");
    }
}

fn hello(bytes: &[u8]) {
    if let Some(hello) = Hello::parse(bytes) {
        assert_eq!(hello.to_bytes(), bytes, "there is one way to write a greeting");
    }
}

/// Which request of a session somebody forges who has seen all others, and not the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forger {
    OfTheFirstRequest,
    OfALaterRequest,
}

/// Nothing is taken from somebody who forges a request, and what is taken is taken once.
fn conversation(bytes: &[u8], forger: Forger) {
    let Ok(key) = ControlKey::new(b"a control key of the tests".to_vec()) else {
        return;
    };
    let now = Instant::now();
    let mut sessions = ControlSessions::new(
        ControlKeys::new([(Role::Deploy, key.clone())]),
        "alpha@localhost".to_owned(),
        [9; 32],
        now,
    );
    let hello = sessions.open(SESSION, &CLIENT, now);
    let session = SessionKey::derive(&key, "alpha@localhost", &CLIENT, &hello.server);
    let sealed = session.seal_request(SESSION, 1, b"first");
    let opening = |request| {
        let opening = Opening {
            opened: hello.opened,
            client: CLIENT,
            request,
        };
        opening.to_bytes()
    };
    let first = opening(&sealed);
    if forger == Forger::OfTheFirstRequest {
        let forged = [bytes.to_vec(), opening(bytes)];
        for forged in forged.iter().filter(|forged| **forged != first) {
            assert!(sessions.begin(forged, now).is_err(), "a first request was forged");
        }
        assert!(sessions.begin(&first, now).is_ok(), "a forger keeps nobody out");
        return;
    }
    assert!(sessions.begin(&first, now).is_ok());
    assert!(
        sessions.begin(&first, now).is_err(),
        "the first request was taken again"
    );
    assert!(sessions.check(bytes, now).is_err(), "a later request was forged");
    let second = session.seal_request(SESSION, 2, bytes);
    assert!(sessions.check(&second, now).is_ok_and(|proved| proved.body == bytes));
    assert!(sessions.check(&second, now).is_err(), "a request was taken again");
    let later = now + Duration::from_secs(3600);
    let third = session.seal_request(SESSION, 3, bytes);
    assert!(sessions.check(&third, later).is_err(), "a session outlived its time");
}
