//! What a command shows to a node: the cookie, the control key, and TLS.

use std::fmt::Display;

use super::arguments::{KeyArguments, OptionalCookieArguments, TlsArguments};
use super::failure::Failure;
use crate::config::Cookie;
use crate::control::ControlKey;
use crate::host::Dial;
use crate::tls::{IdentityFiles, Tls, TlsFiles};

/// Reads the cookie that the arguments name, which a node wants that is reached by its address.
pub(super) fn cookie(arguments: &OptionalCookieArguments) -> Result<Cookie, Failure> {
    if arguments.cookie_file.is_none() && arguments.cookie_env.is_none() {
        return Err(Failure::usage(
            "a node that is reached by its address needs the cookie of its cluster; pass --cookie-file FILE or --cookie-env VARIABLE",
        ));
    }
    let cookie = match (&arguments.cookie_file, &arguments.cookie_env) {
        (Some(file), _) => Cookie::from_file(file),
        (None, variable) => {
            let variable = variable.as_deref().unwrap_or_default();
            Cookie::from_variable(variable, std::env::var(variable))
        }
    };
    cookie.map_err(|error| wrong(&error, &error.help()))
}

/// Reads the control key that the arguments name.
pub(super) fn key(arguments: &KeyArguments) -> Result<ControlKey, Failure> {
    if arguments.key_file.is_none() && arguments.key_env.is_none() {
        return Err(Failure::usage(
            "a node that is reached by its address wants a key proved; pass --key-file FILE or --key-env VARIABLE",
        ));
    }
    let key = match (&arguments.key_file, &arguments.key_env) {
        (Some(file), _) => ControlKey::from_file(file),
        (None, variable) => {
            let variable = variable.as_deref().unwrap_or_default();
            ControlKey::from_variable(variable, std::env::var(variable))
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
