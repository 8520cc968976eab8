//! Where a secret is: in a file, or in a variable of the environment. It is never written into the configuration itself.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::context::ReadContext;
use super::path::missing;
use super::problem::Problems;
use super::section::Section;

/// The two keys of a section that can say where a secret is.
pub(super) struct SecretKeys {
    pub(super) file: &'static str,
    pub(super) variable: &'static str,
    /// The secret, in words.
    pub(super) what: &'static str,
    /// The name of a variable.
    pub(super) example: &'static str,
    /// Keys that people write in place of the two, which have been reported already.
    pub(super) mistaken: &'static [&'static str],
    pub(super) presence: Presence,
}

/// Whether a secret has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// Where a secret came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// This file.
    File(PathBuf),
    /// The variable of the environment with this name.
    Variable(String),
}

impl SecretPlace {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Variable(_) => None,
        }
    }

    /// The variable, if it is one.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Variable(name) => Some(name),
        }
    }
}

/// Where a secret is.
pub(super) enum SecretKey<'d> {
    File(Spanned<&'d str>),
    /// The name is one that a variable can have.
    Variable(Spanned<&'d str>),
}

impl SecretKeys {
    /// Exactly one of the two keys; none if that was reported.
    pub(super) fn read<'d>(&self, section: &Section<'d>, problems: &mut Problems) -> Option<SecretKey<'d>> {
        let Self {
            file: file_key,
            variable: variable_key,
            what,
            ..
        } = self;
        match (section.text(file_key, problems), section.text(variable_key, problems)) {
            (Some(file), None) => self.check_file(file, problems),
            (None, Some(variable)) => self.check_variable(variable, problems),
            (Some(_), Some(variable)) => {
                let message = format!("both `{file_key}` and `{variable_key}` say where {what} is");
                problems.error(variable.span(), message, "keep one of them");
                None
            }
            (None, None) => {
                let mut keys = self.mistaken.iter().chain([file_key, variable_key]);
                if self.presence == Presence::Required && keys.all(|key| section.lacks(key)) {
                    let message = format!("{} does not say where {what} is", section.title);
                    let help = format!("add `{file_key} = \"…\"` or `{variable_key} = \"…\"`");
                    problems.error(section.span.clone(), message, help);
                }
                None
            }
        }
    }

    fn check_file<'d>(&self, file: Spanned<&'d str>, problems: &mut Problems) -> Option<SecretKey<'d>> {
        if file.get_ref().contains("://") {
            let message = format!("`{}` is not the name of a file", self.file);
            let help = format!("write {} into a file, and name that here", self.what);
            // A URL may have the secret in it.
            problems.hidden_error(file.span(), message, help);
            return None;
        }
        Some(SecretKey::File(file))
    }

    fn check_variable<'d>(&self, variable: Spanned<&'d str>, problems: &mut Problems) -> Option<SecretKey<'d>> {
        let name = *variable.get_ref();
        if name.is_empty() || name.contains(['=', '\0', ':', '/', '@']) {
            let message = format!("`{}` is not the name of a variable", self.variable);
            // It may be the secret itself.
            problems.hidden_error(
                variable.span(),
                message,
                format!("expected for example `{}`", self.example),
            );
            return None;
        }
        Some(SecretKey::Variable(variable))
    }
}

impl SecretKey<'_> {
    /// Where it is written.
    pub(super) fn span(&self) -> std::ops::Range<usize> {
        match self {
            Self::File(file) => file.span(),
            Self::Variable(variable) => variable.span(),
        }
    }

    /// The same for whoever has read it.
    pub(super) fn resolved(&self, context: &ReadContext<'_>) -> SecretPlace {
        match self {
            Self::File(file) => SecretPlace::File(context.path(file)),
            Self::Variable(name) => SecretPlace::Variable((*name.get_ref()).to_owned()),
        }
    }

    /// What to do about a secret that is not there: for a file where it was looked for, otherwise `help`.
    pub(super) fn help(&self, is_missing: bool, help: String, context: &ReadContext<'_>) -> String {
        match self {
            Self::File(file) if is_missing => missing(file.get_ref(), context.folder_of(file.span().start)),
            Self::File(_) | Self::Variable(_) => help,
        }
    }
}
