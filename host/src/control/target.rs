//! Whom an operator means: the target of a message or of a request.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::entities::Entity;

/// Who is meant. As text, which is how it travels, it is as on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Target {
    /// A member of a process group.
    Group(String),
    /// The actor with this pid on the node that is connected to.
    Pid(u64),
    /// The actor with this name on the node that is connected to.
    Name(String),
    /// The entity of this type and key.
    Entity(Entity),
    /// The same, of the node of this name.
    EntityAt(Entity, String),
}

/// Text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {problem}: expected an actor's name, `group:NAME`, `pid:N` or `entity:TYPE/KEY`")]
pub(crate) struct TargetError {
    text: String,
    problem: &'static str,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let refuse = |problem| TargetError {
            text: text.to_owned(),
            problem,
        };
        match text.split_once(':') {
            Some(("group", "")) => Err(refuse("names no group")),
            Some(("group", name)) if Entity::is_written_so(name) => Err(refuse(
                "is where peers find entities: their messages say which one is meant, so name it as `entity:TYPE/KEY`",
            )),
            Some(("group", name)) => Ok(Self::Group(name.to_owned())),
            Some(("pid", number)) => number.parse().map(Self::Pid).map_err(|_| refuse("has no pid")),
            Some(("entity", _)) => entity(text).ok_or_else(|| refuse("names no entity")),
            Some(("name", "")) => Err(refuse("names no actor")),
            Some(("name", name)) => Ok(Self::Name(name.to_owned())),
            Some(_) => Err(refuse("does not say what it is")),
            None if text.is_empty() => Err(refuse("names no actor")),
            None => Ok(Self::Name(text.to_owned())),
        }
    }
}

/// An entity, and its node behind an `@`, which no key has as it is.
fn entity(text: &str) -> Option<Target> {
    match text.split_once('@') {
        None => text.parse().map(Target::Entity).ok(),
        Some((_, "")) => None,
        Some((entity, node)) => Some(Target::EntityAt(entity.parse().ok()?, node.to_owned())),
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
            // Otherwise it would be read as something else.
            Self::Name(name) if name.contains(':') => write!(f, "name:{name}"),
            Self::Name(name) => f.write_str(name),
            Self::Entity(entity) => entity.fmt(f),
            Self::EntityAt(entity, node) => write!(f, "{entity}@{node}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_group_or_a_pid_or_a_name() {
        assert_eq!("group:a:b".parse(), Ok(Target::Group("a:b".to_owned())));
        assert_eq!("pid:0".parse(), Ok(Target::Pid(0)));
        assert_eq!("counter".parse(), Ok(Target::Name("counter".to_owned())));
        assert_eq!("name:a:b".parse(), Ok(Target::Name("a:b".to_owned())));
        assert_eq!(
            "entity:cart/4711".parse(),
            Ok(Target::Entity(Entity::new("cart", "4711").unwrap()))
        );
        let at = Target::EntityAt(Entity::new("cart", "a@b").unwrap(), "alpha@localhost".to_owned());
        assert_eq!("entity:cart/a%40b@alpha@localhost".parse(), Ok(at));
        for text in [
            "group:a:b",
            "pid:7",
            "counter",
            "name:a:b",
            "entity:cart/a%20b",
            "entity:cart/a%40b@alpha@localhost",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "group:",
            "pid:",
            "pid:-1",
            "pid:x",
            "name:",
            "counters:a",
            "entity:cart",
            "entity:/1",
            "entity:cart/1@",
            "entity:cart@alpha",
            "group:entity:cart",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
