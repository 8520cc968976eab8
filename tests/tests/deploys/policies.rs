//! What holds on every path by which code, files and secrets come to a node. Which paths there are for each policy is a table:
//! `tests/tidy/policies.rs`.

use std::fs;
use std::path::Path;

use ractor_host::guest::Digest;
use ractor_host_tests::cli::{Ended, end, ractor_host};
use ractor_host_tests::host::{HostNode, NodeFolder, node_toml};
use ractor_host_tests::process::Stream;
use ractor_host_tests::programs;

use crate::lab::Lab;
use crate::versions::version;

/// The cookie of the nodes that don't start.
const SECRET: &str = "1b2c3d4e5f60718293a4b5c6d7e8f901";

fn pinned_to(number: u8) -> String {
    format!("digest = \"{}\"", Digest::of(&version(number)))
}

/// The node of the lab as it is configured now, with `check`.
#[track_caller]
fn check(node: &HostNode) -> Ended {
    let file = node.file("node.toml");
    ractor_host(&["check", file.to_str().expect("a path")])
}

#[test]
fn a_digest_that_is_written_after_a_deployment_holds_at_the_next_start() {
    let lab = Lab::new();
    let mut node = lab.node("alpha", &version(1));
    let new = lab.write("new.wasm", &version(2));
    let deploy = ["counter", "--file", new.to_str().expect("a path")];
    lab.control("reload", &[node.address()], &deploy).answer();
    assert_eq!(lab.ask(&node, "version"), 2);

    node.crash_and_restart(&lab.toml("alpha", &[], &pinned_to(1), ""));
    assert_eq!(lab.ask(&node, "version"), 1);
    let (one, two) = (Digest::of(&version(1)).to_string(), Digest::of(&version(2)).to_string());
    node.process().wait_line(Stream::Stderr, 0, "both digests", |line| {
        line.contains("does not run") && line.contains(&one) && line.contains(&two)
    });
    check(&node).answer();
    for (verb, rest) in [("reload", &deploy[..]), ("rollback", &deploy[..1])] {
        let refused = lab.control(verb, &[node.address()], rest);
        assert_eq!(refused.code, Some(1), "{verb}: {}", refused.stdout);
    }
    lab.write("alpha.wasm", &version(3));
    let refused = lab.control("reload", &[node.address()], &["counter"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert_eq!(lab.ask(&node, "version"), 1);
    let checked = check(&node);
    assert_eq!(checked.code, Some(2), "the file is another: {}", checked.stdout);

    // What the digest asks for was deployed, and the file may have anything.
    node.crash_and_restart(&lab.toml("alpha", &[], &pinned_to(2), ""));
    assert_eq!(lab.ask(&node, "version"), 2);
    check(&node).answer();
}

/// What `check` and `run` say of a node.toml in a folder with a cookie, an empty folder `data` and the component of a counter. `rest`
/// begins within `[node]`.
#[track_caller]
fn refused(toml: &str, prepare: impl Fn(&NodeFolder)) -> String {
    let folder = NodeFolder::new(toml, SECRET);
    folder.write("counter.wasm", version(1));
    fs::create_dir(folder.path("data")).expect("a folder");
    prepare(&folder);
    let run = |verb: &str| {
        let mut command = programs::ractor_host();
        command.arg(verb).arg(folder.path("node.toml"));
        command.env("POLICY_SECRET", SECRET);
        end(verb, &mut command)
    };
    let (checked, ran) = (run("check"), run("run"));
    for ended in [&checked, &ran] {
        assert_ne!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    }
    let text = format!("{}{}", checked.stdout, checked.stderr);
    assert!(!text.contains(SECRET), "{text}");
    assert_eq!(checked.code, ran.code, "{text}\n{}{}", ran.stdout, ran.stderr);
    text
}

const COUNTER: &str =
    "[modules.counter]\npath = \"counter.wasm\"\n[[actors]]\nname = \"counter\"\nmodule = \"counter\"\n";

fn with_directory(host: &Path, access: &str) -> String {
    let directory = format!("{{ host = {host:?}, guest = \"/d\", access = \"{access}\" }}");
    let runtime = "[runtime]\nstate_dir = \"own/states\"\ncache_dir = \"own/cache\"\n";
    let capabilities = format!("capabilities = {{ directories = [{directory}] }}\n");
    node_toml("alpha", &format!("{runtime}{COUNTER}{capabilities}"))
}

#[test]
fn no_directory_that_is_granted_has_what_is_the_nodes_own() {
    for (host, access, expected) in [
        (".", "read", "has in it the cookie file"),
        ("own", "read", "has in it the key of the cache"),
        ("own/cache", "read-write", "the folder of compiled code (`cache_dir`)"),
        ("own/states/below", "read", "is in the folder of states (`state_dir`)"),
        ("linked", "read", "has in it the cookie file"),
        ("modules", "read-write", "has in it the file of a module"),
        ("/proc/self", "read", "is in what the system says of this process"),
    ] {
        let toml = with_directory(Path::new(host), access).replace("\"counter.wasm\"", "\"modules/counter.wasm\"");
        let text = refused(&toml, |folder| {
            for path in ["own/cache", "own/states/below", "modules"] {
                fs::create_dir_all(folder.path(path)).expect("a folder");
            }
            folder.write("modules/counter.wasm", version(1));
            std::os::unix::fs::symlink(".", folder.path("linked")).expect("a link");
        });
        assert!(text.contains(expected), "{host}: {text}");
        assert!(
            text.contains("node.toml:") && text.contains(&format!("{host:?}")),
            "{host}: {text}"
        );
    }
}

#[test]
fn no_variable_and_no_config_that_a_guest_has_hands_the_cookie_on() {
    let from_variable =
        node_toml("alpha", COUNTER).replace("cookie_file = \"cookie\"", "cookie_env = \"POLICY_SECRET\"");
    for (rest, expected) in [
        (
            "capabilities = { environment = [\"POLICY_SECRET\"] }\n",
            "the variable `POLICY_SECRET` has the cookie",
        ),
        (
            "capabilities = { environment = [\"OTHER=x-${POLICY_SECRET}\"] }\n",
            "the variable `OTHER` has the cookie",
        ),
        (
            "config = { token = \"${POLICY_SECRET}\" }\n",
            "`token` of its `config` has the cookie",
        ),
    ] {
        for toml in [&from_variable, &node_toml("alpha", COUNTER)] {
            let text = refused(&format!("{toml}{rest}"), |_| ());
            assert!(text.contains(expected) && text.contains("node.toml:"), "{rest}: {text}");
        }
    }
}

#[test]
fn a_folder_that_others_can_write_to_keeps_no_states() {
    use std::os::unix::fs::PermissionsExt as _;
    let toml = node_toml(
        "alpha",
        &format!("[control]\nkey_file = \"deploy.key\"\n[runtime]\nstate_dir = \"own\"\n{COUNTER}"),
    );
    for open in ["own", "own/components", "own/deployed.json"] {
        let text = refused(&toml, |folder| {
            folder.write_private("deploy.key", crate::lab::KEY);
            fs::create_dir_all(folder.path("own/components")).expect("a folder");
            folder.write("own/deployed.json", "{}");
            let everybody = fs::Permissions::from_mode(0o777);
            fs::set_permissions(folder.path(open), everybody).expect("permissions");
        });
        assert!(
            text.contains("can be written by every user of this machine"),
            "{open}: {text}"
        );
        assert!(
            text.contains(&format!("{open}`")) && text.contains("chmod go-w"),
            "{open}: {text}"
        );
    }
}

/// As somebody does who can write to the cache, or brings one from elsewhere.
#[test]
fn an_entry_of_the_cache_that_is_not_ours_is_compiled_anew() {
    let lab = Lab::new();
    let runtime = |state: &str| {
        let (cache, state) = (lab.path("cache"), lab.path(state));
        format!("[runtime]\ncache_dir = {cache:?}\nstate_dir = {state:?}\n{COUNTER}")
            .replace("\"counter.wasm\"", &format!("{:?}", lab.path("alpha.wasm")))
    };
    lab.write("alpha.wasm", &version(1));
    let mut node = HostNode::start("alpha", &runtime("states"));
    let entries = || {
        let mut entries: Vec<_> = fs::read_dir(lab.path("cache")).expect("a folder").flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        entries.into_iter().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let [entry] = &entries()[..] else {
        panic!("one entry expected");
    };
    let sound = fs::read(entry).expect("an entry");
    let mut forged = sound.clone();
    *forged.last_mut().expect("bytes") ^= 1;
    fs::write(entry, &forged).expect("written");
    node.crash_and_restart(&runtime("states"));
    node.process().wait_line(Stream::Stderr, 0, "what was found", |line| {
        line.contains("it is not what a node of this installation wrote")
    });
    assert_eq!(lab.ask(&node, "version"), 1);
    assert_ne!(fs::read(entry).expect("an entry"), forged);
    // A node with another key has an entry of its own.
    node.crash_and_restart(&runtime("other-states"));
    assert_eq!(lab.ask(&node, "version"), 1);
    assert_eq!(entries().len(), 2);
}
