//! What `check` and `run` make of the same node.toml: they agree, and say where each mistake is.

use std::path::Path;
use std::process::Command;

use ractor_host_tests::cli::{Ended, end, ractor_host};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter, node_toml, run};
use ractor_host_tests::peer::wait_ready;
use ractor_host_tests::process::Process;
use ractor_host_tests::{COOKIE, programs};

/// A folder with this node.toml, whose beginning is the usual one.
fn folder(rest: &str) -> NodeFolder {
    NodeFolder::new(&node_toml("alpha", rest), COOKIE)
}

fn check(folder: &NodeFolder, rest: &[&str]) -> Ended {
    let mut command = programs::ractor_host();
    command.arg("check").arg(folder.path("node.toml")).args(rest);
    end("ractor-host check", &mut command)
}

/// What a command says of mistakes, without its log and without the folder.
fn mistakes(ended: &Ended, folder: &NodeFolder) -> String {
    let path = folder.path("node.toml");
    let parent = path.parent().expect("a folder").display().to_string();
    let error = ended.stderr.split_once("error: ").map(|(_, error)| error);
    error.unwrap_or_default().replace(&parent, "DIR")
}

/// Both commands refuse the file with exit code 2 and these words.
#[track_caller]
fn both_refuse(folder: &NodeFolder, expected: &[&str]) {
    let checked = check(folder, &[]);
    let ran = end("ractor-host run", &mut run(&folder.path("node.toml")));
    assert_eq!((checked.code, ran.code), (Some(2), Some(2)), "{checked:?}\n{ran:?}");
    let (checked, ran) = (mistakes(&checked, folder), mistakes(&ran, folder));
    assert_eq!(checked, ran, "they agree");
    for words in expected {
        assert!(checked.contains(words), "should say: {words}\nbut says: {checked}");
    }
}

#[test]
fn what_keeps_an_actor_from_starting_is_found_before_anything_starts() {
    let (greeter, counter) = (programs::guest("greeter"), programs::guest("counter"));
    let folder = folder(&format!(
        "[modules.greeter]\npath = {greeter:?}\n[modules.counter]\npath = {counter:?}\n\
         [[actors]]\nname = \"c\"\nmodule = \"counter\"\narguments = \"str:abc\"\n\
         [[actors]]\nname = \"d\"\nmodule = \"counter\"\narguments = \"u64:0\"\n[actors.limits]\nmemory_bytes = \"64KiB\"\n\
         [[actors]]\nname = \"e\"\nmodule = \"counter\"\narguments = \"u64:0\"\ngroups = [\"everybody\"]\nlimits = {{ name_bytes = 5 }}\n"
    ));
    both_refuse(
        &folder,
        &[
            "node.toml:12:13: actor `c` starts with a value of type u64 (count): ",
            "^^^^^^^^^ expected a literal of that type: `arguments = \"u64:…\"`",
            "node.toml:18:16: an actor of module `counter` could not start with the limits of `d`: ",
            "^^^^^^^ raise `memory_bytes`",
            "node.toml:23:10: a group name is longer than 5 bytes",
        ],
    );
}

#[test]
fn a_checkpoint_that_the_module_has_no_part_in_is_refused() {
    let fetch = programs::guest("fetch");
    let folder = folder(&format!(
        "[modules.fetch]\npath = {fetch:?}\n[[actors]]\nname = \"f\"\nmodule = \"fetch\"\ncheckpoint = {{ every = \"10s\" }}\n"
    ));
    both_refuse(
        &folder,
        &[
            "node.toml:8:8: actor `f` of module `fetch`",
            "imports `wasi:http/",
            "node.toml:10:14: module `fetch` does not export the interface `reload`",
        ],
    );
}

