//! Who asks, and from where: what every request passes before anything is done.
//!
//! A browser on an operator's machine reaches the node as the operator does, whatever page it shows. So a node that listens on its own
//! machine alone answers only to that machine's names, which keeps out pages whose own name was made to lead here (DNS rebinding), and
//! no request that a browser sends for another site is answered.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use tokio::time::Instant;

use super::problem::{Kind, Problem};
use super::state::AdminState;
use crate::control::Role;

/// Headers by which a browser says what a request is for.
const SITE: &str = "sec-fetch-site";
const DESTINATION: &str = "sec-fetch-dest";

/// What every answer has, unless it says otherwise: nothing of it is to be kept, framed, guessed at or read by other sites.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// A connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) is_secure: bool,
    /// Whether its other end has shown a certificate that leads to the CA.
    pub(super) is_proved: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// None if they have proved nothing, and that doesn't do.
    pub(super) role: Option<Role>,
}

/// Refuses, or hands on with the [`Caller`].
pub(super) async fn guard(State(state): State<Arc<AdminState>>, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Connection>().copied();
    let admitted = admit(&state, connection, request.method(), request.uri(), request.headers());
    let mut response = match admitted {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => {
            log(&state, &problem, connection);
            problem.into_response()
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

fn log(state: &AdminState, problem: &Problem, connection: Option<Connection>) {
    if let Some(before) = state.refusals.lock().note(Instant::now()) {
        let peer = connection.map(|connection| connection.peer.to_string());
        let reason = problem.kind();
        tracing::warn!(peer, ?reason, before, "a request to the admin HTTP was turned away");
    }
}

fn admit(
    state: &AdminState,
    connection: Option<Connection>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let authority = authority(uri, headers)?;
    if state.address.ip().to_canonical().is_loopback() && !is_own(authority, &state.access.allowed_hosts) {
        let detail = format!(
            "{authority:?} is no name of this machine; call the node by 127.0.0.1 or localhost, or add the name to `allowed_hosts` \
             in [admin]"
        );
        return Err(Problem::new(Kind::Host, detail));
    }
    let is_secure = connection.is_some_and(|connection| connection.is_secure);
    check_site(authority, is_secure, method, headers)?;
    let is_proved = connection.is_some_and(|connection| connection.is_proved);
    let by_certificate = state.access.client_role.filter(|_| is_proved);
    let free = by_certificate.max(state.access.proofs.anonymous());
    let Some(shown) = headers.get(header::AUTHORIZATION) else {
        return Ok(Caller { role: free });
    };
    let token = bearer(shown.as_bytes())
        .ok_or_else(|| Problem::new(Kind::WrongToken, "the header Authorization is not `Bearer TOKEN`"))?;
    match state.access.proofs.role(token) {
        Some(role) => Ok(Caller {
            role: free.max(Some(role)),
        }),
        None => {
            let detail = "the files that [admin] of node.toml names have the tokens of this node";
            Err(Problem::new(Kind::WrongToken, detail))
        }
    }
}

/// The host that a request is for, with its port if it says one.
fn authority<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Result<&'r str, Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    // Where the address of a request names a host as well, that is the one that it is for (RFC 9112, section 3.2.2).
    let is_other = |host: &str| uri.authority().is_some_and(|authority| authority.as_str() != host);
    match (hosts.next().map(HeaderValue::to_str), hosts.next()) {
        (Some(Ok(host)), None) if !host.is_empty() && !is_other(host) => Ok(host),
        (None, None) if uri.authority().is_some() => Ok(uri.authority().map_or("", |authority| authority.as_str())),
        _ => Err(Problem::new(
            Kind::BadRequest,
            "expected one header Host that names the node",
        )),
    }
}

/// True for a name that leads to this machine from this machine alone.
fn is_own(authority: &str, allowed: &[String]) -> bool {
    let host = without_port(authority);
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let is_loopback = bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    is_loopback || host.eq_ignore_ascii_case("localhost") || allowed.iter().any(|name| host.eq_ignore_ascii_case(name))
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address without a port ends in its bracket.
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}

/// Refuses what a browser sends for another site.
fn check_site(authority: &str, is_secure: bool, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let foreign = |detail: String| Problem::new(Kind::ForeignOrigin, detail);
    let of = |name| headers.get(name).map(HeaderValue::as_bytes);
    let site = of(SITE);
    // No page can write this header. Behind a proxy that ends TLS the browser knows the scheme of its origin, and the node doesn't.
    if site == Some(b"same-origin") {
        return Ok(());
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let scheme = if is_secure { "https" } else { "http" };
        let own = format!("{scheme}://{authority}");
        if !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()) {
            return Err(foreign(format!(
                "only pages of {own} may ask, and this one is of another origin"
            )));
        }
    }
    let is_elsewhere = site.is_some_and(|site| site != b"none");
    // Somebody follows a link to here: the page that has it sees nothing of the answer.
    let is_visit = *method == Method::GET && of(DESTINATION) == Some(b"document");
    if is_elsewhere && !is_visit {
        return Err(foreign("a page of another site had the browser send this".to_owned()));
    }
    Ok(())
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_lead_to_it() {
        let allowed = ["node.example".to_owned()];
        for (authority, expected) in [
            ("127.0.0.1:9690", true),
            ("127.8.9.1", true),
            ("localhost", true),
            ("LocalHost:1", true),
            ("[::1]:9690", true),
            ("[::1]", true),
            ("node.example:80", true),
            ("evil.example", false),
            ("localhost.evil.example:9690", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1:9690", false),
            ("[fe80::1]:1", false),
            ("", false),
            (":9690", false),
        ] {
            assert_eq!(is_own(authority, &allowed), expected, "{authority:?}");
        }
    }

    #[test]
    fn a_page_behind_a_proxy_that_ends_tls_may_ask_and_one_of_another_site_may_not() {
        let check = |origin: &'static str, site: &[&'static str]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            for site in site {
                headers.insert(SITE, HeaderValue::from_static(site));
            }
            check_site("node.example", false, &Method::POST, &headers).is_ok()
        };
        assert!(check("https://node.example", &["same-origin"]));
        assert!(check("http://node.example", &[]), "an old browser, without a proxy");
        for (origin, site) in [
            ("https://node.example", &[][..]),
            ("https://evil.example", &[]),
            ("https://evil.example", &["cross-site"]),
            ("http://node.example", &["cross-site"]),
            ("https://other.node.example", &["same-site"]),
            ("null", &["none"]),
        ] {
            assert!(!check(origin, site), "{origin} {site:?}");
        }
    }

    #[test]
    fn a_request_is_for_one_host() {
        let of = |uri: &str, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            authority(&uri.parse().unwrap(), &headers).map(str::to_owned).ok()
        };
        assert_eq!(of("/v1", &["a:1"]).as_deref(), Some("a:1"));
        assert_eq!(of("http://a:1/v1", &["a:1"]).as_deref(), Some("a:1"));
        for (uri, hosts) in [
            ("/v1", &[][..]),
            ("/v1", &["a:1", "a:1"]),
            ("/v1", &[""]),
            ("http://evil/v1", &["a:1"]),
        ] {
            assert_eq!(of(uri, hosts), None, "{uri} {hosts:?}");
        }
    }

    #[test]
    fn a_token_follows_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bearer  abc "), Some(&b"abc"[..]));
        for wrong in [&b"Basic abc"[..], b"Bearer", b"", b"abc"] {
            assert_eq!(bearer(wrong), None);
        }
    }
}
