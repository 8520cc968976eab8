//! Who a message of the command line is for.

use std::fmt;
use std::str::FromStr;

/// Who a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A member of a process group.
    Group(String),
    /// The actor with this pid on the node that is connected to.
    Pid(u64),
}

/// Text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {problem}: expected `group:NAME` or `pid:N`")]
pub(super) struct TargetError {
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
            _ => Err(refuse("does not say what it is")),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_group_or_a_pid() {
        assert_eq!("group:a:b".parse(), Ok(Target::Group("a:b".to_owned())));
        assert_eq!("pid:0".parse(), Ok(Target::Pid(0)));
        for text in ["group:", "pid:", "pid:-1", "pid:x", "counters", "name:a"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
