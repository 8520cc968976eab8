//! What the actors of the demo say to each other, told as it happens and checked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{self, Run};
use crate::report;

/// The longest time for a change to show on the other node.
const PATIENCE: Duration = Duration::from_secs(20);

/// `ractor-host call` and `ractor-host cast`, as a person would type them.
pub(super) struct Cli {
    program: PathBuf,
    cookie: PathBuf,
}

/// One question to one actor. Each actor of the demo has a group of its own, named like it.
#[derive(Clone, Copy)]
struct Question<'a> {
    /// `host:port` of the node that is asked.
    node: &'a str,
    group: &'a str,
    variant: &'a str,
    arguments: &'a [&'a str],
}

impl Cli {
    pub(super) fn new(program: PathBuf, cookie: PathBuf) -> Self {
        Self { program, cookie }
    }

    fn call(&self, question: Question<'_>) -> Result<u64> {
        let answer = self.run("call", question, &["--reply", "u64"])?;
        let answer = answer.trim();
        answer
            .parse()
            .with_context(|| format!("the answer `{answer}` is no number"))
    }

    fn cast(&self, message: Question<'_>) -> Result<()> {
        self.run("cast", message, &[]).map(drop)
    }

    fn run(&self, verb: &str, question: Question<'_>, options: &[&str]) -> Result<String> {
        Run::new(&self.program)
            .args([verb, "--node", question.node])
            .args(["--cookie-file".as_ref(), self.cookie.as_os_str()])
            .args([format!("group:{}", question.group).as_str(), question.variant])
            .args(question.arguments)
            .args(options)
            .limit_minutes(1)
            .capture()
    }

    /// Asks, tells, and compares.
    fn expect(&self, relation: &str, question: Question<'_>, expected: u64, meaning: &str) -> Result<()> {
        let answer = self.call(question).with_context(|| format!("{relation}: no answer"))?;
        tell_one(relation, "call", question, &format!("{answer}   {meaning}"));
        match answer == expected {
            true => Ok(()),
            false => bail!("{relation}: the answer should have been {expected}, not {answer}"),
        }
    }

    /// Asks until the answer is the expected one: for what another node hears in its own time.
    fn expect_soon(&self, question: Question<'_>, expected: u64) -> Result<()> {
        let mut last = String::new();
        let outcome = process::poll(PATIENCE, || match self.call(question) {
            Ok(answer) if answer == expected => Ok(Some(())),
            Ok(answer) => {
                last = format!("the last answer is {answer}");
                Ok(None)
            }
            Err(error) => {
                last = format!("{error:#}");
                Ok(None)
            }
        });
        outcome.with_context(|| format!("`{}` should answer {expected}; {last}", question.spoken()))
    }
}

/// Plays the whole story against two nodes that have just started.
pub(super) fn tell(cli: &Cli, alpha: &str, beta: &str) -> Result<()> {
    let ask = |node, group, variant, arguments| Question {
        node,
        group,
        variant,
        arguments,
    };
    report::step("wait until the nodes see each other's actors");
    cli.expect_soon(ask(alpha, "native-alpha", "SumOf", &["str:wasm-beta"]), 300)?;
    cli.expect_soon(ask(beta, "wasm-beta", "SumOf", &["str:counters"]), 21)?;
    report::note("three counters: native-alpha = 1 and wasm-alpha = 20 on alpha, wasm-beta = 300 on beta");
    report::note("all three take the same messages; `ractor-host call` and `cast` send them from a shell");

    report::step("you talk to actors");
    let question = ask(alpha, "native-alpha", "AddAndGet", &["u64:4"]);
    cli.expect("you → native", question, 5, "(1 + 4)")?;
    let question = ask(alpha, "wasm-alpha", "AddAndGet", &["u64:2"]);
    cli.expect(
        "you → wasm",
        question,
        22,
        "(20 + 2; the same source code, compiled to WebAssembly)",
    )?;

    report::step("actors talk to actors of the other node");
    let question = ask(alpha, "native-alpha", "SumOf", &["str:wasm-beta"]);
    cli.expect(
        "native on alpha → wasm on beta",
        question,
        300,
        "(it asked wasm-beta for its value)",
    )?;
    let question = ask(beta, "wasm-beta", "SumOf", &["str:native-alpha"]);
    cli.expect(
        "wasm on beta → native on alpha",
        question,
        5,
        "(it asked native-alpha for its value)",
    )?;
    let question = ask(alpha, "wasm-alpha", "SumOf", &["str:wasm-beta"]);
    cli.expect(
        "wasm on alpha → wasm on beta",
        question,
        300,
        "(it asked wasm-beta for its value)",
    )?;
    let question = ask(beta, "wasm-beta", "SumOf", &["str:counters"]);
    cli.expect(
        "wasm on beta → the group counters",
        question,
        27,
        "(5 + 22: native and wasm alike)",
    )?;

    report::step("a message without an answer, from actor to actor");
    let message = ask(alpha, "native-alpha", "AddTo", &["str:wasm-beta", "u64:7"]);
    cli.cast(message)?;
    tell_one(
        "native on alpha → wasm on beta",
        "cast",
        message,
        "sent   (it tells wasm-beta to add 7)",
    );
    let question = ask(beta, "wasm-beta", "Get", &[]);
    cli.expect_soon(question, 307)?;
    cli.expect("you → wasm", question, 307, "(300 + 7: it has arrived)")
}

fn tell_one(relation: &str, verb: &str, question: Question<'_>, outcome: &str) {
    report::note(&format!(
        "{relation}\n  ractor-host {verb} {}\n  → {outcome}",
        question.spoken()
    ));
}

impl Question<'_> {
    /// The part of the command line that differs from question to question.
    fn spoken(&self) -> String {
        let words = [
            &format!("--node {}", self.node),
            &format!("group:{}", self.group),
            self.variant,
        ];
        words
            .into_iter()
            .chain(self.arguments.iter().copied())
            .collect::<Vec<_>>()
            .join(" ")
    }
}
