//! Native actors whose types are known to the program alone.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use ractor::{Actor, ActorCell, BytesConvertable, SpawnErr};

use super::error::{HostError, NativeError};
use crate::config::{ActorSection, Code, NodeConfig};
use crate::directory;
use crate::entities::EntityCode;

type Spawned = Pin<Box<dyn Future<Output = Result<ActorCell, NativeError>> + Send>>;

type Check = fn(&[u8]) -> Result<(), NativeError>;

type SpawnNative = dyn Fn(String, &[u8], ActorCell) -> Spawned + Send + Sync;

/// The native code of a program, by the names that node.toml has for it.
#[derive(Default)]
pub(super) struct Natives {
    pub(super) actors: BTreeMap<String, Native>,
    pub(super) entities: BTreeMap<String, Arc<dyn EntityCode>>,
}

impl Natives {
    /// The names of the actors, and those of the entities.
    pub(super) fn names(&self) -> (Vec<&str>, Vec<&str>) {
        let actors = self.actors.keys().map(String::as_str);
        (actors.collect(), self.entities.keys().map(String::as_str).collect())
    }
}

/// Spawns actors of one type from what node.toml says: a name, and arguments as bytes.
pub(super) struct Native {
    spawn: Box<SpawnNative>,
    check: Check,
}

impl Native {
    pub(super) fn new<A, F>(make: F) -> Self
    where
        A: Actor<Arguments: BytesConvertable>,
        F: Fn() -> A + Send + Sync + 'static,
    {
        let spawn = move |name: String, arguments: &[u8], supervisor: ActorCell| -> Spawned {
            match decode::<A::Arguments>(arguments) {
                Ok(arguments) => Box::pin(spawn(name, make(), arguments, supervisor)),
                Err(error) => Box::pin(async { Err(error) }),
            }
        };
        Self {
            spawn: Box::new(spawn),
            check: |arguments| decode::<A::Arguments>(arguments).map(drop),
        }
    }

    /// Checks that these are the arguments of an actor.
    pub(super) fn check(&self, arguments: &[u8]) -> Result<(), NativeError> {
        (self.check)(arguments)
    }

    /// Starts an actor under a supervisor.
    pub(super) async fn spawn(
        &self,
        name: String,
        arguments: &[u8],
        supervisor: ActorCell,
    ) -> Result<ActorCell, NativeError> {
        (self.spawn)(name, arguments, supervisor).await
    }
}

async fn spawn<A: Actor>(
    name: String,
    handler: A,
    arguments: A::Arguments,
    supervisor: ActorCell,
) -> Result<ActorCell, NativeError> {
    // ractor would not know of a guest with this name.
    if directory::where_is(&name).is_some() {
        return Err(NativeError::NameTaken);
    }
    match Actor::spawn_linked(Some(name), handler, arguments, supervisor).await {
        Ok((actor, _)) => Ok(actor.get_cell()),
        Err(SpawnErr::ActorAlreadyRegistered(_)) => Err(NativeError::NameTaken),
        Err(error) => Err(NativeError::Start(error)),
    }
}

/// `BytesConvertable` may panic on bytes of another type, and ignores bytes that are too many. Neither is acceptable
/// for what a person wrote.
fn decode<T: BytesConvertable>(bytes: &[u8]) -> Result<T, NativeError> {
    let refused = NativeError::Arguments {
        expected: std::any::type_name::<T>(),
        found: bytes.len(),
    };
    let decode = || T::from_bytes(bytes.to_vec());
    // Decoded twice, because finding out how many bytes a value stands for uses it up.
    let decoded = catch_unwind(AssertUnwindSafe(|| (decode(), decode().into_bytes().len())));
    match decoded {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        _ => Err(refused),
    }
}

/// A configuration that was checked for another host is found out before anything starts.
pub(super) fn check_natives(config: &NodeConfig, natives: &Natives) -> Result<(), HostError> {
    let is_unknown = |actor: &ActorSection, known: &dyn Fn(&str) -> bool| match &actor.code {
        Code::Native(native) => !known(native),
        Code::Module(_) => false,
    };
    let mut actors = config.actors.iter();
    let actor = actors.find(|actor| is_unknown(actor, &|name| natives.actors.contains_key(name)));
    let mut of_entities = config.entities.iter().map(|section| &section.actor);
    let entity = of_entities.find(|actor| is_unknown(actor, &|name| natives.entities.contains_key(name)));
    if let Some(actor) = actor.or(entity) {
        return Err(unknown(&actor.name, actor));
    }
    Ok(())
}

/// The error about an actor whose code this host doesn't have.
pub(super) fn unknown(actor: &str, section: &ActorSection) -> HostError {
    HostError::Unknown {
        actor: actor.to_owned(),
        code: section.code.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_one_value_and_nothing_else() {
        assert_eq!(decode::<u64>(&5u64.to_be_bytes()).unwrap(), 5);
        assert_eq!(decode::<String>(b"hi").unwrap(), "hi");
        decode::<()>(b"").unwrap();
        let refused = |result: Result<u64, NativeError>| result.unwrap_err().to_string();
        assert_eq!(
            refused(decode(b"")),
            "its `arguments` have 0 bytes, which are not one value of type u64; write for example `arguments = \
             \"u64:0\"`"
        );
        assert_eq!(
            refused(decode(&[0; 9])),
            "its `arguments` have 9 bytes, which are not one value of type u64"
        );
        assert_eq!(
            decode::<()>(b"x").unwrap_err().to_string(),
            "its `arguments` have 1 bytes, which are not one value of type ()"
        );
    }
}
