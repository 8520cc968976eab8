//! Guests that operators start besides those of node.toml.

use std::sync::Arc;

use parking_lot::RwLock;
use ractor::ActorCell;

use super::own_files;
use super::service::NodeService;
use crate::config::NodeConfig;
use crate::config::nearest::nearest;
use crate::control::{SpawnedActor, Spawning};
use crate::guest::{
    self, Contract, GuestOptions, Module, Profile, ReservedNames, RestartIntensity, RestartPolicy, RestartType, Start,
    TypeExpr,
};
use crate::typing::{Argument, Encoding};

/// What such a guest is given: what an entry `[[actors]]` has that says no more than its name and its module.
pub(super) struct Spawner {
    above: ActorCell,
    reserved: Arc<ReservedNames>,
    /// As node.toml has it by now.
    profile: RwLock<Arc<Profile>>,
}

impl Spawner {
    /// Below this supervisor, and with none of these names.
    pub(super) fn new(config: &NodeConfig, above: ActorCell, reserved: Arc<ReservedNames>) -> Self {
        Self {
            above,
            profile: RwLock::new(Arc::new(profile(config, &reserved))),
            reserved,
        }
    }

    /// From now on guests are given what this configuration says.
    pub(super) fn configure(&self, config: &NodeConfig) {
        *self.profile.write() = Arc::new(profile(config, &self.reserved));
    }
}

fn profile(config: &NodeConfig, reserved: &Arc<ReservedNames>) -> Profile {
    Profile {
        node_name: config.node.full_name().into(),
        guarded: Arc::new(own_files::guarded(config)),
        reserved_names: reserved.clone(),
        http_trust: config.runtime.http_roots.clone().unwrap_or_default(),
        limits: config.guest_limits.clone(),
        ..Profile::default()
    }
}

impl NodeService {
    /// Starts another guest.
    ///
    /// # Errors
    /// It does not start: why.
    pub(super) async fn spawn_guest(&self, spawning: Spawning) -> Result<SpawnedActor, String> {
        let Spawning {
            module,
            name,
            arguments,
            groups,
        } = spawning;
        let found = self.modules.find(&module).ok_or_else(|| self.no_module(&module))?;
        if self.spawner.reserved.contains(&name) || self.steering.find(&name).is_some() {
            return Err(format!(
                "`{name}` is the name of an actor of node.toml; `ractor-host start {name}` starts that one"
            ));
        }
        let options = GuestOptions {
            name: Some(name.clone()),
            arguments: start_arguments(&found, &arguments).await?,
            groups,
            profile: self.spawner.profile.read().clone(),
            modules: self.modules.clone(),
            restarting: RestartPolicy::new(RestartType::Transient, RestartIntensity::default()),
            ..GuestOptions::default()
        };
        let started = guest::spawn(&found, options, self.spawner.above.clone()).await;
        let guest = started.map_err(|error| format!("`{name}` does not start: {error}"))?;
        let pid = guest.cell.get_id().pid();
        let digest = guest.live().module().digest().to_string();
        tracing::info!(actor = &*name, pid, module, digest, "an operator has started an actor");
        Ok(SpawnedActor { name, pid, digest })
    }

    fn no_module(&self, module: &str) -> String {
        let names = self.modules.names();
        match nearest(module, names.iter().map(String::as_str)) {
            Some(near) => format!("there is no module `{module}`; did you mean `{near}`?"),
            None => format!("there is no module `{module}`; `ractor-host status` lists those that there are"),
        }
    }
}

/// The bytes of start arguments: a literal that says its type, or a word whose type the module says.
async fn start_arguments(module: &Module, words: &[String]) -> Result<Vec<u8>, String> {
    let word = match words {
        [] => return Ok(Vec::new()),
        [word] => word,
        [_, more, ..] => return Err(format!("a guest starts with one argument, and {more:?} is another one")),
    };
    let argument: Argument = word
        .parse()
        .map_err(|error: crate::config::LiteralError| error.to_string())?;
    if let Argument::Typed(literal) = argument {
        return Ok(literal.into_bytes());
    }
    let contract = module.contract().await;
    let (ty, contract) = described(contract.as_ref(), word)?;
    let encoding =
        Encoding::of(ty, contract).map_err(|reason| format!("it starts with {ty}, {reason}: write `bytes:00ff`"))?;
    let encoded = encoding.encode(word).map_err(|error| error.to_string())?;
    Ok(encoded.into_bytes())
}

/// The type of what a module starts with.
fn described<'c>(contract: Option<&'c Contract>, word: &str) -> Result<(&'c TypeExpr, &'c Contract), String> {
    match contract {
        Some(contract) => match &contract.start {
            Start::Argument(parameter) => Ok((&parameter.ty, contract)),
            Start::Nothing => Err(format!("it starts without an argument, and {word:?} is one")),
            Start::Unknown => Err(format!(
                "it does not say what it starts with: give {word:?} a type, for example `str:{word}`"
            )),
        },
        None => Err(format!(
            "it does not describe itself: give {word:?} a type, for example `str:{word}`"
        )),
    }
}
