//! Who may send requests, and to whom.

use ractor_host_tests::certificates::Ca;
use ractor_host_tests::cli;
use ractor_host_tests::host::{HostNode, NodeFolder, node_toml, run};
use ractor_host_tests::web::WebServer;
use ractor_host_tests::{COOKIE, programs};

use super::{ask, fetcher, get, granted, is_logged, node, others_go_on, with};

#[test]
fn requests_go_to_hosts_that_are_granted() {
    let (server, other) = (WebServer::start(), WebServer::start());
    let mut node = node(&server, "");
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
    assert_eq!(
        ask(&node, "fetcher", &["Post", &server.url("/echo"), "a text"]),
        "200 POST a text"
    );
    assert_eq!(
        get(&node, "fetcher", &server.url("")),
        "404",
        "without a path it is the root"
    );

    let elsewhere = [
        other.url("/hello"),
        server.url("/hello").replace("http", "https"),
        server.url("/hello").replace("127.0.0.1", "localhost"),
        server.url("/hello").replace("127.0.0.1", "127.0.0.2"),
    ];
    for url in &elsewhere {
        let refused = get(&node, "fetcher", url);
        assert!(refused.ends_with("HttpRequestDenied"), "{url}: {refused}");
    }
    assert_eq!(other.paths(), [""; 0]);
    let add = format!("add under [actors.capabilities]: http = [\"{}\"]", other.url(""));
    is_logged(&mut node, &["capability denied", "actor=\"fetcher\"", &add]);
    others_go_on(&node, &server);
}

#[test]
fn what_is_no_request_to_a_host_is_refused() {
    let server = WebServer::start();
    let node = node(&server, "");
    let tunnel = ask(&node, "fetcher", &["Tunnel", &server.url("/hello")]);
    assert!(tunnel.ends_with("HttpRequestMethodInvalid"), "{tunnel}");
    let with_user = server.url("/hello").replace("127.0.0.1", "user@127.0.0.1");
    for (url, code) in [
        (with_user.as_str(), "HttpRequestUriInvalid"),
        ("http://", "HttpRequestUriInvalid"),
        ("ftp://127.0.0.1/", "HttpProtocolError"),
    ] {
        let refused = get(&node, "fetcher", url);
        assert!(refused.ends_with(code), "{url}: {refused}");
    }
    assert_eq!(server.paths(), [""; 0]);
    others_go_on(&node, &server);
}

#[test]
fn names_do_not_lead_to_this_machine_unless_that_is_granted() {
    let server = WebServer::start();
    let port = server.port();
    let local = format!("capabilities = {{ http = [\"http://localhost:{port}\"] }}");
    let any = format!("capabilities = {{ http = [\"http://*:{port}\"] }}");
    let mut node = HostNode::start("alpha", &with("", &[fetcher("local", &local), fetcher("any", &any)]));
    let by = |host: &str| format!("http://{host}:{port}/hello");
    assert_eq!(get(&node, "local", &by("localhost")), "200 hello");
    for host in ["127.0.0.1", "localhost"] {
        let refused = get(&node, "any", &by(host));
        assert!(refused.ends_with("DestinationIpProhibited"), "{host}: {refused}");
    }
    // These are no addresses to whoever reads them, and to the resolver of the system they are.
    for host in ["127.1", "2130706433"] {
        let refused = get(&node, "any", &by(host));
        assert!(refused.contains("DnsError"), "{host}: {refused}");
    }
    let metadata = get(&node, "any", &format!("http://169.254.169.254:{port}/"));
    assert!(metadata.ends_with("DestinationIpProhibited"), "{metadata}");
    assert_eq!(server.paths(), ["/hello"]);
    let at = format!("which is at \"http://127.0.0.1:{port}\"");
    is_logged(&mut node, &["actor=\"any\"", &at, "http = [\"http://"]);
}

#[test]
fn https_is_for_servers_whose_certificate_is_trusted() {
    let (ca, stranger) = (Ca::new("web"), Ca::new("stranger"));
    let certificates = ca.issue(&ca);
    let (server, wrong) = (
        WebServer::start_tls(&certificates),
        WebServer::start_tls(&stranger.issue(&stranger)),
    );
    let plain = WebServer::start();
    let rest = format!(
        "capabilities = {{ http = [\"{}\", \"{}\", \"https://localhost:{}\", \"https://127.0.0.1:{}\"] }}",
        server.url(""),
        wrong.url(""),
        server.port(),
        plain.port(),
    );
    let roots = format!("[runtime]\nhttp_roots = {:?}\n", certificates.ca());
    let node = HostNode::start("alpha", &with(&roots, &[fetcher("fetcher", &rest)]));
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
    let by_name = server.url("/hello").replace("127.0.0.1", "localhost");
    assert_eq!(get(&node, "fetcher", &by_name), "200 hello");
    assert_eq!(
        ask(&node, "fetcher", &["Post", &server.url("/echo"), "a text"]),
        "200 POST a text"
    );
    let refused = get(&node, "fetcher", &wrong.url("/hello"));
    assert!(refused.ends_with("TlsCertificateError"), "{refused}");
    assert_eq!(wrong.paths(), [""; 0]);
    let no_tls = get(&node, "fetcher", &plain.url("/hello").replace("http", "https"));
    assert!(
        no_tls.ends_with("TlsProtocolError") || no_tls.ends_with("ConnectionTerminated"),
        "{no_tls}"
    );
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
}

