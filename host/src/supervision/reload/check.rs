//! Whether new code can take the place of what runs: decided from what both say of themselves, before anything is touched.

use std::fmt;

use crate::guest::{Contract, GuestRef, Message, Mode, Module, NotGranted, TypeExpr};

/// What is known of a version of a module.
#[derive(Debug, Clone)]
pub(super) struct CodeFacts {
    pub(super) reloadable: bool,
    /// What it says of itself, or why it doesn't.
    pub(super) contract: Result<Contract, String>,
}

impl CodeFacts {
    pub(super) async fn of(module: &Module) -> Self {
        Self {
            reloadable: module.is_reloadable(),
            contract: module.contract_or_reason().await,
        }
    }
}

/// What is known of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActorFacts {
    pub(super) name: String,
    pub(super) may_restart: bool,
    /// What the new code imports, and the actor would have to be granted.
    pub(super) lacks: Option<NotGranted>,
}

impl ActorFacts {
    /// Those of this actor, which is to run `new`.
    pub(super) fn of(guest: &GuestRef, new: &Module) -> Self {
        Self {
            name: guest.name().unwrap_or_else(|| format!("pid {}", guest.pid())),
            may_restart: guest.profile().reload_by_restart,
            lacks: new.admitted_by(&guest.profile().grants).err(),
        }
    }
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReloadPlan {
    /// How each actor is reloaded, in their order.
    pub(super) modes: Vec<Mode>,
    /// What is different, in words.
    pub(super) changes: Vec<String>,
}

/// Why new code can't take the place of what runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The new code doesn't say what it is, for this reason.
    #[error("the new code does not describe itself: {0}")]
    Undescribed(String),
    /// It is another actor.
    #[error("the new code is `{new}`, what runs is `{old}`; force it if they are the same actor under two names")]
    OtherActor {
        /// What runs.
        old: String,
        /// What was to run.
        new: String,
    },
    /// Its state is older.
    #[error(
        "the new code has version {new} of the state, what runs has {old}, which it can't know; give the state up (mode \
         `restart`), or force it if it can"
    )]
    OlderState {
        /// The version of what runs.
        old: u32,
        /// The version of what was to run.
        new: u32,
    },
    /// It would not understand the start arguments.
    #[error(
        "the new code is started with `{new}`, the actors were started with `{old}`; force it if both are the same bytes"
    )]
    OtherArguments {
        /// What they were started with.
        old: String,
        /// What it takes.
        new: String,
    },
    /// The node could not start an actor again with the new code.
    #[error(
        "the new code is started with `{ty}`, and `arguments` in the entry of actor `{actor}` is no such value ({reason}): the node would not \
         start again; change the entry and restart the node with the new code, or force it and change the entry before the next start"
    )]
    ArgumentsInFile {
        /// The first actor that stands in the way.
        actor: String,
        /// What the new code takes.
        ty: String,
        /// What is wrong with the bytes of the entry.
        reason: String,
    },
    /// The state can't be handed over.
    #[error(
        "{which} code does not export the interface `reload`, so the state can't be handed over, and actor `{actor}` may not be restarted (`reload = \"restart\"` allows it)"
    )]
    NotReloadable {
        /// `the running` or `the new`.
        which: &'static str,
        /// The first actor that stands in the way.
        actor: String,
    },
    /// An actor may not use what the new code imports.
    #[error("actor `{actor}` is not granted what the new code imports: {lacks}")]
    NotGranted {
        /// The first actor that stands in the way.
        actor: String,
        /// The import, and what to write into node.toml.
        lacks: NotGranted,
    },
    /// An actor's state is to be kept, which the new code can't say.
    #[error(
        "the new code does not export the interface `reload`, and `checkpoint` in the entry of actor `{0}` takes code that does"
    )]
    NotKept(String),
    /// The state would be given up.
    #[error("actor `{0}` may not be restarted; `reload = \"restart\"` in its entry allows it")]
    NoRestart(String),
}

/// A reload was refused. Nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The module.
    pub module: String,
    /// Every reason.
    pub refusals: Vec<Refusal>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module `{}` is not reloaded: ", self.module)?;
        for (at, refusal) in self.refusals.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            refusal.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// Decides how each actor is reloaded, or why none is.
