//! What stands behind the `?` of an address.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::problem::{Kind, Problem};

/// The values, by name.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// # Errors
    /// There is a name besides these, or one comes twice.
    pub(super) fn parse(raw: Option<&str>, names: &[&str]) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            if !names.contains(&&*name) {
                let known = names.join("`, `");
                let detail = format!("there is no `{name}` here; there is: `{known}`");
                return Err(Problem::new(Kind::BadRequest, detail));
            }
            if let Some(name) = values
                .insert(name.clone().into_owned(), value.into_owned())
                .map(|_| name)
            {
                return Err(Problem::new(Kind::BadRequest, format!("`{name}` comes twice")));
            }
        }
        Ok(Self(values))
    }

    /// A value, if it is given.
    ///
    /// # Errors
    /// It is not what is `expected`.
    pub(super) fn value<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.get(name) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| Problem::new(Kind::BadRequest, format!("`{name}` is {text:?}; expected {expected}")))
    }

    /// As it stands there.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(parsed: Result<Query, Problem>) -> String {
        format!("{:?}", parsed.err().unwrap())
    }

    #[test]
    fn what_is_not_known_or_comes_twice_is_refused() {
        assert!(
            detail(Query::parse(Some("lats=1"), &["last", "next"]))
                .contains("there is no `lats` here; there is: `last`, `next`")
        );
        assert!(detail(Query::parse(Some("last=1&last=2"), &["last"])).contains("`last` comes twice"));
        let query = Query::parse(Some("target=group%3Aa+b&last=x"), &["last", "target"])
            .ok()
            .unwrap();
        assert_eq!(query.text("target"), Some("group:a b"));
        let wrong = query.value::<u64>("last", "a number").err().unwrap();
        assert!(
            format!("{wrong:?}").contains("`last` is \\\"x\\\"; expected a number"),
            "{wrong:?}"
        );
        assert!(Query::parse(None, &[]).is_ok());
    }
}
