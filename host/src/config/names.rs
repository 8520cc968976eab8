//! What may be the name of a node, a host, a module, a supervisor, an actor or a group.

use std::net::Ipv6Addr;

use toml::Spanned;

use super::problem::Problems;
use crate::entities::Entity;

/// In bytes. Names travel in every message that announces an actor.
const LONGEST: usize = 255;

/// What a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameOf {
    Node,
    Host,
    Module,
    Supervisor,
    Actor,
    Group,
    EntityType,
}

impl NameOf {
    /// Nothing, or why this can't be the name, and what to do.
    pub(super) fn check(self, name: &str) -> Result<(), (String, String)> {
        let what = self.in_words();
        let refused = |why: String, help: &str| Err((why, help.to_owned()));
        if name.is_empty() {
            return refused(format!("the {what} is empty"), "expected at least one character");
        }
        if name.len() > LONGEST {
            return refused(
                format!("the {what} has {} bytes", name.len()),
                &format!("expected at most {LONGEST}"),
            );
        }
        if name.chars().any(char::is_control) {
            return refused(
                format!("the {what} has a control character"),
                "expected printable characters",
            );
        }
        if matches!(self, Self::Actor | Self::Group) && Entity::is_written_so(name) {
            return refused(
                format!("the {what} begins with `entity:`"),
                "such names are those of entities: add a table `[entities.TYPE]` for them, or choose another name",
            );
        }
        if self == Self::EntityType && name.contains('/') {
            return refused(format!("the {what} has a `/`"), "`/` separates it from the key");
        }
        if self == Self::Group {
            return Ok(());
        }
        if name.contains('@') {
            let help = if self == Self::Node {
                "write what follows the `@` as `hostname`"
            } else {
                "`@` separates a name from its node"
            };
            return refused(format!("the {what} has an `@`"), help);
        }
        if name.contains(char::is_whitespace) {
            return refused(
                format!("the {what} has a space"),
                "expected a single word; `-` and `_` are fine",
            );
        }
        if self == Self::Host && name.contains(':') && name.parse::<Ipv6Addr>().is_err() {
            let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
            let help = match bare.filter(|bare| bare.parse::<Ipv6Addr>().is_ok()) {
                Some(bare) => format!("write it without brackets: `{bare}`"),
                None => "the port belongs to `listen`".to_owned(),
            };
            return refused(format!("the {what} has a `:`"), &help);
        }
        Ok(())
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Node => "node name",
            Self::Host => "hostname",
            Self::Module => "module name",
            Self::Supervisor => "supervisor name",
            Self::Actor => "actor name",
            Self::Group => "group name",
            Self::EntityType => "name of the type of entities",
        }
    }
}

/// The name, if it can be one.
pub(super) fn checked_name(of: NameOf, name: &Spanned<&str>, problems: &mut Problems) -> Option<String> {
    match of.check(name.get_ref()) {
        Ok(()) => Some((*name.get_ref()).to_owned()),
        Err((message, help)) => {
            problems.error(name.span(), message, help);
            None
        }
    }
}
