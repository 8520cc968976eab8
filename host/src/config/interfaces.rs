//! `[actors.interfaces.KEY]`: what an actor may do with an import interface that the program adds.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::choice::known;
use super::context::ReadContext;
use super::problem::Problems;
use super::section::kind;
use crate::guest::InterfaceConfig;

/// Reads each section as its interface says. A section of an interface that this program doesn't have is a mistake.
pub(super) fn read(
    value: &Spanned<DeValue<'_>>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, InterfaceConfig> {
    let mut read = BTreeMap::new();
    let DeValue::Table(sections) = value.get_ref() else {
        let message = format!("`interfaces` is {}", kind(value.get_ref()));
        problems.error(
            value.span(),
            message,
            "expected a table for each interface: `[actors.interfaces.KEY]`",
        );
        return read;
    };
    let keys: Vec<&str> = context.interfaces.keys().collect();
    for (name, section) in sections {
        let name = Spanned::new(name.span(), name.get_ref().as_ref());
        let message = "this program has no interface `{}` for guests";
        let nothing = "build a program that adds it with `Host::builder().interface(…)`";
        let Some(key) = known(&name, message, &keys, nothing, problems) else {
            continue;
        };
        if !matches!(section.get_ref(), DeValue::Table(_)) {
            let message = format!("`interfaces.{key}` is {}", kind(section.get_ref()));
            problems.error(section.span(), message, "expected a table, which may be empty");
            continue;
        }
        match context
            .interfaces
            .configure(&key, ValueDeserializer::from(section.clone()))
        {
            Some(Ok(config)) => {
                read.insert(key, config);
            }
            Some(Err(error)) => {
                // What serde says may have several lines.
                let error: Vec<&str> = error.split_whitespace().collect();
                let message = format!("[actors.interfaces.{key}]: {}", error.join(" "));
                problems.error(section.span(), message, "the interface reads this section");
            }
            None => {}
        }
    }
    read
}