#[test]
fn every_missing_file_is_reported_with_where_it_was_looked_for() {
    let folder = folder(
        "[modules.a]\npath = \"~/a.wasm\"\n[modules.b]\npath = \"$HOME/b.wasm\"\n[modules.c]\npath = \"lib/c.wasm\"\n\
         [[actors]]\nname = \"x\"\nmodule = \"a\"\n",
    );
    both_refuse(
        &folder,
        &[
            "DIR/node.toml:6:8: module `a`: the file can't be read: No such file or directory",
            "`~` is not expanded: write `${HOME}/a.wasm`",
            "DIR/node.toml:8:8: module `b`",
            "`$HOME` is not expanded: write `${HOME}`",
            "DIR/node.toml:10:8: module `c`",
            "looked for it in DIR, the folder of this file",
        ],
    );
}

#[test]
fn a_directory_that_is_not_there_is_reported_where_it_is_granted() {
    let rest = format!(
        "{}[actors.capabilities]\ndirectories = [{{ host = \"~/data\", guest = \"/data\" }}]\n",
        guest_counter("counter", "counters", 0).replace("capabilities = { messages = [\"*\"] }\n", "")
    );
    both_refuse(&folder(&rest), &["^^^^^^^^ `~` is not expanded: write `${HOME}/data`"]);
}

