//! The tokens by which programs and people prove to the admin HTTP what they may do.

use std::collections::BTreeSet;
use std::env::VarError;
use std::fmt;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::control::Role;
use crate::files::{self, Secret, SecretError};

/// The largest file that is read, in bytes. A token is short; a larger file is something else.
const LARGEST_FILE: u64 = 64 * 1024;

/// The shortest token, in bytes. Whoever reaches the address can try tokens.
const SHORTEST: usize = 16;

/// The longest token, in bytes: well within what a request's headers may have.
const LONGEST: usize = 1024;

/// The least number of different bytes in a token. Random hexadecimal digits hardly ever have fewer.
const LEAST_VARIETY: usize = 8;

/// The secret that a request shows in its header. `Debug` doesn't show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken(String);

/// Why there is no token. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The token is none that a header can carry, or could be guessed.
    #[error("the token {place} {fault}")]
    Unfit {
        /// The file or the variable that has it.
        place: String,
        /// In which way.
        fault: String,
    },
    /// There is no such variable.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// The variable is not text.
    #[error("the environment variable {0} is not UTF-8 text")]
    VariableNotUtf8(String),
}

impl TokenError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::File(error) => error.help(),
            Self::Unfit { .. } => "make one with `openssl rand -hex 32`".to_owned(),
            Self::Unset(_) | Self::VariableNotUtf8(_) => "set it to the token".to_owned(),
        }
    }

    /// True if there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::File(error) if error.is_not_found())
    }
}

impl AdminToken {
    /// The token in a file, without the white space around it.
    ///
    /// # Errors
    /// The file can't be read, can be read by others, or has no fit token.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let bytes = files::read_secret(Secret::AdminToken, path, LARGEST_FILE)?;
        Self::trimmed(&bytes, path.display())
    }

    /// The token in an environment variable whose value is given, without the white space around it.
    ///
    /// # Errors
    /// It is not set, is not text, or is no fit token.
    pub fn from_variable(name: &str, value: Result<String, VarError>) -> Result<Self, TokenError> {
        let text = value.map_err(|error| match error {
            VarError::NotPresent => TokenError::Unset(name.to_owned()),
            VarError::NotUnicode(_) => TokenError::VariableNotUtf8(name.to_owned()),
        })?;
        Self::trimmed(files::without_mark(text.as_bytes()), format_args!("in {name}"))
    }

    fn trimmed(bytes: &[u8], place: impl fmt::Display) -> Result<Self, TokenError> {
        Self::new(bytes.trim_ascii()).map_err(|fault| TokenError::Unfit {
            place: place.to_string(),
            fault,
        })
    }

    /// A token of these bytes.
    fn new(bytes: &[u8]) -> Result<Self, String> {
        let different = bytes.iter().collect::<BTreeSet<_>>().len();
        let length = bytes.len();
        // The characters of a bearer token in RFC 6750, section 2.1.
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        match std::str::from_utf8(bytes) {
            _ if length < SHORTEST => Err(format!("has {length} bytes; expected at least {SHORTEST}")),
            _ if length > LONGEST => Err(format!("has {length} bytes; expected at most {LONGEST}")),
            Ok(text) if bytes.iter().all(fits) && different >= LEAST_VARIETY => Ok(Self(text.to_owned())),
            Ok(_) if bytes.iter().all(fits) => Err(format!("consists of only {different} different characters")),
            _ => Err("has characters that no header carries; letters, digits and `-._~+/=` are good".to_owned()),
        }
    }

    /// The token itself, to be found where it should not be.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

/// The tokens that a node knows. They are compared by their digests, whose time says nothing of how far a guess is right.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Vec<(Role, [u8; 32])>);

impl Tokens {
    pub(crate) fn new<'a>(tokens: impl IntoIterator<Item = (Role, &'a AdminToken)>) -> Self {
        let digested = tokens
            .into_iter()
            .map(|(role, token)| (role, digest(token.0.as_bytes())));
        Self(digested.collect())
    }

    /// The role that a token proves, if it is one of the node's. Every token is compared, whichever it is.
    pub(super) fn role(&self, shown: &[u8]) -> Option<Role> {
        let shown = digest(shown);
        let mut proved = None;
        for (role, token) in &self.0 {
            if bool::from(token.ct_eq(&shown)) {
                proved = Some(*role).max(proved);
            }
        }
        proved
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_could_be_guessed_or_not_be_sent_is_refused() {
        for (bytes, expected) in [
            (&b"short"[..], "has 5 bytes; expected at least 16"),
            (b"abababababababababab", "consists of only 2 different characters"),
            (
                b"0123456789 abcdef",
                "has characters that no header carries; letters, digits and `-._~+/=` are good",
            ),
            (
                b"0123456789abcdef\xff",
                "has characters that no header carries; letters, digits and `-._~+/=` are good",
            ),
            (&[b'a'; 1025], "has 1025 bytes; expected at most 1024"),
        ] {
            assert_eq!(AdminToken::new(bytes).unwrap_err(), expected);
        }
        let token = AdminToken::new(b"0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "AdminToken(…)");
    }

    #[test]
    fn a_token_proves_its_own_role() {
        let observe = AdminToken::new(b"observe-0123456789").unwrap();
        let deploy = AdminToken::new(b"deploy-0123456789").unwrap();
        let tokens = Tokens::new([(Role::Observe, &observe), (Role::Deploy, &deploy)]);
        assert_eq!(tokens.role(b"observe-0123456789"), Some(Role::Observe));
        assert_eq!(tokens.role(b"deploy-0123456789"), Some(Role::Deploy));
        for wrong in [&b""[..], b"observe-012345678", b"observe-01234567890"] {
            assert_eq!(tokens.role(wrong), None);
        }
    }
}
