//! `[admin]`: the address at which monitoring and operators reach the node by HTTP, and who may do what there.

use std::net::SocketAddr;

use toml::Spanned;

use super::context::ReadContext;
use super::control::ControlSection;
use super::listen::{is_loopback, read_listen};
use super::node::NodeSection;
use super::problem::Problems;
use super::secret::{Presence, SecretKey, SecretKeys, SecretPlace};
use super::section::{Keys, Section};
use super::tls::{TlsSection, TlsUse};
use crate::admin::AdminToken;
use crate::control::Role;
use crate::tls::ClientAuth;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "listen",
        "observe_token_file",
        "observe_token_env",
        "operate_token_file",
        "operate_token_env",
        "deploy_token_file",
        "deploy_token_env",
        "allowed_hosts",
        "required_peers",
        "tls",
    ],
    explained: &[
        (
            "token_file",
            "each role has a token of its own: write `observe_token_file`, `operate_token_file` or `deploy_token_file`",
        ),
        (
            "token",
            "a token itself can't be written here: name a file with `observe_token_file = \"…\"`",
        ),
        (
            "key_file",
            "the keys of [control] never travel, and tokens do: write `deploy_token_file = \"…\"`, with a token of its own",
        ),
        ("port", "the port is part of `listen = \"127.0.0.1:9690\"`"),
        ("client_auth", "it is part of [admin.tls]"),
    ],
};

/// Those of `[admin.tls]`.
pub(super) const TLS_KEYS: Keys = Keys {
    known: &["cert", "key", "ca", "client_auth", "client_role"],
    explained: &[(
        "server_name",
        "it belongs to [node.tls]: this address is dialled by others",
    )],
};

/// Where the token of a role is.
const PLACES: [(Role, SecretKeys); 3] = [
    (
        Role::Observe,
        place(
            "observe_token_file",
            "observe_token_env",
            "the token to observe",
            "RACTOR_OBSERVE_TOKEN",
        ),
    ),
    (
        Role::Operate,
        place(
            "operate_token_file",
            "operate_token_env",
            "the token to operate",
            "RACTOR_OPERATE_TOKEN",
        ),
    ),
    (
        Role::Deploy,
        place(
            "deploy_token_file",
            "deploy_token_env",
            "the token to deploy",
            "RACTOR_DEPLOY_TOKEN",
        ),
    ),
];

const fn place(file: &'static str, variable: &'static str, what: &'static str, example: &'static str) -> SecretKeys {
    SecretKeys {
        file,
        variable,
        what,
        example,
        mistaken: &[],
        presence: Presence::Optional,
    }
}

/// The checked `[admin]` table.
#[derive(Clone, Debug)]
pub struct AdminSection {
    /// Where it listens. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The tokens.
    pub tokens: Vec<RoleToken>,
    /// Names besides those of this machine by which requests may call a node that listens on this machine alone.
    pub allowed_hosts: Vec<String>,
    /// The full names of the nodes without which this one is not ready.
    pub required_peers: Vec<String>,
    /// `[admin.tls]`. None for plain HTTP.
    pub tls: Option<AdminTls>,
}

/// The token of one role.
#[derive(Clone, Debug)]
pub struct RoleToken {
    /// What those may do who show it.
    pub role: Role,
    /// The token.
    pub token: AdminToken,
    /// Where that came from.
    pub place: SecretPlace,
}

/// The checked `[admin.tls]` table.
#[derive(Clone, Debug)]
pub struct AdminTls {
    /// The certificates.
    pub section: TlsSection,
    /// What those may do who show a certificate that leads to `ca`. None where nobody is asked for one.
    pub client_role: Option<Role>,
}

impl AdminSection {
    /// What those may do who prove nothing. Looking is free to whoever is on this machine, unless that takes a token or a
    /// certificate.
    pub fn anonymous(&self) -> Option<Role> {
        let has_observe = self.tokens.iter().any(|entry| entry.role == Role::Observe);
        let has_clients = self.tls.as_ref().is_some_and(|tls| tls.client_role.is_some());
        (is_loopback(self.listen) && !has_observe && !has_clients).then_some(Role::Observe)
    }

