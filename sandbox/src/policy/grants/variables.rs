//! The environment that a guest sees: variables with values that the configuration gives, or that this process has.

use std::collections::BTreeMap;
use std::fmt;

/// Environment variables. Their values may be secrets, so they are not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// A name that no variable can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} can't be the name of an environment variable")]
pub struct InvalidVariable(pub String);

impl Variables {
    /// Adds a variable, or replaces it.
    ///
    /// # Errors
    /// The name is empty or has a `=`, or name or value a NUL.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidVariable> {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(InvalidVariable(name.to_owned()));
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let mut variables = Variables::default();
        variables.set("TOKEN", "s3cret").unwrap();
        assert_eq!(format!("{variables:?}"), "{\"TOKEN\"}");
        assert_eq!(variables.set("A=B", ""), Err(InvalidVariable("A=B".to_owned())));
    }
}
