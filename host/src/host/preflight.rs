//! Whether everything that a configuration asks for could start. `check` does this and no more; `run` does it before it
//! starts anything, so that the two never disagree.
//!
//! Modules are loaded, and of each an instance is made with the limits of each of its actors, and asked to describe itself.
//! All mistakes are reported together, at the places of the file that are to be changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entities;
use super::error::{HostError, NativeError};
use super::modules::{self, read_needs};
use super::native::{Native, Natives, check_natives};
use super::own_files;
use super::state_dir;
use crate::config::{ActorSection, Code, EntryPart, LateProblems, NodeConfig, Type};
use crate::control::CONTROL;
use crate::guest::{
    Contract, Fault, GuestError, Limits, LoadError, LoadFault, Module, ModuleSource, Modules, Needs, Shortage,
    Shortages, Start,
};

/// Where there is to be room for instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pool {
    /// In one that nobody has taken anything of.
    Fresh,
    /// In that of a node that runs.
    InUse,
}

/// Loads the modules from these sources, and checks all that could keep an actor of the configuration from starting.
///
/// # Errors
/// Everything that is wrong with the configuration; or the engine can't be set up, or the configuration was read for a host
/// with other native actors.
pub(crate) async fn preflight(
    config: &NodeConfig,
    natives: &Natives,
    sources: &[ModuleSource],
) -> Result<Modules, HostError> {
    check_natives(config, natives)?;
    let needs = read_needs(config, sources).await;
    let (modules, failed) = modules::load(config, sources, &needs).await?;
    check_loaded(config, natives, &needs, (&modules, &failed), Pool::Fresh).await?;
    Ok(modules)
}

/// Checks all that could keep an actor of the configuration from starting with these modules, whose files need this. `failed` are those
/// that could not be loaded.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub(super) async fn check_loaded(
    config: &NodeConfig,
    natives: &Natives,
    needs: &BTreeMap<String, Needs>,
    (modules, failed): (&Modules, &[LoadError]),
    pool: Pool,
) -> Result<(), HostError> {
    let mut problems = config.late_problems();
    // What an engine has room for follows from the limits of actors, and those are what to raise.
    let short = check_needs(config, needs, &mut problems);
    for error in failed.iter().filter(|error| !short.contains(&error.module)) {
        report_module(error, config, &mut problems);
    }
    let mut rehearsals = Rehearsals { done: Vec::new(), pool };
    let guarded = own_files::guarded(config);
    for section in config
        .actors
        .iter()
        .chain(config.entities.iter().map(|section| &section.actor))
    {
        check_section(section, config, &mut problems);
        own_files::check(section, &guarded, config, &mut problems);
        match &section.code {
            Code::Native(native) => {
                if let Some(native) = natives.actors.get(native) {
                    check_native(section, native, &mut problems);
                }
            }
            Code::Module(name) => {
                if let Some(module) = modules.find(name) {
                    check_actor(section, &module, &mut rehearsals, &mut problems).await;
                }
            }
        }
    }
    for section in &config.entities {
        entities::check(section, modules, &mut problems);
    }
    problems.into_result()?;
    Ok(())
}

/// Checks that every actor may have what its module has when it starts. Gives the modules of those that may not.
fn check_needs(
    config: &NodeConfig,
    needs: &BTreeMap<String, Needs>,
    problems: &mut LateProblems<'_>,
) -> BTreeSet<String> {
    let mut short = BTreeSet::new();
    for section in config
        .actors
        .iter()
        .chain(config.entities.iter().map(|section| &section.actor))
    {
        let Code::Module(module) = &section.code else { continue };
        let Some(Err(Shortages(shortages))) = needs.get(module).map(|needs| needs.check(&section.limits)) else {
            continue;
        };
        short.insert(module.clone());
        for shortage in &shortages {
            let message = format!(
                "an actor of module `{module}` could not start with the limits of `{}`: {shortage}",
                section.name
            );
            let (part, help) = match shortage {
                Shortage::Limit { limit, .. } => (EntryPart::Limit(limit.name()), format!("raise `{}`", limit.name())),
                _ => (EntryPart::Name, "this is the entry".to_owned()),
            };
            problems.of_actor(&section.name, part, message, help);
        }
    }
    short
}

