//! Who a message of the command line is for.

use std::fmt;
use std::str::FromStr;

/// Who a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A member of a process group.
    Group(String),
    /// The actor with this pid on the node that is connected to.
    Pid(u64),
    /// The actor with this name on the node that is connected to.
    Name(String),
}

/// Text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {problem}: expected an actor's name, `group:NAME` or `pid:N`")]
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
            Some(("group", name)) => Ok(Self::Group(name.to_owned())),
            Some(("pid", number)) => number.parse().map(Self::Pid).map_err(|_| refuse("has no pid")),
            Some(("name", "")) => Err(refuse("names no actor")),
            Some(("name", name)) => Ok(Self::Name(name.to_owned())),
            Some(_) => Err(refuse("does not say what it is")),
            None if text.is_empty() => Err(refuse("names no actor")),
            None => Ok(Self::Name(text.to_owned())),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
            Self::Name(name) => f.write_str(name),
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
        for text in ["", "group:", "pid:", "pid:-1", "pid:x", "name:", "counters:a"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
