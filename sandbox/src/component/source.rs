//! Where a component comes from, and how it is told apart from others.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::LoadFault;
use crate::files::{self, ReadError};

/// A component to load, with the source that it runs if it is an interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSource {
    /// What the module is called in configuration, logs and errors.
    pub name: String,
    /// The component's file.
    pub path: PathBuf,
    /// The source text that the component runs; none of a component that runs by itself.
    pub source: Option<SourceFile>,
    /// What the file must hash to, if that is to be checked before anything else: with a source, both files together.
    pub digest: Option<Digest>,
}

/// Where the source text of a module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The file.
    pub path: PathBuf,
    /// What the component is told that it is called: what was deployed lies in a file of another name.
    pub name: String,
}

impl SourceFile {
    /// This file, called as it is called.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { path, name }
    }

    /// Another version of it, in that file.
    #[must_use]
    pub fn at(&self, path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            name: self.name.clone(),
        }
    }
}

/// The source text that a component runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceText {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The files of a module, as they were read.
pub(crate) struct ModuleFiles {
    pub(crate) component: Vec<u8>,
    /// Of the component alone: what its compiled code is found by.
    pub(crate) component_digest: Digest,
    pub(crate) source: Option<Arc<SourceText>>,
    /// Of the version: that of the component, or of both.
    pub(crate) digest: Digest,
}

/// The largest files that are read, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileLimits {
    pub(crate) component: u64,
    pub(crate) source: u64,
}

impl ModuleSource {
    /// Reads the files and checks their digest, if one is expected.
    pub(crate) fn read(&self, limits: FileLimits) -> Result<ModuleFiles, LoadFault> {
        let (component, component_digest) = read_component(&self.path, None, limits.component)?;
        let source = self
            .source
            .as_ref()
            .map(|source| SourceText::read(source, limits.source));
        let source = source.transpose()?;
        let digest = match &source {
            Some(source) => component_digest.with_source(Digest::of(source.text.as_bytes())),
            None => component_digest,
        };
        match self.digest {
            Some(expected) if expected != digest => Err(LoadFault::DigestMismatch {
                expected,
                found: digest,
            }),
            _ => Ok(ModuleFiles {
                component,
                component_digest,
                source: source.map(Arc::new),
                digest,
            }),
        }
    }

    /// The digest of the version in the files as they are now, which are never in memory as a whole.
    ///
    /// # Errors
    /// One of them can't be read, is no regular file, or is larger than `limit` bytes.
    pub fn digest_of_files(&self, limit: u64) -> Result<Digest, ReadError> {
        let component = Digest::of_file(&self.path, limit)?;
        Ok(match &self.source {
            Some(source) => component.with_source(Digest::of_file(&source.path, limit)?),
            None => component,
        })
    }
}

/// The component in a file of at most `limit` bytes, with its digest, which is checked if one is expected.
pub(crate) fn read_component(
    path: &Path,
    expected: Option<Digest>,
    limit: u64,
) -> Result<(Vec<u8>, Digest), LoadFault> {
    let bytes = files::read(path, limit).map_err(|error| match error {
        ReadError::TooLarge(limit) => LoadFault::TooLarge { limit },
        other => LoadFault::Read(other),
    })?;
    let found = Digest::of(&bytes);
    match expected {
        Some(expected) if expected != found => Err(LoadFault::DigestMismatch { expected, found }),
        _ => Ok((bytes, found)),
    }
}

impl SourceText {
    fn read(SourceFile { path, name }: &SourceFile, limit: u64) -> Result<Self, LoadFault> {
        let failed = |reason: String| LoadFault::Source {
            path: path.to_owned(),
            reason,
        };
        let bytes = files::read(path, limit).map_err(|error| match error {
            ReadError::TooLarge(limit) => failed(format!(
                "it is larger than the limit of {limit} bytes (source_bytes); raise `source_bytes` under [runtime]"
            )),
            other => failed(format!("it can't be read: {other}")),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            failed(format!(
                "it is not UTF-8 text: the byte at {} is not",
                error.utf8_error().valid_up_to()
            ))
        })?;
        Ok(Self {
            name: name.clone(),
            text,
        })
    }
}

/// The SHA-256 of a component's bytes, written `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// A text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 hexadecimal digits; found {0:?}")]
pub struct InvalidDigest(pub String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a file of at most `limit` bytes, which is never in memory as a whole.
    ///
    /// # Errors
    /// It can't be read, is no regular file, or is larger.
    pub fn of_file(path: &Path, limit: u64) -> Result<Self, ReadError> {
        let mut hasher = Sha256::new();
        files::read_pieces(path, limit, |piece| hasher.update(piece))?;
        Ok(Self(hasher.finalize().into()))
    }

    /// That of a version which is this component with the source of that digest.
    #[must_use]
    pub fn with_source(&self, source: Self) -> Self {
        let mut hasher = Sha256::new();
        // So that it is the digest of no file that somebody has.
        hasher.update(b"ractor-host: a component and its source\0");
        hasher.update(self.0);
        hasher.update(source.0);
        Self(hasher.finalize().into())
    }

    /// What was hashed elsewhere.
    pub fn from_bytes(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 hexadecimal digits, without the prefix.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        text.strip_prefix("sha256:")
            .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
            .map(|()| Self(bytes))
            .ok_or_else(|| InvalidDigest(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let digest = Digest::of(b"abc");
        assert_eq!(
            digest.to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn says_what_a_digest_looks_like() {
        for text in ["", "sha256:", "sha256:xyz", "sha1:00", &"0".repeat(64)] {
            assert_eq!(text.parse::<Digest>(), Err(InvalidDigest(text.to_owned())));
        }
    }
}
