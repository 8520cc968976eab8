//! `inspect`: what a component is, without a node. Nothing of it runs but `describe`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tracing_subscriber::filter::LevelFilter;

use super::arguments::{InspectArguments, OutputFormat};
use super::failure::Failure;
use super::output;
use super::process::Process;
use super::signature::{contract_json, write_contract};
use crate::guest::{
    Allocation, Capabilities, CapabilityUse, Certainty, Contract, EngineConfig, HostInterfaces, Module, ModuleSource,
    Needs, Origin,
};
use crate::host::engine_with_cache;

pub(super) fn inspect(arguments: &InspectArguments, interfaces: &HostInterfaces) -> Result<ExitCode, Failure> {
    let process = Process::of_command(LevelFilter::ERROR)?;
    let (module, described) = process.complete(load(&arguments.file, interfaces))?;
    let capabilities = module.capabilities().map_err(Failure::usage)?;
    output::write(|out| match arguments.output {
        OutputFormat::Text => write_text(out, &module, &described, &capabilities),
        OutputFormat::Json => writeln!(out, "{:#}", json(&module, &described, &capabilities)),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a component says of itself.
pub(super) fn contract_of(file: &Path, interfaces: &HostInterfaces) -> Result<Contract, Failure> {
    let process = Process::of_command(LevelFilter::ERROR)?;
    let (_, described) = process.complete(load(file, interfaces))?;
    described.map_err(|error| Failure::runtime(format_args!("{} does not describe itself: {error}", file.display())))
}

/// The most memory that a component may start with to be asked for its description, in bytes.
const MOST_MEMORY: u64 = 1 << 30;

/// An engine that takes the component whatever it needs: what a node has to allow for it is told, and not a reason to refuse.
fn admitting(source: &ModuleSource) -> EngineConfig {
    let defaults = EngineConfig::default();
    let needs = source.needs(defaults.component_bytes).unwrap_or_default();
    let elements = usize::try_from(needs.largest_table).unwrap_or(usize::MAX);
    EngineConfig {
        allocation: Allocation::OnDemand,
        memory_reservation: needs.largest_memory.max(defaults.memory_reservation),
        table_reservation: elements.max(defaults.table_reservation),
        instance_bytes: needs.instance_bytes.max(defaults.instance_bytes),
        description_limits: needs.raise(&defaults.description_limits, MOST_MEMORY),
        ..defaults
    }
}

/// What the component says of itself, or why it doesn't.
type Described = Result<Contract, String>;

async fn load(file: &Path, interfaces: &HostInterfaces) -> Result<(Module, Described), Failure> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let source = ModuleSource {
        name: name.into_owned(),
        path: file.to_owned(),
        digest: None,
    };
    let engine = engine_with_cache(&admitting(&source), interfaces).map_err(Failure::runtime)?;
    let module = output::explained(engine.load(&source), source.path.display()).await;
    let module = module.map_err(Failure::usage)?;
    let described = module.describe().await.map_err(|error| error.to_string());
    // Text that plays tricks on a terminal is no description; no node would pass it on.
    let described = described.and_then(|contract| match contract.to_bytes() {
        Ok(_) => Ok(contract),
        Err(error) => Err(error.to_string()),
    });
    Ok((module, described))
}

fn write_text(
    out: &mut impl Write,
    module: &Module,
    described: &Described,
    capabilities: &Capabilities,
) -> io::Result<()> {
    match described {
        Ok(contract) => write_contract(out, contract)?,
        Err(error) => writeln!(out, "an actor that does not describe itself: {error}")?,
    }
    writeln!(out, "file {}", module.path().display())?;
    writeln!(out, "  {} bytes, {}", module.size(), module.digest())?;
    writeln!(out, "  its code was {}", code(module))?;
    write_needs(out, module.needs())?;
    write_capabilities(out, capabilities)?;
    writeln!(out, "imports")?;
    for import in module.imports() {
        writeln!(out, "  {import}")?;
    }
    writeln!(out, "exports")?;
    for export in module.exports() {
        writeln!(out, "  {export}")?;
    }
    Ok(())
}

fn write_capabilities(out: &mut impl Write, capabilities: &Capabilities) -> io::Result<()> {
    writeln!(out, "capabilities that it could use, if its actor's entry grants them")?;
    if let Some(reason) = &capabilities.not_followed {
        writeln!(
            out,
            "  (all that it imports: its calls were not followed, because {reason})"
        )?;
    }
    if capabilities.uses.is_empty() {
        writeln!(out, "  none")?;
    }
    for each in &capabilities.uses {
        writeln!(
            out,
            "  {:<11} {}",
            each.capability,
            in_words(each, capabilities.interpreter)
        )?;
    }
    if !capabilities.never_called.is_empty() {
        let never_called = capabilities.never_called.join(", ");
        writeln!(out, "  imported, but never called: {never_called}")?;
    }
    Ok(())
}

fn write_needs(out: &mut impl Write, needs: &Needs) -> io::Result<()> {
    writeln!(out, "each guest starts with")?;
    writeln!(out, "  {} core instances", needs.core_instances)?;
    writeln!(
        out,
        "  {} memories, {} bytes together",
        needs.memories, needs.memory_bytes
    )?;
    writeln!(
        out,
        "  {} tables, {} elements together",
        needs.tables, needs.table_elements
    )?;
    writeln!(
        out,
        "  {} bytes of the host for its functions and globals",
        needs.instance_bytes
    )?;
    let beyond = needs.beyond_defaults();
    if !beyond.is_empty() {
        writeln!(out, "this is more than an actor may have, unless node.toml allows it")?;
    }
    for shortage in beyond {
        writeln!(out, "  {shortage}")?;
    }
    Ok(())
}

fn code(module: &Module) -> &'static str {
    match module.origin() {
        Origin::Compiled => "compiled",
        Origin::Cache => "cached",
    }
}

fn in_words(usage: &CapabilityUse, interpreter: Option<&str>) -> String {
    match usage.certainty {
        Certainty::Required => {
            let capability = usage.capability.to_string();
            let add = if capability.starts_with("interfaces.") {
                format!("a section [actors.{capability}]")
            } else {
                format!("under [actors.capabilities]: {capability} = [\"https://HOST\"]")
            };
            format!("the component is refused without it; add {add}")
        }
        Certainty::Called => format!("it calls {}", called(usage)),
        Certainty::Pointed => match interpreter {
            Some(language) => format!(
                "its {language} interpreter can call {}; whether the program does can't be told",
                called(usage)
            ),
            None => format!("it may call {}, through a pointer to a function", called(usage)),
        },
        Certainty::Imported => "imported, which some languages do without needing it".to_owned(),
    }
}

/// What is called of it first, and by whom as far as that is known.
fn called(usage: &CapabilityUse) -> String {
    let mut words = usage.imports.first().cloned().unwrap_or_default();
    match usage.imports.len() {
        0 | 1 => {}
        2 => words.push_str(" and another function"),
        count => words.push_str(&format!(" and {} other functions", count - 1)),
    }
    if !usage.by.is_empty() {
        words.push_str(&format!(" (in {})", usage.by.join(" < ")));
    }
    words
}

fn json(module: &Module, described: &Described, capabilities: &Capabilities) -> serde_json::Value {
    let each = |each: &CapabilityUse| {
        serde_json::json!({
            "capability": each.capability,
            "need": match each.certainty {
                Certainty::Required => "required",
                Certainty::Called => "called",
                Certainty::Pointed => "perhaps",
                Certainty::Imported => "imported",
            },
            "imports": each.imports,
            "by": each.by,
        })
    };
    serde_json::json!({
        "file": module.path(),
        "bytes": module.size(),
        "digest": module.digest().to_string(),
        "code": code(module),
        "actor": described.as_ref().ok().map(contract_json),
        "error": described.as_ref().err(),
        "needs": needs_json(module.needs()),
        "capabilities": capabilities.uses.iter().map(each).collect::<Vec<_>>(),
        "never_called": capabilities.never_called,
        "interpreter": capabilities.interpreter,
        "calls_not_followed": capabilities.not_followed,
        "imports": module.imports().collect::<Vec<_>>(),
        "exports": module.exports().collect::<Vec<_>>(),
    })
}

fn needs_json(needs: &Needs) -> serde_json::Value {
    let beyond = needs.beyond_defaults();
    let beyond = beyond.iter().map(|shortage| {
        serde_json::json!({
            "key": shortage.key(),
            "text": shortage.to_string(),
        })
    });
    serde_json::json!({
        "core_instances": needs.core_instances,
        "memories": needs.memories,
        "memory_bytes": needs.memory_bytes,
        "tables": needs.tables,
        "table_elements": needs.table_elements,
        "instance_bytes": needs.instance_bytes,
        "beyond_defaults": beyond.collect::<Vec<_>>(),
    })
}
