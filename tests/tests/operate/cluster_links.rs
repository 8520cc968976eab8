//! The links of the whole cluster, as one node finds them out from the others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::wait;
use serde_json::{Value, json};

use crate::http::{admin_node, get, url};
use crate::operator::at;

/// The nodes at the other ends of the links of this node, or why they aren't known.
fn of(cluster: &Value, node: &str) -> Option<Result<Vec<String>, String>> {
    let nodes = cluster["nodes"].as_array()?;
    let found = nodes.iter().find(|of| of["node"] == node)?;
    if let Some(unknown) = found["unknown"].as_str() {
        return Some(Err(unknown.to_owned()));
    }
    let links = found["links"].as_array()?;
    let mut names: Vec<String> = links
        .iter()
        .filter_map(|link| Some(link["name"].as_str()?.to_owned()))
        .collect();
    names.sort();
    Some(Ok(names))
}

#[test]
fn a_node_shows_the_links_of_all_others_that_have_a_key_in_common_with_it() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = |role: &str, digit: &str| {
        let path = keys.path().join(role);
        fs::write(&path, format!("{role} {digit}0f1e2d3c4b5a69788796a5b4c3d2e1f")).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permissions");
        path
    };
    let (deploy, observe, other) = (key("deploy", "1"), key("observe", "2"), key("other", "3"));
    let both = format!("[control]\nkey_file = {deploy:?}\nobserve_key_file = {observe:?}\n");
    let mut alpha = admin_node("alpha", &[], &both);
    let joins = |others: &[&HostNode]| {
        let peers: Vec<&str> = others.iter().map(|other| other.address()).collect();
        format!("peers = {peers:?}\n")
    };
    let state = "[runtime]\nstate_dir = \"state\"\n";
    let beta = HostNode::start("beta", &format!("{}{both}{state}", joins(&[&alpha])));
    // It has the key of the role that it takes, and no other one.
    let observed = format!("[control]\nkey_file = {observe:?}\n");
    let gamma = HostNode::start("gamma", &format!("{}{observed}{state}", joins(&[&alpha, &beta])));
    let strange = format!("[control]\nkey_file = {other:?}\n");
    let _delta = HostNode::start("delta", &format!("{}{strange}{state}", joins(&[&alpha])));
    let _epsilon = HostNode::start("epsilon", &format!("{}{state}", joins(&[&gamma])));
    let url = url(&mut alpha);
    let cluster = || get(&format!("{url}/v1/cluster"), None).json();
    let names = |names: &[&str]| names.iter().map(|name| format!("{name}@localhost")).collect::<Vec<_>>();
    let known = wait::until("all links", cluster, |cluster| {
        of(cluster, "alpha@localhost") == Some(Ok(names(&["beta", "delta", "gamma"])))
            && of(cluster, "beta@localhost") == Some(Ok(names(&["alpha", "gamma"])))
            && of(cluster, "gamma@localhost") == Some(Ok(names(&["alpha", "beta", "epsilon"])))
    });
    assert_eq!(known["nodes"][0]["node"], json!("alpha@localhost"), "{known}");
    assert!(
        of(&known, "epsilon@localhost").is_none(),
        "nobody asks those beyond: {known}"
    );
    let refused = of(&known, "delta@localhost");
    assert!(
        matches!(&refused, Some(Err(reason)) if reason.contains("refused")),
        "{refused:?}"
    );
}

#[test]
fn a_key_that_is_replaced_is_the_one_that_others_are_asked_with() {
    let keys = tempfile::tempdir().expect("a folder");
    let [of_alpha, of_beta] = ["alpha", "beta"].map(|name| keys.path().join(name));
    let write = |path: &Path, key: &str| {
        fs::write(path, format!("{key}-0f1e2d3c4b5a69788796a5b4c3d2e1f0")).expect("a key");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("permissions");
    };
    write(&of_alpha, "first");
    write(&of_beta, "first");
    let mut alpha = admin_node("alpha", &[], &format!("[control]\nkey_file = {of_alpha:?}\n"));
    let beta = HostNode::start(
        "beta",
        &format!(
            "peers = [{:?}]\n[control]\nkey_file = {of_beta:?}\n[runtime]\nstate_dir = \"state\"\n",
            alpha.address()
        ),
    );
    let url = url(&mut alpha);
    let cluster = || get(&format!("{url}/v1/cluster"), None).json();
    let is_known = |cluster: &Value| of(cluster, "beta@localhost") == Some(Ok(vec!["alpha@localhost".to_owned()]));
    wait::until("the links of beta", cluster, is_known);
    write(&of_beta, "second");
    assert_eq!(at(&beta, &["apply"]).code, Some(0));
    let refused = wait::until("that beta refuses the key", cluster, |cluster| {
        matches!(of(cluster, "beta@localhost"), Some(Err(_)))
    });
    let Some(Err(reason)) = of(&refused, "beta@localhost") else {
        unreachable!()
    };
    assert!(reason.contains("refused"), "{reason}");
    // Who refuses is asked again after five minutes, but for this.
    write(&of_alpha, "second");
    assert_eq!(at(&alpha, &["apply"]).code, Some(0));
    wait::until("the links of beta again", cluster, is_known);
}
