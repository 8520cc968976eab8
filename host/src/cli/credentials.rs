//! What a command shows to a node: the cookie, the deploy key, and TLS.

use std::fmt::Display;

use super::arguments::{CookieArguments, KeyArguments, TlsArguments};
use super::failure::Failure;
use crate::config::Cookie;
use crate::control::DeployKey;
use crate::host::Dial;
use crate::tls::{IdentityFiles, Tls, TlsFiles};

/// Reads the cookie that the arguments name.
pub(super) fn cookie(arguments: &CookieArguments) -> Result<Cookie, Failure> {
    let cookie = match (&arguments.cookie_file, &arguments.cookie_env) {
        (Some(file), _) => Cookie::from_file(file),
        (None, variable) => {
            let variable = variable.as_deref().unwrap_or_default();
            Cookie::from_variable(variable, std::env::var(variable))
        }
    };
    cookie.map_err(|error| wrong(&error, &error.help()))
}

/// Reads the deploy key that the arguments name.
pub(super) fn key(arguments: &KeyArguments) -> Result<DeployKey, Failure> {
    let key = match (&arguments.key_file, &arguments.key_env) {
        (Some(file), _) => DeployKey::from_file(file),
        (None, variable) => {
            let variable = variable.as_deref().unwrap_or_default();
            DeployKey::from_variable(variable, std::env::var(variable))
        }
    };
    key.map_err(|error| wrong(&error, &error.help()))
}

fn wrong(error: &impl Display, help: &str) -> Failure {
    Failure::usage(format_args!("{error}; {help}"))
}

/// Reads the files that the arguments name for TLS.
pub(super) fn dial(arguments: &TlsArguments) -> Result<Dial, Failure> {
    if arguments.tls_ca.is_none() {
        return Ok(Dial::Plain);
    }
    let identity = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(cert), Some(key)) => Some(IdentityFiles {
            cert: cert.clone(),
            key: key.clone(),
        }),
        _ => None,
    };
    let ca = arguments.tls_ca.clone();
    Ok(Dial::Tls {
        tls: Tls::load(TlsFiles { identity, ca }).map_err(Failure::usage)?,
        name: arguments.tls_name.clone(),
    })
}
