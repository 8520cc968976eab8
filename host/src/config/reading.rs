//! The text of one file.

use std::path::Path;

use super::{ConfigError, MAX_FILE_SIZE};
use crate::files::{self, ReadError};

pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = files::read(path, MAX_FILE_SIZE).map_err(|source| {
        let path = path.to_owned();
        match source {
            ReadError::TooLarge(limit) => ConfigError::TooLarge { path, limit },
            source => ConfigError::Read { path, source },
        }
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::NotUtf8 {
            path: path.to_owned(),
            line,
        }
    })
}
