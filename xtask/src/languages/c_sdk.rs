//! The tests of the SDK for C, which are C: compiled natively, with whatever is undefined made an error, and run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::c::{self, SDK, WARNINGS, zig};
use super::without_tools;
use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// The programs in `tests` of the SDK that say by themselves whether all is well.
const PROGRAMS: [&str; 3] = ["messages", "life", "counter"];
/// The program there that reads and writes states.
const STATES: &str = "portable_state";
/// The examples of states that every language reads alike.
const EXAMPLES: &str = "tests/portable-state";

/// Runs them all.
///
/// # Errors
/// One fails or doesn't compile. In continuous integration also: the compiler is missing.
pub(super) fn test(workspace: &Workspace, folder: &Path) -> Result<()> {
    report::step("tests: the SDK for C, natively");
    let tools = match c::tools(folder) {
        Ok(tools) => tools,
        Err(error) => return without_tools("the SDK for C", error),
    };
    let scratch = tempfile::Builder::new()
        .prefix("c-sdk-")
        .tempdir_in(workspace.target())
        .context("cannot make a folder for tests")?;
    let compiler = Compiler {
        sdk: workspace.root().join(SDK),
        tools,
        folder: scratch.path().to_owned(),
    };
    for program in PROGRAMS {
        let said = Run::new(compiler.compile(program)?).capture()?;
        report::note(said.trim_end());
    }
    let examples = workspace.root().join(EXAMPLES);
    let states = test_states(&compiler.compile(STATES)?, &examples, scratch.path())?;
    report::note(&format!("portable state: {states} examples"));
    Ok(())
}

struct Compiler {
    sdk: PathBuf,
    tools: PathBuf,
    folder: PathBuf,
}

impl Compiler {
    /// A test with the node to test with. Gives the program.
    fn compile(&self, test: &str) -> Result<PathBuf> {
        let program = self.folder.join(test);
        zig(&self.tools, &self.folder)
            .args(["cc", "-g", "-fsanitize=undefined", "-fno-sanitize-recover=undefined"])
            .args(WARNINGS)
            .args(["-I".as_ref(), self.sdk.as_os_str()])
            .args([
                self.sdk.join("tests").join(test).with_extension("c"),
                self.sdk.join("ractor_testing.c"),
            ])
            .args(["-lm".as_ref(), "-o".as_ref(), program.as_os_str()])
            .capture()?;
        Ok(program)
    }
}

/// A state, and what it means: see the README beside it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Example {
    name: String,
    declared: Vec<Declared>,
    state: Option<String>,
    state_hex: Option<String>,
    /// Of a state that is read.
    means: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    written: bool,
    /// Of one that is refused: the field that the reason is about.
    field: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Declared {
    name: String,
    r#type: String,
    default: Option<Value>,
}

/// What the program says of one state.
#[derive(Default)]
struct Outcome {
    error: Option<String>,
    means: BTreeMap<String, Value>,
    written: Option<Value>,
}

/// Gives the number of examples.
fn test_states(program: &Path, folder: &Path, scratch: &Path) -> Result<usize> {
    let mut examples: Vec<Example> = Vec::new();
    for file in ["valid.json", "invalid.json"] {
        let path = folder.join(file);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let more: Vec<Example> = serde_json::from_slice(&text).with_context(|| format!("{}", path.display()))?;
        examples.extend(more);
    }
    let asked = scratch.join("states");
    let questions: Vec<String> = examples.iter().map(question).collect::<Result<_>>()?;
    fs::write(&asked, questions.concat())?;
    let said = Run::new(program).args([&asked]).capture()?;
    let outcomes = outcomes(&said)?;
    ensure!(
        outcomes.len() == examples.len(),
        "{} outcomes of {} examples",
        outcomes.len(),
        examples.len()
    );
    let wrong: Vec<String> = examples
        .iter()
        .zip(&outcomes)
        .filter_map(|(example, outcome)| fault(example, outcome).map(|fault| format!("{}: {fault}", example.name)))
        .collect();
    ensure!(wrong.is_empty(), "states are understood wrongly:\n{}", wrong.join("\n"));
    Ok(examples.len())
}

