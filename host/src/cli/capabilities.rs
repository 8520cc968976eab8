//! What an actor may do, as `check` says it.

use std::fmt::Display;
use std::io::{self, Write};

use crate::guest::{Grants, Spawn};

/// One line for each capability that is granted, or one that says that none is.
pub(super) fn write_grants(out: &mut impl Write, grants: &Grants) -> io::Result<()> {
    let mut lines = Lines { out, any: false };
    lines.line("send to", &grants.messages.iter().collect::<Vec<_>>())?;
    match &grants.spawn {
        Spawn::Nothing => {}
        Spawn::Modules(modules) => lines.line("start children of", &modules.iter().collect::<Vec<_>>())?,
        Spawn::Anything => lines.line("start children of", &["every module"])?,
    }
    for directory in &grants.directories {
        let (access, host, guest) = (directory.access.name(), directory.host.display(), &directory.guest);
        lines.line(access, &[format!("{host}, which it finds at {guest}")])?;
    }
    lines.line("see the variables", &grants.environment.names().collect::<Vec<_>>())?;
    lines.line("connect over TCP to", &grants.tcp)?;
    lines.line("exchange datagrams with", &grants.udp)?;
    lines.line("look up", &grants.dns)?;
    lines.line("send HTTP requests to", grants.http.as_deref().unwrap_or_default())?;
    if !lines.any {
        writeln!(out, "    may reach nothing but its supervisor and its children")?;
    }
    Ok(())
}

struct Lines<'o, W> {
    out: &'o mut W,
    any: bool,
}

impl<W: Write> Lines<'_, W> {
    fn line(&mut self, verb: &str, objects: &[impl Display]) -> io::Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        self.any = true;
        let objects: Vec<_> = objects.iter().map(ToString::to_string).collect();
        writeln!(self.out, "    may {verb} {}", objects.join(", "))
    }
}