    pub(super) fn read(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<Self> {
        let listen = section.required_text("listen", "\"127.0.0.1:9690\"", problems);
        let address = listen.as_ref().and_then(|listen| read_listen(listen, problems));
        let tokens = read_tokens(section, context, problems);
        let allowed_hosts = read_hosts(section, problems);
        let required_peers = read_peers(section, problems);
        let tls = match section.value("tls") {
            None => None,
            // A table with a mistake leaves no section at all: it must never end in plain HTTP.
            Some(value) => Some(
                Section::open("[admin.tls]", value, TLS_KEYS, problems)
                    .and_then(|section| read_tls(&section, context, problems))?,
            ),
        };
        let this = Self {
            listen: address?,
            tokens,
            allowed_hosts: allowed_hosts?,
            required_peers: required_peers?,
            tls,
        };
        if let Some(listen) = listen.filter(|_| !is_loopback(this.listen)) {
            this.check_reachable(section, &listen, problems);
        }
        Some(this)
    }

    /// An address that other machines can reach.
    fn check_reachable(&self, section: &Section<'_>, listen: &Spanned<&str>, problems: &mut Problems) {
        let names_token = PLACES
            .iter()
            .any(|(_, keys)| !section.lacks(keys.file) || !section.lacks(keys.variable));
        let has_clients = self.tls.as_ref().is_some_and(|tls| tls.client_role.is_some());
        let address = self.listen;
        if !names_token && !has_clients {
            problems.error(
                listen.span(),
                format!("other machines can reach {address}, and anybody there could look at this node"),
                "add `observe_token_file = \"…\"`, or `[admin.tls]` with a `ca`, or listen on 127.0.0.1",
            );
        } else if self.tls.is_none() {
            problems.warning(
                listen.span(),
                format!("other machines can reach {address}, and tokens travel there as plain text"),
                "add `[admin.tls]`, unless the network itself is safe",
            );
        }
    }

    /// Complains about a token that is another secret as well: it travels, and the others must not.
    pub(super) fn check_secrets(
        &self,
        section: &Section<'_>,
        node: Option<&NodeSection>,
        control: Option<&ControlSection>,
        problems: &mut Problems,
    ) {
        for entry in &self.tokens {
            let token = entry.token.expose();
            let is_cookie = node.is_some_and(|node| node.cookie.expose().as_bytes() == token);
            let keys = control.iter().flat_map(|control| &control.keys);
            let is_key = keys.into_iter().any(|key| key.key.expose() == token);
            let what = match (is_cookie, is_key) {
                (true, _) => "the cookie",
                (_, true) => "a key of [control]",
                _ => continue,
            };
            problems.error(
                section.span.clone(),
                format!("the token to {} is {what}, too", entry.role),
                "make one of its own: a token travels with each request, and that secret never does",
            );
        }
    }
}

fn read_tokens(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Vec<RoleToken> {
    let mut tokens: Vec<RoleToken> = Vec::new();
    for (role, keys) in PLACES {
        let Some(place) = keys.read(section, problems) else {
            continue;
        };
        let token = match &place {
            SecretKey::File(file) => AdminToken::from_file(&context.path(file)),
            SecretKey::Variable(variable) => {
                let name = *variable.get_ref();
                AdminToken::from_variable(name, (context.variable)(name))
            }
        };
        let token = match token {
            Ok(token) => token,
            Err(error) => {
                let help = place.help(error.is_not_found(), error.help(), context);
                problems.error(place.span(), error.to_string(), help);
                continue;
            }
        };
        if let Some(same) = tokens.iter().find(|other| other.token == token) {
            let message = format!("{} is that of the role `{}`, too", keys.what, same.role);
            let help = "make one of its own: whoever has it could do all that the other allows";
            problems.error(place.span(), message, help);
            continue;
        }
        let place = place.resolved(context);
        tokens.push(RoleToken { role, token, place });
    }
    tokens
}

/// Host names in lower case, as requests are compared with them.
fn read_hosts(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    let read = section.texts("allowed_hosts", problems).into_iter().map(|host| {
        let name = *host.get_ref();
        if name.is_empty() || !name.chars().all(fits) {
            let message = format!("{name:?} is not the name of a host");
            problems.error(
                host.span(),
                message,
                "expected a name without a port, for example `node.example.com`",
            );
            return None;
        }
        Some(name.to_ascii_lowercase())
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

fn read_peers(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let read = section.texts("required_peers", problems).into_iter().map(|peer| {
        let name = *peer.get_ref();
        match name.split_once('@') {
            Some((node, host)) if !node.is_empty() && !host.is_empty() && !name.contains(char::is_whitespace) => {
                Some(name.to_owned())
            }
            _ => {
                let message = format!("{name:?} is not the full name of a node");
                problems.error(
                    peer.span(),
                    message,
                    "expected NAME@HOSTNAME, for example `beta@localhost`",
                );
                None
            }
        }
    });
    read.collect::<Vec<_>>().into_iter().collect()
}

fn read_tls(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<AdminTls> {
    let named = match section.text("client_role", problems) {
        None => Some(Role::Observe),
        Some(text) => {
            let roles = [Role::Observe, Role::Operate, Role::Deploy];
            let role = roles.into_iter().find(|role| role.to_string() == **text.get_ref());
            if role.is_none() {
                let message = "`client_role` is not a role";
                problems.error(text.span(), message, "expected `observe`, `operate` or `deploy`");
            }
            role
        }
    };
    let tls = TlsSection::read(section, context, TlsUse::Admin, problems)?;
    let client_role = match tls.client_auth {
        ClientAuth::Required => Some(named?),
        ClientAuth::None => None,
    };
    if let (ClientAuth::None, Some(role)) = (tls.client_auth, section.value("client_role")) {
        let message = "`client_role` says what a certificate allows, and nobody is asked for one";
        problems.error(role.span(), message, "add a `ca` to check certificates against");
    }
    Some(AdminTls {
        section: tls,
        client_role,
    })
}