/// The lines that ask the program about one state.
fn question(example: &Example) -> Result<String> {
    let mut lines = String::new();
    for declared in &example.declared {
        let default = match &declared.default {
            None => String::new(),
            Some(value) => match value.get("hex").and_then(Value::as_str) {
                Some(hex) => format!(" {hex}"),
                None => bail!("{}: no default that this test knows: {value}", example.name),
            },
        };
        let line = format!("field {} {}{default}\n", declared.name, hex(declared.r#type.as_bytes()));
        lines.push_str(&line);
    }
    let state = match (&example.state, &example.state_hex) {
        (Some(text), _) => hex(text.as_bytes()),
        (None, Some(bytes)) => bytes.clone(),
        (None, None) => bail!("{} has no state", example.name),
    };
    lines.push_str(&format!("state {state}\n"));
    Ok(lines)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the program wrote, a line for each thing.
fn outcomes(said: &str) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut outcome = Outcome::default();
    for line in said.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "value" => {
                let (name, meaning) = rest.split_once(' ').unwrap_or((rest, ""));
                let meaning = serde_json::from_str(meaning).with_context(|| format!("the meaning {meaning}"))?;
                outcome.means.insert(name.to_owned(), sorted(meaning));
                continue;
            }
            "error" => outcome.error = Some(rest.to_owned()),
            "written" => {
                outcome.written = Some(serde_json::from_str(rest).with_context(|| format!("the state {rest}"))?);
            }
            _ => bail!("the program said {line:?}"),
        }
        outcomes.push(std::mem::take(&mut outcome));
    }
    Ok(outcomes)
}

/// A map of C has its entries in any order.
fn sorted(mut meaning: Value) -> Value {
    if let Some(entries) = meaning.get_mut("map").and_then(Value::as_array_mut) {
        entries.sort_by_key(ToString::to_string);
    }
    meaning
}

/// What is wrong with what became of an example, if anything is.
fn fault(example: &Example, outcome: &Outcome) -> Option<String> {
    let Some(means) = &example.means else {
        let error = match &outcome.error {
            Some(error) => error,
            None => return Some("it is understood".to_owned()),
        };
        let reasons = example.reason.as_deref().unwrap_or_default().split(" or ");
        let said = reasons.map(words).any(|words| error.contains(words));
        let named = example
            .field
            .as_ref()
            .is_none_or(|field| error.contains(&format!("`{field}`")));
        return (!said || !named).then(|| format!("the reason is {error:?}"));
    };
    if let Some(error) = &outcome.error {
        return Some(error.clone());
    }
    let expected: BTreeMap<String, Value> = means
        .iter()
        .map(|(name, meaning)| (name.clone(), sorted(meaning.clone())))
        .collect();
    if outcome.means != expected {
        return Some(format!("it is understood as {:?}", outcome.means));
    }
    let state: Option<Value> = example
        .state
        .as_deref()
        .and_then(|state| serde_json::from_str(state).ok());
    let alike = match (&outcome.written, &state) {
        (Some(written), Some(state)) => are_alike(written, state),
        (written, state) => written.is_none() && state.is_none(),
    };
    (example.written && !alike).then(|| format!("it is written as {:?}", outcome.written))
}

/// Whether two values are the same, but for the last digits of fractions, which serde_json reads roughly. That those are right is
/// shown by what was read again.
fn are_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (Some(a), Some(b)) = (one.as_f64(), other.as_f64()) else {
                return one == other;
            };
            one == other || (a - b).abs() <= b.abs() * 1e-15
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| are_alike(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, a)| other.get(key).is_some_and(|b| are_alike(a, b)))
        }
        _ => one == other,
    }
}

/// What an error says for a reason of the examples.
fn words(reason: &str) -> &'static str {
    match reason {
        "value" => "the value of the field",
        "type" => "is declared as",
        "missing" => "lacks the field",
        "undeclared" => "that is not declared",
        _ => "is not portable",
    }
}
