//! `[node.tls]` and `[admin.tls]`: what this node shows to others, and what it wants to see of them.

use toml::Spanned;

use super::context::ReadContext;
use super::path::missing;
use super::problem::Problems;
use super::section::{Keys, Section};
use crate::tls::{ClientAuth, IdentityFiles, ServerName, Tls, TlsError, TlsFile, TlsFiles};

pub(super) const KEYS: Keys = Keys {
    known: &["cert", "key", "ca", "client_auth", "server_name"],
    explained: &[("insecure", "it belongs to the table `[node]`")],
};

/// The checked `[node.tls]` or `[admin.tls]` table.
#[derive(Clone, Debug)]
pub struct TlsSection {
    /// The certificates, read and found to be good.
    pub tls: Tls,
    /// Whether nodes that connect to this one have to show a certificate.
    pub client_auth: ClientAuth,
    /// The name in the certificates of peers; none for the host by which each is dialled.
    pub server_name: Option<ServerName<'static>>,
}

/// What the connections are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsUse {
    /// Nodes talk to each other.
    Node {
        /// Whether the node connects to others by itself.
        dials: bool,
    },
    /// Others than nodes connect.
    Admin,
}

impl TlsSection {
    pub(super) fn read(
        section: &Section<'_>,
        context: &ReadContext<'_>,
        purpose: TlsUse,
        problems: &mut Problems,
    ) -> Option<Self> {
        let cert = section.required_text("cert", "\"node.pem\"", problems);
        let key = section.required_text("key", "\"node-key.pem\"", problems);
        let ca = section.text("ca", problems);
        if purpose == (TlsUse::Node { dials: true }) && section.lacks("ca") {
            let message = "[node.tls] has no `ca` to check the certificates of `peers` against";
            problems.error(section.span.clone(), message, "add for example `ca = \"ca.pem\"`");
        }
        let client_auth = read_client_auth(section, ca.is_some(), problems);
        let server_name = section
            .text("server_name", problems)
            .map(|name| read_server_name(&name, problems));
        // Only now, when every key was read: all mistakes of the table are reported at once.
        let (cert, key) = (cert?, key?);
        let identity = IdentityFiles {
            cert: context.path(&cert),
            key: context.path(&key),
        };
        let files = TlsFiles {
            identity: Some(identity),
            ca: ca.as_ref().map(|ca| context.path(ca)),
        };
        let tls = Tls::load(files)
            .map_err(|error| report(&error, &cert, &key, ca.as_ref(), context, problems))
            .ok()?;
        // Those who connect to the admin HTTP may trust another CA than the one that their own certificates lead to.
        if purpose != TlsUse::Admin
            && let Some(reason) = tls.self_check()
        {
            let message = "nodes with the same `ca` will not accept the certificate of this one";
            problems.warning(cert.span(), message, reason);
        }
        Some(Self {
            tls,
            client_auth: client_auth?,
            server_name: match server_name {
                Some(name) => Some(name?),
                None => None,
            },
        })
    }
}

fn read_client_auth(section: &Section<'_>, has_ca: bool, problems: &mut Problems) -> Option<ClientAuth> {
    let Some(text) = section.text("client_auth", problems) else {
        let default = if has_ca { ClientAuth::Required } else { ClientAuth::None };
        return section.value("client_auth").is_none().then_some(default);
    };
    match *text.get_ref() {
        "none" => Some(ClientAuth::None),
        "required" if has_ca => Some(ClientAuth::Required),
        "required" => {
            let message = "`client_auth` needs a `ca` to check the certificates of others against";
            problems.error(text.span(), message, "add for example `ca = \"ca.pem\"`");
            None
        }
        _ => {
            let help = "expected `required` or `none`";
            problems.error(text.span(), "`client_auth` is neither `required` nor `none`", help);
            None
        }
    }
}

fn read_server_name(name: &Spanned<&str>, problems: &mut Problems) -> Option<ServerName<'static>> {
    let checked = ServerName::try_from((*name.get_ref()).to_owned());
    checked
        .map_err(|_| {
            let help = "expected a DNS name or an IP address, as it is in the certificates of the peers";
            problems.error(
                name.span(),
                "`server_name` is not a name that a certificate can have",
                help,
            );
        })
        .ok()
}

/// At the key that names the file.
fn report(
    error: &TlsError,
    cert: &Spanned<&str>,
    key: &Spanned<&str>,
    ca: Option<&Spanned<&str>>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) {
    let path = match error.file() {
        Some(TlsFile::Key) => key,
        Some(TlsFile::Ca) => ca.unwrap_or(cert),
        _ => cert,
    };
    problems.error(path.span(), error.to_string(), help(error, path, context));
}

/// What to do about a file that is no good.
pub(super) fn help(error: &TlsError, path: &Spanned<&str>, context: &ReadContext<'_>) -> String {
    if error.is_not_found() {
        return missing(path.get_ref(), context.folder_of(path.span().start));
    }
    let help = match error {
        TlsError::Key(error) => return error.help(),
        TlsError::Writable { by, .. } => return by.help(),
        TlsError::Mismatch { .. } => "replace both together",
        _ => match error.file() {
            Some(TlsFile::Key) => "expected a private key that starts with `-----BEGIN PRIVATE KEY-----`",
            _ => "expected one or more certificates that start with `-----BEGIN CERTIFICATE-----`",
        },
    };
    help.to_owned()
}