#[test]
fn without_roots_of_its_own_a_node_trusts_what_the_system_trusts() {
    let ca = Ca::new("web");
    let certificates = ca.issue(&ca);
    let server = WebServer::start_tls(&certificates);
    let rest = format!("capabilities = {{ {} }}", granted(&server));
    let node = HostNode::start("alpha", &with("", &[fetcher("fetcher", &rest)]));
    let refused = get(&node, "fetcher", &server.url("/hello"));
    assert!(refused.ends_with("TlsCertificateError"), "{refused}");
    drop(node);
    // As the system's certificates are changed for one program.
    let system = [("SSL_CERT_FILE", certificates.ca())];
    let node = HostNode::start_in("alpha", &with("", &[fetcher("fetcher", &rest)]), &system);
    assert_eq!(get(&node, "fetcher", &server.url("/hello")), "200 hello");
}

#[test]
fn roots_that_are_none_are_found_out_by_check() {
    for (content, part) in [
        (Some("what?"), "holds no certificate in PEM form"),
        (None, "cannot be read"),
    ] {
        let folder = NodeFolder::new(&node_toml("alpha", "[runtime]\nhttp_roots = \"roots.pem\"\n"), COOKIE);
        if let Some(content) = content {
            folder.write("roots.pem", content);
        }
        let checked = cli::ractor_host(&["check", &folder.path("node.toml").display().to_string()]);
        assert_eq!(checked.code, Some(2), "{}", checked.stderr);
        assert!(checked.stderr.contains(part), "{}", checked.stderr);
        assert!(checked.stderr.contains("node.toml:6:14"), "{}", checked.stderr);
    }
}

#[test]
fn redirects_are_the_guests_to_follow() {
    let server = WebServer::start();
    let node = node(&server, "");
    assert_eq!(get(&node, "fetcher", &server.url("/redirect")), "302");
    assert_eq!(server.paths(), ["/redirect"]);
}

#[test]
fn a_component_that_imports_http_without_a_grant_is_refused_with_the_line_to_add() {
    let folder = NodeFolder::new(&node_toml("alpha", &with("", &[fetcher("fetcher", "")])), COOKIE);
    let file = folder.path("node.toml").display().to_string();
    let ran = cli::end("ractor-host run without a grant", &mut run(&folder.path("node.toml")));
    for ended in [ran, cli::ractor_host(&["check", &file])] {
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for part in [
            "actor `fetcher` of module `fetch`: it imports `wasi:http/",
            "add under [actors.capabilities]: http = [\"https://HOST\"]",
        ] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_component_may_be_told_that_it_has_nobody_to_reach() {
    let server = WebServer::start();
    let node = HostNode::start(
        "alpha",
        &with("", &[fetcher("fetcher", "capabilities = { http = [] }")]),
    );
    let refused = get(&node, "fetcher", &server.url("/hello"));
    assert!(refused.ends_with("HttpRequestDenied"), "{refused}");
}

#[test]
fn check_and_inspect_name_the_capability() {
    let server = WebServer::start();
    let rest = format!("capabilities = {{ {} }}", granted(&server));
    let folder = NodeFolder::new(&node_toml("alpha", &with("", &[fetcher("fetcher", &rest)])), COOKIE);
    let checked = cli::ractor_host(&["check", &folder.path("node.toml").display().to_string()]);
    let line = format!("    may send HTTP requests to {}\n", server.url(""));
    assert!((checked.stdout.clone() + "\n").contains(&line), "{}", checked.stdout);

    let path = programs::guest("fetch").display().to_string();
    let shown = cli::ractor_host(&["inspect", &path]);
    for part in [
        "  http        the component is refused without it; add under [actors.capabilities]: http = [\"https://HOST\"]\n",
        "\n  wasi:http/outgoing-handler@0.2.",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let json = cli::ractor_host(&["inspect", &path, "--output", "json"]);
    assert!(json.stdout.contains("\"need\": \"required\""), "{}", json.stdout);
}

#[test]
fn a_grant_that_is_none_is_an_error_with_what_was_meant() {
    let rest = "capabilities = { http = [\"api.example.com\", \"https://api.example.com/v1\"] }";
    let folder = NodeFolder::new(&node_toml("alpha", &with("", &[fetcher("fetcher", rest)])), COOKIE);
    let checked = cli::ractor_host(&["check", &folder.path("node.toml").display().to_string()]);
    assert_eq!(checked.code, Some(2), "{}", checked.stdout);
    for part in [
        "it has no scheme",
        "it has a path, and whole hosts are granted",
        "did you mean \"https://api.example.com\"?",
    ] {
        assert!(checked.stderr.contains(part), "{part}: {}", checked.stderr);
    }
}