pub(super) fn plan(
    old: &CodeFacts,
    new: &CodeFacts,
    actors: &[ActorFacts],
    wanted: Option<Mode>,
    force: bool,
) -> Result<ReloadPlan, Vec<Refusal>> {
    let described = match &new.contract {
        Ok(described) => described,
        Err(reason) => return Err(vec![Refusal::Undescribed(reason.clone())]),
    };
    // Whoever forces it grants nothing by that.
    let mut refusals: Vec<_> = actors.iter().find_map(not_granted).into_iter().collect();
    let modes: Vec<Mode> = actors
        .iter()
        .filter_map(|actor| {
            let mode = mode(old, new, actor, wanted);
            mode.map_err(|refusal| {
                // One of a kind says enough.
                if !refusals
                    .iter()
                    .any(|other| std::mem::discriminant(other) == std::mem::discriminant(&refusal))
                {
                    refusals.push(refusal);
                }
            })
            .ok()
        })
        .collect();
    let changes = match &old.contract {
        Ok(running) => {
            if !force {
                refusals.extend(mismatches(running, described, &modes));
            }
            changes(running, described)
        }
        Err(_) => Vec::new(),
    };
    if refusals.is_empty() {
        Ok(ReloadPlan { modes, changes })
    } else {
        Err(refusals)
    }
}

/// The plan, unless there are these further reasons against it. Of a kind that it was refused for already, nothing is added.
pub(super) fn also(plan: Result<ReloadPlan, Vec<Refusal>>, further: Vec<Refusal>) -> Result<ReloadPlan, Vec<Refusal>> {
    let mut refusals = match plan {
        Ok(plan) if further.is_empty() => return Ok(plan),
        Ok(_) => Vec::new(),
        Err(refusals) => refusals,
    };
    for refusal in further {
        let kind = std::mem::discriminant(&refusal);
        if refusals.iter().all(|other| std::mem::discriminant(other) != kind) {
            refusals.push(refusal);
        }
    }
    Err(refusals)
}

fn not_granted(actor: &ActorFacts) -> Option<Refusal> {
    Some(Refusal::NotGranted {
        actor: actor.name.clone(),
        lacks: actor.lacks.clone()?,
    })
}

fn mode(old: &CodeFacts, new: &CodeFacts, actor: &ActorFacts, wanted: Option<Mode>) -> Result<Mode, Refusal> {
    let unable = match (old.reloadable, new.reloadable) {
        (true, true) => None,
        (false, _) => Some("the running"),
        (true, false) => Some("the new"),
    };
    match (wanted, unable) {
        (None | Some(Mode::Snapshot), None) => Ok(Mode::Snapshot),
        (None, Some(_)) | (Some(Mode::Restart), _) if actor.may_restart => Ok(Mode::Restart),
        (Some(Mode::Restart), _) => Err(Refusal::NoRestart(actor.name.clone())),
        (_, Some(which)) => Err(Refusal::NotReloadable {
            which,
            actor: actor.name.clone(),
        }),
    }
}

fn mismatches(old: &Contract, new: &Contract, modes: &[Mode]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if old.name != new.name {
        refusals.push(Refusal::OtherActor {
            old: old.name.clone(),
            new: new.name.clone(),
        });
    }
    // Only a state that is handed over has to be understood.
    if new.state_version < old.state_version && modes.contains(&Mode::Snapshot) {
        refusals.push(Refusal::OlderState {
            old: old.state_version,
            new: new.state_version,
        });
    }
    // Only a fresh start reads the arguments once more.
    if let (Some(old), Some(new)) = (old.start.ty(), new.start.ty())
        && old != new
        && modes.contains(&Mode::Restart)
    {
        refusals.push(Refusal::OtherArguments {
            old: old.to_string(),
            new: new.to_string(),
        });
    }
    refusals
}

/// What is different, in words.
fn changes(old: &Contract, new: &Contract) -> Vec<String> {
    let mut changes = Vec::new();
    let mut differs = |what: &str, old: &str, new: &str| {
        if old != new {
            changes.push(format!("{what} `{old}` → `{new}`"));
        }
    };
    differs("name", &old.name, &new.name);
    differs("version", &old.version, &new.version);
    differs(
        "version of the state",
        &old.state_version.to_string(),
        &new.state_version.to_string(),
    );
    if let (Some(old), Some(new)) = (old.start.ty(), new.start.ty()) {
        differs("start arguments", &old.to_string(), &new.to_string());
    }
    // A list that is empty says nothing: see the world.
    if old.messages.is_empty() || new.messages.is_empty() {
        return changes;
    }
    for message in &old.messages {
        match new.message(&message.name) {
            None => changes.push(format!(
                "message `{}` is gone: those that are sent or wait are dropped",
                message.name
            )),
            Some(after) if types(after) != types(message) => changes.push(format!(
                "message `{message}` → `{after}`: those of the old form are dropped"
            )),
            Some(_) => {}
        }
    }
    for message in &new.messages {
        if old.message(&message.name).is_none() {
            changes.push(format!("message `{message}` is new"));
        }
    }
    changes
}

/// What decides whether both ends understand each other: names of arguments don't.
fn types(message: &Message) -> (Vec<&TypeExpr>, Option<&TypeExpr>) {
    let arguments = message.arguments.iter().map(|argument| &argument.ty);
    (arguments.collect(), message.reply.as_ref())
}