fn report_module(error: &LoadError, config: &NodeConfig, problems: &mut LateProblems<'_>) {
    let LoadError { module, path, fault } = error;
    let is_own = config
        .modules
        .iter()
        .any(|own| own.name == *module && own.path == *path);
    let message = if is_own {
        format!("module `{module}`: {fault}")
    } else {
        format!("module `{module}`, deployed as {}: {fault}", path.display())
    };
    if let LoadFault::DigestMismatch { .. } = fault
        && is_own
    {
        let help = "this is the digest that was asked for";
        return problems.of_digest(module, message, help);
    }
    let (is_missing, help) = match fault {
        LoadFault::Read(error) => (
            error.is_not_found() && is_own,
            "expected the file of a component (.wasm)",
        ),
        LoadFault::DigestMismatch { .. } => (false, "this is the file"),
        _ => (
            false,
            "expected a component that is an actor; `ractor-host inspect FILE` says more",
        ),
    };
    problems.of_module(module, message, is_missing, help);
}

/// What holds for guests and native actors alike.
fn check_section(section: &ActorSection, config: &NodeConfig, problems: &mut LateProblems<'_>) {
    if config.control.is_some() && section.names().any(|name| name == CONTROL) {
        let message = format!("the actor name `{CONTROL}` is that of the node's own control actor");
        problems.of_actor(
            &section.name,
            EntryPart::Name,
            message,
            "choose another name, or leave out [control]",
        );
    }
    if section.checkpoint.is_some() && state_dir::folder(config).is_none() {
        let message = "there is no folder to keep the checkpoint in".to_owned();
        problems.of_actor(
            &section.name,
            EntryPart::Checkpoint,
            message,
            "write `state_dir = \"…\"` into [runtime]",
        );
    }
}

fn check_native(section: &ActorSection, native: &Native, problems: &mut LateProblems<'_>) {
    if let Err(error @ NativeError::Arguments { .. }) = native.check(&section.arguments) {
        let message = format!("actor `{}`: {error}", section.name);
        problems.of_actor(&section.name, EntryPart::Arguments, message, LITERAL);
    }
}

const LITERAL: &str = "expected one literal of the type that the actor starts with, such as `u64:5`";

/// Everything about one entry that depends on its module.
async fn check_actor(
    section: &ActorSection,
    module: &Module,
    rehearsals: &mut Rehearsals,
    problems: &mut LateProblems<'_>,
) {
    let actor = section.name.as_str();
    if let Err(refused) = module.admitted_by(&section.grants) {
        let message = format!("actor `{actor}` of module `{}`: {refused}", module.name());
        problems.of_actor(actor, EntryPart::Name, message, "this is the entry");
    }
    for (index, directory) in section.grants.directories.iter().enumerate() {
        if let Err(error) = directory.check() {
            problems.of_directory(actor, index, format!("actor `{actor}`: {error}"), error.is_missing);
        }
    }
    if section.checkpoint.is_some() && !module.is_reloadable() {
        let message = format!(
            "module `{}` does not export the interface `reload`, so that the state of its actors can't be kept",
            module.name()
        );
        problems.of_actor(
            actor,
            EntryPart::Checkpoint,
            message,
            "leave out `checkpoint`, or export `reload`",
        );
    }
    check_names(section, problems);
    if module.needs().check(&section.limits).is_err() {
        // That is reported already.
        return;
    }
    let pool = rehearsals.pool;
    match rehearsals.of(module, &section.limits).await {
        Ok(descriptor) => check_arguments(section, descriptor.as_ref(), problems),
        // Those that live take the room, which says nothing against the file. Whoever starts next finds out.
        Err(GuestError {
            fault: Fault::NoInstance { refused: None, .. },
            ..
        }) if pool == Pool::InUse => check_arguments(section, module.contract().await.as_ref(), problems),
        Err(error) => report_instance(section, module, error, problems),
    }
}