#[test]
fn one_file_serves_many_replicas() {
    let toml = "[node]\nname = \"${REPLICA}\"\nlisten = \"127.0.0.1:${PORT:-0}\"\ncookie_file = \"cookie\"\n";
    let folder = NodeFolder::new(toml, COOKIE);
    let refused = check(&folder, &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let said = mistakes(&refused, &folder);
    assert!(
        said.contains("DIR/node.toml:2:9: the environment variable REPLICA is not set"),
        "{said}"
    );
    for (rest, expected) in [
        (&[][..], "replica-7@localhost"),
        (&["--set", "node.name=beta"], "beta@localhost"),
    ] {
        let mut command = run(&folder.path("node.toml"));
        let mut node = Process::start("a replica", command.args(rest).env("REPLICA", "replica-7"));
        let (name, _) = wait_ready(&mut node);
        assert_eq!(name, expected);
    }
}

#[test]
fn what_is_set_on_the_command_line_is_checked_there() {
    let folder = folder(&guest_counter("counter", "counters", 0));
    let checked = check(&folder, &["--set", "actors.counter.arguments=str:x"]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    let said = mistakes(&checked, &folder);
    assert!(
        said.contains("--set:1:26: actor `counter` starts with a value of type u64"),
        "{said}"
    );
    let good = check(&folder, &["--set", "actors.counter.count=3", "--set", "node.name=beta"]);
    assert!(good.answer().contains("node beta@localhost"), "{good:?}");
    assert!(good.answer().contains("3 of them"), "{good:?}");
}

#[test]
#[cfg(unix)]
fn a_file_that_nobody_writes_is_not_waited_for() {
    let folder = folder("[modules.m]\npath = \"fifo\"\n[control]\nkey_file = \"fifo\"\n");
    let fifo = folder.path("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
    assert!(made.success());
    both_refuse(
        &folder,
        &["DIR/node.toml:8:12: the control key DIR/fifo cannot be read: it is a pipe, not a file"],
    );
    folder.write("node.toml", node_toml("alpha", "[modules.m]\npath = \"fifo\"\n"));
    both_refuse(
        &folder,
        &["DIR/node.toml:6:8: module `m`: the file can't be read: it is a pipe, not a file"],
    );
    let ended = ractor_host(&["check", &fifo.display().to_string()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("it is a pipe, not a file"), "{ended:?}");
}

#[test]
#[cfg(unix)]
fn a_cookie_may_come_through_a_pipe_of_the_shell() {
    let node = HostNode::start("alpha", &guest_counter("counter", "counters", 3));
    let program = programs::ractor_host();
    let line = format!(
        "cat {:?} | {:?} call --node {} --cookie-file /dev/stdin counter Get",
        node.cookie_file(),
        program.get_program(),
        node.address()
    );
    let ended = end("a shell", Command::new("sh").args(["-c", &line]));
    assert_eq!(ended.answer(), "3");
}

#[test]
fn the_deploy_key_may_be_in_a_variable_at_both_ends() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    let rest = format!(
        "[control]\nkey_env = \"DEPLOY\"\n[runtime]\nstate_dir = \"state\"\n{}",
        guest_counter("counter", "counters", 0)
    );
    let node = HostNode::start_in("alpha", &rest, &[("DEPLOY", Path::new(KEY))]);
    let status = |key: &str| {
        let mut command = programs::ractor_host();
        command.args(["status", "--node", node.address(), "--key-env", "MINE", "--cookie-file"]);
        end("ractor-host status", command.arg(node.cookie_file()).env("MINE", key))
    };
    assert!(status(KEY).answer().contains("module counter"));
    assert_eq!(status("fedcba9876543210fedcba9876543210").code, Some(1));
}

/// As another user, which takes root: without it this says so and tests nothing.
#[cfg(unix)]
mod as_another_user {
    use super::*;

    const GROUP: &str = "54321";

    fn is_root() -> bool {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root {
            eprintln!("SKIPPED: files that belong to others can be made by root alone");
        }
        is_root
    }

    /// `check` as a user who is in the group, with a cookie, a deploy key and a certificate's key of this owner and mode.
    fn check_secrets(owner: &str, mode: &str) -> Ended {
        let key = "0123456789abcdef0123456789abcdef";
        let folder = folder("[control]\nkey_file = \"deploy.key\"\n[runtime]\nstate_dir = \"state\"\n");
        folder.write("deploy.key", key);
        let command = |program: &str, arguments: &[&str]| {
            let status = Command::new(program).args(arguments).status().expect(program);
            assert!(status.success(), "{program} {arguments:?}");
        };
        let path = |name: &str| folder.path(name).display().to_string();
        for file in [path("cookie"), path("deploy.key")] {
            command("chown", &[owner, &file]);
            command("chmod", &[mode, &file]);
        }
        command("chmod", &["755", &path(".")]);
        command("mkdir", &[&path("state")]);
        command("chown", &["65534", &path("state")]);
        let program = programs::ractor_host();
        let mut checked = Command::new("setpriv");
        checked.args(["--reuid=65534", "--regid=65534", "--groups", GROUP]);
        checked.arg(program.get_program()).args(["check", &path("node.toml")]);
        end("ractor-host check as another user", &mut checked)
    }

    #[test]
    fn secrets_as_kubernetes_mounts_them_are_taken() {
        if is_root() {
            check_secrets(&format!("root:{GROUP}"), "440").answer();
            check_secrets(&format!("65534:{GROUP}"), "640").answer();
        }
    }

    #[test]
    fn secrets_that_others_can_read_are_refused_with_advice_that_can_be_followed() {
        if !is_root() {
            return;
        }
        let refused = check_secrets(&format!("root:{GROUP}"), "444");
        assert_eq!(refused.code, Some(2), "{refused:?}");
        for words in [
            "can be read by every user of this machine (mode 0444)",
            "the control key",
            "`fsGroup`",
        ] {
            assert!(refused.stderr.contains(words), "{words}: {refused:?}");
        }
        let refused = check_secrets("root:54322", "440");
        // Nobody but root and that group can read it.
        assert!(refused.stderr.contains("Permission denied"), "{refused:?}");
        let refused = check_secrets("65534:54322", "640");
        assert!(
            refused.stderr.contains("can be read by the group 54322") && refused.stderr.contains("run `chmod 600 "),
            "{refused:?}"
        );
    }
}

#[test]
fn a_folder_that_nothing_can_be_kept_in_is_found_by_check_too() {
    let folder = folder("[control]\nkey_file = \"key\"\n[runtime]\nstate_dir = \"file/state\"\n");
    folder.write_private("key", "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    folder.write("file", "in the way");
    let checked = check(&folder, &[]);
    let ran = end("ractor-host run", &mut run(&folder.path("node.toml")));
    assert_eq!((checked.code, ran.code), (Some(1), Some(1)), "{checked:?}\n{ran:?}");
    assert_eq!(mistakes(&checked, &folder), mistakes(&ran, &folder));
    assert!(checked.stderr.contains("file is not a folder"), "{checked:?}");
}
