//! Where the store is: a URL as every client of PostgreSQL reads it. It has a password in it, and is never shown as it is.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::StoreError;
use crate::tls::connector;

/// The name under which the server lists the connections of a node.
const APPLICATION: &str = "ractor-host";

/// Why a text is no address of a store. None of these shows the text, which has a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It isn't a URL.
    #[error("the address of the store isn't written as `postgres://USER:PASSWORD@HOST:PORT/DATABASE`")]
    NotUrl,
    /// It is a URL that can't be read.
    #[error(
        "the URL of the store can't be read: {0}. Letters of a password that mean something in a URL are written as % and two digits"
    )]
    Syntax(String),
    /// It says nothing of where the server is.
    #[error("the URL of the store names no host: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`")]
    NoHost,
    /// `sslmode` has a value that nobody knows.
    #[error("`sslmode={0}` in the URL of the store is none of disable, prefer, require, verify-full")]
    SslMode(String),
}

/// Whether connections are encrypted. Where they are, the server's certificate is always checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Never,
    IfOffered,
    Always,
}

/// Where the store is, and how it is spoken to.
#[derive(Clone)]
pub struct Address {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) encryption: Encryption,
    /// Certificates of authorities in PEM; without it those that the system trusts.
    pub(crate) roots: Option<PathBuf>,
}

impl Address {
    /// Looks at the file with the certificates of authorities, if the URL names one.
    ///
    /// # Errors
    /// It can't be read, or has no certificates.
    pub fn check_roots(&self) -> Result<(), StoreError> {
        match self.roots.as_deref() {
            Some(file) if self.encryption != Encryption::Never => connector(Some(file)).map(drop),
            _ => Ok(()),
        }
    }

    /// Reads a URL: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require&sslrootcert=/path/to/ca.pem`.
    ///
    /// Several hosts are separated by commas; the one that takes writes is used. Without `sslmode` connections to this machine aren't
    /// encrypted, and others are if the server offers it.
    ///
    /// # Errors
    /// It isn't such a URL.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            return Err(BadAddress::NotUrl);
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        // The client would take what is behind the first one for the host, and a host is shown.
        if place.matches('@').count() > 1 {
            return Err(BadAddress::Syntax("there is more than one `@` in it".to_owned()));
        }
        let mut kept = Vec::new();
        let (mut mode, mut roots) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                // Read here, because the client knows neither `verify-full` nor files.
                Some(("sslmode", value)) => mode = Some(encryption(value)?),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(decoded(value)?)),
                _ => kept.push(pair),
            }
        }
        let url = format!("{place}?{}", kept.join("&"));
        let mut config: tokio_postgres::Config = url.parse().map_err(|error| syntax(&error))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(BadAddress::NoHost);
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION);
        }
        if config.get_hosts().len() > 1 {
            // A standby among them would take the first connection and refuse every write.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let is_here = config.get_hosts().iter().all(is_this_machine);
        let encryption = mode.unwrap_or(if is_here {
            Encryption::Never
        } else {
            Encryption::IfOffered
        });
        config.ssl_mode(match encryption {
            Encryption::Never => SslMode::Disable,
            Encryption::IfOffered => SslMode::Prefer,
            Encryption::Always => SslMode::Require,
        });
        Ok(Self {
            config,
            encryption,
            roots: roots.filter(|path| path.as_os_str() != "system"),
        })
    }

    /// The configuration with times that fit a lease: a connection that is dead is noticed while there is time for another.
    pub(crate) fn for_lease(&self, lease: Duration) -> tokio_postgres::Config {
        let mut config = self.config.clone();
        let third = lease / 3;
        config
            .connect_timeout(third)
            .tcp_user_timeout(third)
            .keepalives(true)
            .keepalives_idle(third.max(Duration::from_secs(1)))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(2);
        config
    }
}

/// `HOST:PORT/DATABASE`, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5_432);
            match host {
                Host::Tcp(name) => write!(out, "{comma}{name}:{port}")?,
                #[cfg(unix)]
                Host::Unix(folder) => write!(out, "{comma}{}:{port}", folder.display())?,
            }
        }
        if let Some(database) = self.config.get_dbname() {
            write!(out, "/{database}")?;
        }
        Ok(())
    }
}

/// As [`Display`](fmt::Display): no password in a log.
impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Address({self})")
    }
}

fn encryption(mode: &str) -> Result<Encryption, BadAddress> {
    match mode {
        "disable" => Ok(Encryption::Never),
        "allow" | "prefer" => Ok(Encryption::IfOffered),
        "require" | "verify-ca" | "verify-full" => Ok(Encryption::Always),
        other => Err(BadAddress::SslMode(other.chars().take(32).collect())),
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn decoded(text: &str) -> Result<String, BadAddress> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| BadAddress::Syntax("`sslrootcert` isn't UTF-8".to_owned()))
}

/// What the client says of a URL names options, never values.
fn syntax(error: &tokio_postgres::Error) -> BadAddress {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    BadAddress::Syntax(cause.unwrap_or_else(|| error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_store_is_and_its_password_is_not_shown() {
        let cases = [
            (
                "postgres://ann:s3cret@db.example:6543/app",
                "db.example:6543/app",
                Encryption::IfOffered,
            ),
            (
                "postgresql://ann:s3cret@localhost/app",
                "localhost:5432/app",
                Encryption::Never,
            ),
            ("postgres://ann:s3cret@[::1]/app", "::1:5432/app", Encryption::Never),
            (
                "postgres://ann:s3cret@%2Frun%2Fpg/app",
                "/run/pg:5432/app",
                Encryption::Never,
            ),
            (
                "postgres://ann:s3cret@db/app?sslmode=verify-full&sslrootcert=%2Fca.pem",
                "db:5432/app",
                Encryption::Always,
            ),
            (
                "postgres://ann:s3cret@a,b:1/app",
                "a:5432,b:1/app",
                Encryption::IfOffered,
            ),
            (
                "postgres://ann:s3cret@db/app?sslmode=disable",
                "db:5432/app",
                Encryption::Never,
            ),
        ];
        for (url, shown, encryption) in cases {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.to_string(), shown, "{url}");
            assert_eq!(address.encryption, encryption, "{url}");
            assert!(!format!("{address:?}").contains("s3cret"));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_shown() {
        for url in [
            "s3cret",
            "host=db password=s3cret",
            "postgres://ann:s3cret@db:port/app",
            "postgres:///app?password=s3cret",
            "postgres://ann:s3cret@db/app?sslmode=none",
            "postgres://ann:s3cret@db/app?s3cre=1",
            "postgres://ann:s3cret%zz@db/%ff",
            "postgres://ann:pass@s3cret@db/app",
            "postgres://ann:pass@db/s3cret@db/app",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn among_several_hosts_the_one_that_takes_writes_is_used() {
        let address = Address::parse("postgres://a,b/app").unwrap();
        assert_eq!(address.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }
}
