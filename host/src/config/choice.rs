//! Values that name one of several things: an actor's module, a strategy, what happens when a mailbox is full.

use toml::Spanned;

use super::nearest::nearest;
use super::problem::Problems;
use super::section::Section;

/// The name, if it is one of those that exist. `message` has `{}` where the name goes; `if_none` helps where nothing exists.
pub(super) fn known(
    name: &Spanned<&str>,
    message: &str,
    existing: &[&str],
    if_none: &str,
    problems: &mut Problems,
) -> Option<String> {
    let wanted = *name.get_ref();
    if existing.contains(&wanted) {
        return Some(wanted.to_owned());
    }
    let help = match nearest(wanted, existing.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None if existing.is_empty() => if_none.to_owned(),
        None => format!("expected one of: {}", existing.join(", ")),
    };
    problems.error(
        name.span(),
        message.replace("{}", &wanted.escape_debug().to_string()),
        help,
    );
    None
}

/// What the key stands for in this table of names. None if it isn't there, or names nothing, which is a mistake.
pub(super) fn chosen<T: Copy>(
    key: &str,
    choices: &[(&str, T)],
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<T> {
    let text = section.text(key, problems)?;
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let name = known(&text, &format!("`{key}` can't be `{{}}`"), &names, "", problems)?;
    choices
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, choice)| *choice)
}

/// As [`chosen`], for a key that may be left out.
pub(super) fn chosen_or<T: Copy>(
    key: &str,
    choices: &[(&str, T)],
    default: T,
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<T> {
    match section.value(key) {
        Some(_) => chosen(key, choices, section, problems),
        None => Some(default),
    }
}
