//! How requests and answers are proved to come from somebody with the control key, and to be new.
//!
//! The client draws a number, the node draws one, and both derive the key of their session from these, the control key and
//! the node's full name. The first request says once more what was drawn, so that the node need not remember. Each request carries the session's number, a counter and a code over both and its bytes; the answer
//! carries a code over the counter of its request. A code is good for one place in one session with one node, so nothing that
//! is overheard can be used again.

use hmac::Mac as _;

use super::key::{ControlKey, mac};

/// A number drawn at random by one side.
pub(crate) type SessionNonce = [u8; 32];

/// What comes before the body of a request: the session, the counter and the code.
const REQUEST_HEADER: usize = 8 + 8 + 32;

/// Which way a message goes, so that none can be sent back as an answer to itself.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Request,
    Answer,
}

impl Direction {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Request => b"request",
            Self::Answer => b"answer",
        }
    }
}

/// The key of one session.
#[derive(Clone)]
pub(crate) struct SessionKey([u8; 32]);

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// A request that has not been proved yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sealed<'b> {
    pub(crate) session: u64,
    pub(crate) counter: u64,
    code: &'b [u8],
    pub(crate) body: &'b [u8],
}

impl<'b> Sealed<'b> {
    /// The parts of a request. None if it is too short to be one.
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(REQUEST_HEADER)?;
        let (session, rest) = header.split_first_chunk()?;
        let (counter, code) = rest.split_first_chunk()?;
        Some(Self {
            session: u64::from_be_bytes(*session),
            counter: u64::from_be_bytes(*counter),
            code,
            body,
        })
    }
}

/// What a client is told that opens a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) session: u64,
    /// When it was opened, in milliseconds of a clock of the node's own.
    pub(crate) opened: u64,
    /// The node's number.
    pub(crate) server: SessionNonce,
}

impl Hello {
    /// As it travels.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [
            &self.session.to_be_bytes()[..],
            &self.opened.to_be_bytes(),
            &self.server,
        ]
        .concat()
    }

    /// What [`to_bytes`](Self::to_bytes) made. None if it is something else.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (session, rest) = bytes.split_first_chunk()?;
        let (opened, rest) = rest.split_first_chunk()?;
        Some(Self {
            session: u64::from_be_bytes(*session),
            opened: u64::from_be_bytes(*opened),
            server: rest.try_into().ok()?,
        })
    }
}

/// The first request of a session, with what the node needs to know of its opening.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opening<'b> {
    /// [`Hello::opened`].
    pub(crate) opened: u64,
    /// The client's number.
    pub(crate) client: SessionNonce,
    /// The request, sealed.
    pub(crate) request: &'b [u8],
}

impl<'b> Opening<'b> {
    /// As it travels.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.opened.to_be_bytes()[..], &self.client, self.request].concat()
    }

    /// The parts. None if it is too short.
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (opened, rest) = bytes.split_first_chunk()?;
        let (client, request) = rest.split_first_chunk()?;
        Some(Self {
            opened: u64::from_be_bytes(*opened),
            client: *client,
            request,
        })
    }
}

impl SessionKey {
    /// The key of the session in which these numbers were drawn, with the node of this full name.
    pub(crate) fn derive(key: &ControlKey, node: &str, client: &SessionNonce, server: &SessionNonce) -> Self {
        // The label keeps these keys apart from those of other versions of this protocol, and the name from those of other nodes.
        Self(key.mac(&[b"ractor-host control 2", node.as_bytes(), client, server]))
    }

    /// A request as it travels.
    pub(crate) fn seal_request(&self, session: u64, counter: u64, body: &[u8]) -> Vec<u8> {
        let (session, counter) = (session.to_be_bytes(), counter.to_be_bytes());
        let code = self.code(Direction::Request, &session, &counter, body);
        let code = code.finalize().into_bytes();
        [&session, &counter, code.as_slice(), body].concat()
    }

    /// True if the request was sealed with this key.
    pub(crate) fn proves(&self, request: &Sealed<'_>) -> bool {
        let (session, counter) = (request.session.to_be_bytes(), request.counter.to_be_bytes());
        let code = self.code(Direction::Request, &session, &counter, request.body);
        // In constant time.
        code.verify_slice(request.code).is_ok()
    }

    /// The answer to the request with this counter as it travels.
    pub(crate) fn seal_answer(&self, session: u64, counter: u64, body: &[u8]) -> Vec<u8> {
        let code = self.code(Direction::Answer, &session.to_be_bytes(), &counter.to_be_bytes(), body);
        [code.finalize().into_bytes().as_slice(), body].concat()
    }

    /// The body of an answer, if it is the answer to that request.
    pub(crate) fn open_answer<'b>(&self, session: u64, counter: u64, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (code, body) = bytes.split_at_checked(32)?;
        let expected = self.code(Direction::Answer, &session.to_be_bytes(), &counter.to_be_bytes(), body);
        expected.verify_slice(code).ok().map(|()| body)
    }

    fn code(&self, direction: Direction, session: &[u8], counter: &[u8], body: &[u8]) -> hmac::Hmac<sha2::Sha256> {
        mac(&self.0, &[direction.bytes(), session, counter, body])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str, node: &str, client: u8) -> SessionKey {
        let key = ControlKey::new(secret.as_bytes().to_vec()).unwrap();
        SessionKey::derive(&key, node, &[client; 32], &[2; 32])
    }

    #[test]
    fn a_request_is_good_with_its_own_key_only() {
        let ours = key("0123456789abcdef", "alpha@localhost", 1);
        let bytes = ours.seal_request(7, 1, b"reload");
        let request = Sealed::parse(&bytes).unwrap();
        assert_eq!((request.session, request.counter, request.body), (7, 1, &b"reload"[..]));
        assert!(ours.proves(&request));
        for (other, what) in [
            (key("0123456789abcdeg", "alpha@localhost", 1), "another control key"),
            (key("0123456789abcdef", "beta@localhost", 1), "another node"),
            (key("0123456789abcdef", "alpha@localhost", 3), "another session"),
        ] {
            assert!(!other.proves(&request), "{what}");
        }
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(!ours.proves(&Sealed::parse(&changed).unwrap()), "byte {index}");
        }
        assert!(!ours.proves(&Sealed::parse(&bytes[..bytes.len() - 1]).unwrap()));
        assert_eq!(Sealed::parse(&bytes[..REQUEST_HEADER - 1]), None);
    }

    #[test]
    fn an_answer_is_good_for_its_own_request_only() {
        let ours = key("0123456789abcdef", "alpha@localhost", 1);
        let answer = ours.seal_answer(7, 1, b"done");
        assert_eq!(ours.open_answer(7, 1, &answer), Some(&b"done"[..]));
        assert_eq!(ours.open_answer(7, 2, &answer), None);
        assert_eq!(ours.open_answer(8, 1, &answer), None);
        assert_eq!(ours.open_answer(7, 1, &answer[..31]), None);
        let request = ours.seal_request(7, 1, b"done");
        assert_eq!(ours.open_answer(7, 1, &request[16..]), None, "a request sent back");
    }
}
