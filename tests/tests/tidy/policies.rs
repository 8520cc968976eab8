//! Policies and the paths by which code, files and names come to a node: each policy holds on each path, and a test shows it.
//!
//! A fault of this kind was always a policy that held on the path which somebody had thought of. So a new policy needs a row in which
//! every path has a cell, and a new path a cell in every row: without them this does not compile. A cell names the tests that show
//! it, or says why there is nothing to show.

use crate::Finding;
use crate::files::SourceFile;
use crate::guarantees::is_there;

/// A way for code, files or names to come into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// A node is started with a node.toml, or that is checked.
    Start,
    /// An actor is started again after it failed, or spawned.
    Restart,
    /// A module is reloaded from its file, by command.
    Reload,
    /// A module goes back to the version before, by command or because others reject the new one.
    Rollback,
    /// The file of a module that is watched changes.
    Watch,
    /// A component is sent to the node.
    Deploy,
    /// A node is started again with what was deployed to it and kept for it.
    Resume,
}

const PATHS: [Path; 7] = [
    Path::Start,
    Path::Restart,
    Path::Reload,
    Path::Rollback,
    Path::Watch,
    Path::Deploy,
    Path::Resume,
];

/// What is known of a policy on a path.
#[derive(Clone, Copy, Debug)]
enum Cell {
    /// These tests show that it holds, each as `file.rs::test`.
    Shown(&'static [&'static str]),
    /// It holds for this reason, by what other cells of the row show.
    Follows(&'static str),
    /// There is nothing that it could be about, for this reason.
    Nothing(&'static str),
}

use Cell::{Follows, Nothing, Shown};

/// One policy, with a cell for each of [`PATHS`].
struct Row {
    policy: &'static str,
    cells: [Cell; PATHS.len()],
}

/// What holds whatever the path.
const POLICIES: [Row; 9] = [
    Row {
        policy: "A module with a digest runs that and nothing else",
        cells: [
            Shown(&[
                "lifecycle.rs::a_digest_that_does_not_match_stops_the_start_before_anything_runs",
                "loading.rs::a_digest_is_checked",
            ]),
            Follows("an actor starts with the version that is current, which only the other paths change"),
            Shown(&["policies.rs::a_digest_that_is_written_after_a_deployment_holds_at_the_next_start"]),
            Shown(&["policies.rs::a_digest_that_is_written_after_a_deployment_holds_at_the_next_start"]),
            Shown(&["builds.rs::mistakes_are_explained"]),
            Shown(&["policies.rs::a_digest_that_is_written_after_a_deployment_holds_at_the_next_start"]),
            Shown(&[
                "policies.rs::a_digest_that_is_written_after_a_deployment_holds_at_the_next_start",
                "deployment_record.rs::what_a_digest_in_node_toml_forbids_does_not_run_and_what_it_asks_for_does",
            ]),
        ],
    },
    Row {
        policy: "Code that was rejected is run by nobody",
        cells: [
            Follows("a start that fails leaves nothing running"),
            Shown(&["reload.rs::actors_that_start_later_or_again_have_the_current_version"]),
            Shown(&["reload.rs::many_actors_are_reloaded_and_one_that_fails_takes_them_back"]),
            Shown(&["reload_failures.rs::who_starts_with_new_code_that_is_rejected_goes_back_with_the_rest"]),
            Shown(&["watches.rs::a_version_that_fails_is_logged_and_the_old_one_goes_on"]),
            Shown(&["reloads.rs::a_bad_version_leaves_the_old_one_and_the_reason_is_told"]),
            Shown(&["reloads.rs::a_node_that_is_killed_in_the_middle_of_a_reload_comes_back"]),
        ],
    },
    Row {
        policy: "No guest bears a name by which others know somebody else",
        cells: [
            Shown(&["actors.rs::actors_have_names_of_their_own_and_sane_counts"]),
            Shown(&[
                "life.rs::a_child_has_its_name_below_that_of_its_parent",
                "life.rs::a_child_gets_no_name_of_an_actor_that_the_node_starts",
                "reserved_names.rs::the_names_of_all_that_is_started_are_reserved_and_no_others",
            ]),
            Shown(&["reload.rs::what_the_actor_is_and_has_stays"]),
            Follows("an actor goes back in place and keeps its name, as in a reload"),
            Follows("it is a reload"),
            Follows("it is a reload"),
            Nothing("children don't outlive their node, and states are kept for the actors of node.toml"),
        ],
    },
    Row {
        policy: "Nothing that is the node's own is granted to a guest",
        cells: [
            Shown(&[
                "policies.rs::no_directory_that_is_granted_has_what_is_the_nodes_own",
                "policies.rs::no_variable_and_no_config_that_a_guest_has_hands_the_cookie_on",
                "guarded.rs::a_directory_with_something_of_the_node_or_within_it_is_nothing_for_a_guest",
                "guarded.rs::another_name_of_a_directory_is_the_same_directory",
            ]),
            Shown(&["guarded.rs::a_directory_that_was_exchanged_after_the_start_is_asked_about_again"]),
            Follows(
                "an actor keeps the grants that it was started with, and new code opens directories as after a restart",
            ),
            Follows("as in a reload"),
            Follows("as in a reload"),
            Follows("a component brings no grants"),
            Follows("grants come from node.toml alone, which is checked at each start"),
        ],
    },
    Row {
        policy: "Nobody else may write to what is the node's own",
        cells: [
            Shown(&[
                "policies.rs::a_folder_that_others_can_write_to_keeps_no_states",
                "caching.rs::a_directory_that_others_can_write_is_refused",
                "writers.rs::the_owner_and_root_may_write_and_a_group_to_what_root_gave_it",
                "writers.rs::who_may_write_above_may_put_something_else_in_its_place",
                "tls.rs::a_certificate_that_others_can_change_is_refused",
            ]),
            Nothing("an actor that is started again reads no file of the node but checkpoints, which are open"),
            Follows("a module's file is the operator's, who may let others write it; `digest` says what it has to be"),
            Nothing("the version before is in memory"),
            Follows("as for a reload"),
            Follows(
                "what is uploaded goes to the folder that was checked at the start, as files of the node's user alone",
            ),
            Shown(&["policies.rs::a_folder_that_others_can_write_to_keeps_no_states"]),
        ],
    },
    Row {
        policy: "Compiled code is run only if a node of this installation compiled it",
        cells: [
            Shown(&[
                "policies.rs::an_entry_of_the_cache_that_is_not_ours_is_compiled_anew",
                "caching.rs::who_can_write_to_the_cache_is_not_who_can_run_code",
                "caching.rs::without_a_key_nothing_is_kept",
            ]),
            Nothing("the code is in memory"),
            Follows("every component is loaded in the one way that the start has"),
            Nothing("the version before is in memory"),
            Follows("as for a reload"),
            Follows("as for a reload"),
            Shown(&["policies.rs::an_entry_of_the_cache_that_is_not_ours_is_compiled_anew"]),
        ],
    },
    Row {
        policy: "Only who has the deploy key changes what runs",
        cells: [
            Nothing("who starts a node has its files"),
            Nothing("nothing is changed"),
            Shown(&["reloads.rs::who_has_not_the_deploy_key_deploys_nothing"]),
            Follows("one place checks the proof of every request, before anybody reads what it asks for"),
            Nothing("who writes the file of a module has been let in by the system"),
            Shown(&["reloads.rs::who_has_not_the_deploy_key_deploys_nothing"]),
            Nothing("what was deployed was proved then"),
        ],
    },
    Row {
        policy: "A component needs no more than the limits of its actors",
        cells: [
            Shown(&[
                "configuration.rs::what_keeps_an_actor_from_starting_is_found_before_anything_starts",
                "needs.rs::each_limit_of_the_actor_is_named_with_what_it_takes",
            ]),
            Shown(&["limits.rs::memory_at_the_start"]),
            Shown(&["reload_failures.rs::new_code_that_fails_before_its_first_message_leaves_the_old_one_unharmed"]),
            Follows("an actor goes back by the steps of a reload"),
            Follows("it is a reload"),
            Follows("it is a reload"),
            Follows("what was deployed is checked like a module's own file"),
        ],
    },
    Row {
        policy: "A component that imports what isn't granted does not start",
        cells: [
            Shown(&["grants.rs::a_component_that_imports_http_takes_a_grant_of_it"]),
            Shown(&["grants.rs::a_component_that_imports_http_takes_a_grant_of_it"]),
            Shown(&["reload.rs::what_does_not_fit_is_refused_before_anything_is_touched"]),
            Follows("an actor goes back to code that it had been started with under the same grants"),
            Follows("it is a reload"),
            Follows("it is a reload"),
            Follows("what was deployed is checked like a module's own file"),
        ],
    },
];

/// Cells that name a test which is not there, or give no reason.
pub(crate) fn hold_on_every_path(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Row { policy, cells } in &POLICIES {
        for (path, cell) in PATHS.iter().zip(cells) {
            let wrong = match cell {
                Shown([]) => Some("no test shows it".to_owned()),
                Shown(tests) => tests.iter().find_map(|test| missing(files, test)),
                Follows(reason) | Nothing(reason) => reason.is_empty().then(|| "no reason is given".to_owned()),
            };
            findings.extend(wrong.map(|wrong| Finding {
                path: file!().to_owned(),
                line: 1,
                rule: format!("{policy}, {path:?}: {wrong}"),
            }));
        }
    }
    findings
}

fn missing(files: &[SourceFile], test: &str) -> Option<String> {
    let found = test
        .split_once(".rs::")
        .is_some_and(|(file, test)| is_there(files, file, test));
    (!found).then(|| format!("there is no test {test}"))
}

#[test]
fn finds_cells_without_their_tests() {
    let findings = hold_on_every_path(&[]);
    let shown = POLICIES
        .iter()
        .flat_map(|row| &row.cells)
        .filter(|cell| matches!(cell, Shown(_)));
    assert_eq!(findings.len(), shown.count(), "none of the tests is there");
    assert!(
        findings
            .iter()
            .any(|finding| finding.rule.contains("Resume: there is no test ")),
        "{findings:?}"
    );
}
