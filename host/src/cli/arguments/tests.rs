//! What the command line takes, and how it explains mistakes.
#![expect(clippy::panic, reason = "a panic is how a test fails")]

use std::time::Duration;

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Command, String> {
    let words = std::iter::once("ractor-host").chain(line.split_whitespace());
    Arguments::try_parse_from(words)
        .map(|arguments| arguments.command)
        .map_err(|error| error.to_string())
}

#[track_caller]
fn check_refused(line: &str, expected: &str) {
    let error = parse(line).unwrap_err();
    assert!(
        error.contains(expected),
        "{line}\nshould say: {expected}\nbut says: {error}"
    );
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn a_call_has_a_target_a_variant_and_literals() {
    let line = "call --node localhost:1 --cookie-file c group:g AddAndGet u64:5 i32:-3 --reply u64 --timeout 2m";
    let Command::Call(call) = parse(line).unwrap() else {
        panic!("a call")
    };
    let [node] = call.node.node.as_slice() else {
        panic!("one node")
    };
    assert_eq!(node.to_string(), "localhost:1");
    assert_eq!(call.node.cookie.cookie_file.unwrap(), PathBuf::from("c"));
    assert_eq!(call.node.timeout, Duration::from_secs(120));
    assert_eq!(call.message.target, Target::Group("g".to_owned()));
    assert_eq!(call.message.variant, "AddAndGet");
    assert_eq!(
        call.message.arguments,
        ["u64:5".parse().unwrap(), "i32:-3".parse().unwrap()]
    );
    assert_eq!(call.reply, Some("u64".parse().unwrap()));
}

#[test]
fn a_cast_goes_to_one_member_unless_told_otherwise() {
    let Command::Cast(cast) = parse("cast --node a:1 --cookie-env C pid:7 Add").unwrap() else {
        panic!("a cast")
    };
    assert_eq!((cast.message.target, cast.all), (Target::Pid(7), false));
    assert_eq!(cast.node.timeout, Duration::from_secs(5));
    assert!(cast.message.arguments.is_empty());
    let Command::Cast(cast) = parse("cast --node a:1 --cookie-env C group:g Add --all").unwrap() else {
        panic!("a cast")
    };
    assert!(cast.all);
}

#[test]
fn an_argument_may_be_a_negative_number() {
    let Command::Cast(cast) = parse("cast --node a:1 --cookie-env C counter Add -5 --all").unwrap() else {
        panic!("a cast")
    };
    assert_eq!(cast.message.target, Target::Name("counter".to_owned()));
    assert_eq!(cast.message.arguments, ["-5".parse().unwrap()]);
    assert!(cast.all);
}

#[test]
fn mistakes_are_explained() {
    let call = "call --node a:1 --cookie-file c";
    check_refused(
        "call --node a:1 --cookie-file c --cookie-env C group:g Get",
        "cannot be used with",
    );
    check_refused(
        "call --node a --cookie-file c group:g Get",
        "it has no port; expected HOST:PORT",
    );
    check_refused(
        &format!("{call} grup:counters Get"),
        "expected an actor's name, `group:NAME`, `pid:N` or `entity:TYPE/KEY`",
    );
    check_refused(
        &format!("{call} group:g Get u64:many"),
        r#""many" is not a value of type u64"#,
    );
    check_refused(
        &format!("{call} group:g Get --reply u46"),
        r#"there is no type "u46", did you mean "u64"?"#,
    );
    check_refused(&format!("{call} group:g Get --timeout 5"), "a number and a unit");
    check_refused(
        &format!("{call} --tls-cert a --tls-key b group:g Get"),
        "--tls-ca <FILE>",
    );
    check_refused(
        &format!("{call} --tls-ca a --tls-cert b group:g Get"),
        "--tls-key <FILE>",
    );
    check_refused(&format!("{call} --tls-ca a --tls-name a/b group:g Get"), "a DNS name");
    check_refused("rum node.toml", "a similar subcommand exists: 'run'");
    check_refused("run", "<NODE.TOML>");
}

/// The command lines of a help's examples, without what a shell does with them.
fn examples(help: &str) -> Vec<String> {
    let Some((_, examples)) = help.split_once("Example") else {
        return Vec::new();
    };
    let whole = examples.replace("\\\n", " ");
    let lines = whole.lines().filter_map(|line| {
        let (_, line) = line.strip_prefix("  ")?.split_once("ractor-host ")?;
        let line = line.split(['|', '>']).next().unwrap_or_default();
        Some(line.replace(['\'', '"'], ""))
    });
    lines.collect()
}

#[test]
fn the_help_of_every_command_has_examples_that_the_command_line_takes() {
    for command in Arguments::command().get_subcommands() {
        let name = command.get_name();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = examples(&help);
        assert!(!examples.is_empty(), "`ractor-host {name} --help` has no example");
        for example in &examples {
            assert!(example.starts_with(name), "an example of `{name}`: {example}");
            let parsed = parse(example);
            assert!(parsed.is_ok(), "{example}: {}", parsed.err().unwrap_or_default());
        }
    }
}

/// The pages for operators, whose commands in the text and in tables no test types.
const PAGES: [(&str, &str); 4] = [
    ("operations.md", include_str!("../../../../docs/operations.md")),
    ("running.md", include_str!("../../../../docs/running.md")),
    ("deploy.md", include_str!("../../../../docs/deploy.md")),
    ("node-toml.md", include_str!("../../../../docs/node-toml.md")),
];

#[test]
fn commands_in_the_text_of_pages_are_commands() {
    use clap::error::ErrorKind;
    let mut found = 0;
    for (page, text) in PAGES {
        // Blocks between two fences are at odd places.
        let prose = text.split("```").step_by(2);
        let spans = prose
            .flat_map(str::lines)
            .flat_map(|line| line.split('`').skip(1).step_by(2));
        for command in spans.filter_map(|span| span.strip_prefix("ractor-host ")) {
            let line = command.split(['|', '>', ';', '#']).next().unwrap_or_default();
            let line = line.replace(['\'', '"', '\\'], "");
            let is_placeholder = |word: &str| word.contains('…') || word.bytes().all(|byte| byte.is_ascii_uppercase());
            if line.split_whitespace().any(is_placeholder) {
                continue;
            }
            found += 1;
            let words = std::iter::once("ractor-host").chain(line.split_whitespace());
            // A command may be named without all that it takes.
            if let Err(error) = Arguments::try_parse_from(words) {
                let is_named_only = matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::DisplayHelp
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                );
                assert!(is_named_only, "docs/{page}: `ractor-host {command}`: {error}");
            }
        }
    }
    assert!(found > 20, "{found} commands were found");
}
