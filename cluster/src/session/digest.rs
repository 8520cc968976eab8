//! Proof of the cookie: SHA-256 over a challenge and the cookie.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::wire::CookieDigest;

/// The digest that proves knowledge of `cookie` for `challenge`.
pub(super) fn digest(cookie: &str, challenge: u32) -> CookieDigest {
    let mut hash = Sha256::new();
    hash.update(challenge.to_be_bytes());
    hash.update(cookie.as_bytes());
    hash.finalize().into()
}

/// Compares in constant time, so that a peer learns nothing from how long a wrong digest takes.
pub(super) fn matches(expected: &CookieDigest, got: &[u8]) -> bool {
    expected.ct_eq(got).into()
}

#[cfg(test)]
mod tests {
    use super::{digest, matches};

    #[test]
    fn the_known_value_of_the_protocol() {
        let expected = "143e00d9d3b31d9d24452f85ac04448953081a02ed02272e592c5b13cd422ef7";
        let hex: String = digest("cookie", 42).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn only_the_very_digest_matches() {
        let expected = digest("cookie", 42);
        assert!(matches(&expected, &expected));
        assert!(!matches(&expected, &expected[..31]));
        assert!(!matches(&expected, &[]));
        assert!(!matches(&expected, &digest("Cookie", 42)));
    }
}