/// The names that a guest has, against its limits on them.
fn check_names(section: &ActorSection, problems: &mut LateProblems<'_>) {
    let Limits { name_bytes, groups, .. } = *section.limits;
    let actor = section.name.as_str();
    let names = section.names().map(|name| name.len());
    if names.max().is_some_and(|longest| longest > name_bytes) {
        let message = format!("the actor name is longer than {name_bytes} bytes, the limit `name_bytes`");
        problems.of_actor(
            actor,
            EntryPart::Name,
            message,
            "choose a shorter one, or raise `name_bytes`",
        );
    }
    if section.groups.iter().any(|group| group.len() > name_bytes) {
        let message = format!("a group name is longer than {name_bytes} bytes, the limit `name_bytes`");
        problems.of_actor(
            actor,
            EntryPart::Groups,
            message,
            "choose a shorter one, or raise `name_bytes`",
        );
    }
    if section.groups.len() > groups {
        let message = format!("the actor is in more than {groups} groups, the limit `groups` of [actors.limits]");
        problems.of_actor(actor, EntryPart::Groups, message, "leave some out, or raise the limit");
    }
}

/// The bytes of `arguments` against the type that the guest says it starts with, if that is known here.
fn check_arguments(section: &ActorSection, contract: Option<&Contract>, problems: &mut LateProblems<'_>) {
    let Some(contract) = contract else { return };
    let Some(ty) = contract.start.ty().and_then(Type::of) else {
        return;
    };
    let named = match &contract.start {
        Start::Argument(start) if !start.name.is_empty() => format!(" ({})", start.name),
        _ => String::new(),
    };
    if let Err(error) = ty.decode(&section.arguments) {
        let (actor, reason) = (&section.name, error.reason());
        let message = format!("actor `{actor}` starts with a value of type {ty}{named}: {reason}");
        let help = match ty {
            Type::Unit => "leave out `arguments`".to_owned(),
            _ => format!("expected a literal of that type: `arguments = \"{ty}:…\"`"),
        };
        problems.of_actor(&section.name, EntryPart::Arguments, message, help);
    }
}

fn report_instance(section: &ActorSection, module: &Module, error: &GuestError, problems: &mut LateProblems<'_>) {
    let actor = section.name.as_str();
    let limit = error.fault.limit();
    let part = limit.map_or(EntryPart::Name, |limit| EntryPart::Limit(limit.name()));
    let name = module.name();
    let (message, help) = match (&error.fault, limit) {
        (Fault::Returned(reason), _) => (
            format!("module `{name}` can't run its `source`: {reason}"),
            "this is an actor of it".to_owned(),
        ),
        (fault, limit) => (
            format!("an actor of module `{name}` could not start with the limits of `{actor}`: {fault}"),
            limit.map_or("this is the entry".to_owned(), |limit| {
                format!("raise `{}`", limit.name())
            }),
        ),
    };
    problems.of_actor(actor, part, message, help);
}

/// What came of instantiating a module with some limits. Many actors have the same.
struct Rehearsals {
    done: Vec<Rehearsal>,
    pool: Pool,
}

struct Rehearsal {
    module: String,
    limits: Arc<Limits>,
    outcome: Result<Option<Contract>, GuestError>,
}

impl Rehearsals {
    async fn of(&mut self, module: &Module, limits: &Arc<Limits>) -> &Result<Option<Contract>, GuestError> {
        // By the limits too: what fits into those of one entry may be too large for those of another.
        let same = |done: &Rehearsal| done.module == module.name() && done.limits == *limits;
        let index = match self.done.iter().position(same) {
            Some(index) => index,
            None => {
                self.done.push(Rehearsal {
                    module: module.name().to_owned(),
                    limits: limits.clone(),
                    outcome: module.rehearse(limits.clone()).await,
                });
                self.done.len() - 1
            }
        };
        match self.done.get(index) {
            Some(rehearsal) => &rehearsal.outcome,
            // Not reached: it was found or pushed right above.
            None => &Ok(None),
        }
    }
}
