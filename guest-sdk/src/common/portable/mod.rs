//! The state of an actor in a form that code in every language reads: "State" in docs/types.md.
//!
//! It is strict. A state goes over unchanged, or there is an error that names the field, and never a wrong value.

mod json;
mod scalars;
// The examples say in ractor's own bytes what a value means, which serde's types don't have then.
#[cfg(all(test, not(feature = "blanket_serde")))]
mod tests;
mod value;

use std::collections::HashSet;

use self::json::Json;
pub use self::value::{Portable, PortableKey, Sink, Value};

/// The version of the format.
const VERSION: &str = "1";

/// A state can't be written for every language, or what was read isn't this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortableError {
    /// It has no state's form; what is wrong.
    Format(String),
    /// The form of one field is wrong.
    Field {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// A field is declared and not there.
    Missing(String),
    /// A field is there and not declared.
    Undeclared(String),
    /// A field is of another type.
    Type {
        /// The field.
        field: String,
        /// Its type.
        declared: String,
        /// The type that was written.
        found: String,
    },
    /// The value of a field isn't of its type, or isn't one that every language reads alike.
    Value {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl PortableError {
    /// The field that is wrong; none if it is the whole.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Format(_) => None,
            Self::Missing(field)
            | Self::Undeclared(field)
            | Self::Field { field, .. }
            | Self::Type { field, .. }
            | Self::Value { field, .. } => Some(field),
        }
    }
}

impl std::fmt::Display for PortableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Format(reason) => write!(f, "this is no portable state: {reason}"),
            Self::Field { field, reason } => {
                write!(f, "field `{field}` of the state has not the form of one: {reason}")
            }
            Self::Missing(field) => write!(
                f,
                "the state has no field `{field}`; where it may be missing, `#[portable(default)]` says what it is then"
            ),
            Self::Undeclared(field) => write!(f, "the state has a field `{field}`, which this code does not declare"),
            Self::Type { field, declared, found } => {
                write!(
                    f,
                    "field `{field}` of the state is declared as {declared} and was written as {found}"
                )
            }
            Self::Value { field, reason } => write!(f, "field `{field}` of the state: {reason}"),
        }
    }
}

impl std::error::Error for PortableError {}

/// A state whose fields every language knows. `#[derive(PortableState)]` implements it for a struct whose fields are
/// [`Portable`], and makes it the form in which [`Reload`](crate::reload::Reload) hands the state over:
///
/// ```
/// # use ractor_guest as ractor;
/// use ractor::reload::PortableState;
///
/// #[derive(Debug, PartialEq, PortableState)]
/// struct Counter {
///     count: u64,
///     #[portable(default)]
///     marks: Vec<String>,
///     #[portable(name = "last_name", default = "nobody".to_owned())]
///     last: String,
/// }
///
/// let counter = Counter { count: u64::MAX, marks: Vec::new(), last: "Ada".to_owned() };
/// let state = counter.to_portable()?;
/// assert_eq!(Counter::from_portable(&state)?, counter);
///
/// let older = br#"{"ractor-state": 1, "fields": {"count": {"type": "u64", "value": "5"}}}"#;
/// assert_eq!(Counter::from_portable(older)?.last, "nobody");
///
/// let other = br#"{"ractor-state": 1, "fields": {"count": {"type": "u32", "value": 5}}}"#;
/// let error = Counter::from_portable(other).unwrap_err().to_string();
/// assert_eq!(error, "field `count` of the state is declared as u64 and was written as u32");
/// # Ok::<(), ractor::reload::PortableError>(())
/// ```
///
/// A struct that has this has no `Serialize` besides, or it would not be known in which of both forms it is kept.
#[diagnostic::on_unimplemented(message = "`{Self}` is no portable state", note = "derive `PortableState` for it")]
pub trait PortableState: Sized {
    /// Writes each field.
    ///
    /// # Errors
    /// One has a value that not every language would read alike.
    fn write_fields(&self, fields: &mut FieldsWriter) -> Result<(), PortableError>;

    /// Reads each field.
    ///
    /// # Errors
    /// One is missing, of another type, or not a value of its type.
    fn read_fields(fields: &mut FieldsReader) -> Result<Self, PortableError>;

    /// The state as bytes.
    ///
    /// # Errors
    /// A field has a value that not every language would read alike.
    fn to_portable(&self) -> Result<Vec<u8>, PortableError> {
        let mut fields = FieldsWriter::default();
        self.write_fields(&mut fields)?;
        Ok(format!("{{\"ractor-state\":{VERSION},\"fields\":{{{}}}}}", fields.0.0).into_bytes())
    }

    /// Reads a state that code in any language wrote.
    ///
    /// # Errors
    /// It is not exactly one of this type.
    fn from_portable(state: &[u8]) -> Result<Self, PortableError> {
        let mut fields = FieldsReader::of(state)?;
        let read = Self::read_fields(&mut fields)?;
        match fields.0.into_iter().next() {
            None => Ok(read),
            Some((undeclared, _)) => Err(PortableError::Undeclared(undeclared)),
        }
    }
}

/// What the fields of a state are written to.
#[derive(Debug, Default)]
pub struct FieldsWriter(Sink);

impl FieldsWriter {
    /// Writes a field.
    ///
    /// # Errors
    /// Its value is one that not every language would read alike.
    pub fn write<T: Portable>(&mut self, field: &str, value: &T) -> Result<(), PortableError> {
        let sink = &mut self.0;
        if !sink.0.is_empty() {
            sink.0.push(',');
        }
        json::write_string(&mut sink.0, field);
        sink.0.push_str(":{\"type\":");
        json::write_string(&mut sink.0, &T::portable_type());
        sink.0.push_str(",\"value\":");
        value.write(sink).map_err(|reason| PortableError::Value {
            field: field.to_owned(),
            reason,
        })?;
        sink.0.push('}');
        Ok(())
    }
}

/// The fields of a state that were not read yet.
#[derive(Debug)]
pub struct FieldsReader(Vec<(String, Json)>);

impl FieldsReader {
    fn of(state: &[u8]) -> Result<Self, PortableError> {
        let format = |reason: &str| PortableError::Format(reason.to_owned());
        let text = std::str::from_utf8(state).map_err(|error| PortableError::Format(error.to_string()))?;
        let whole = json::parse(text).map_err(PortableError::Format)?;
        let [version, fields] = entries(whole, ["ractor-state", "fields"]).map_err(|reason| format(&reason))?;
        match version {
            Json::Number(number) if number.parse() == Ok(1.0_f64) => {}
            Json::Number(other) => {
                let reason = format!("it has the version {other} of the format, this code reads {VERSION}");
                return Err(PortableError::Format(reason));
            }
            _ => return Err(format("`ractor-state` is no number")),
        }
        let Json::Object(fields) = fields else {
            return Err(format("`fields` is no object"));
        };
        let mut read: Vec<(String, Json)> = Vec::new();
        let mut names = HashSet::new();
        for (name, field) in fields {
            let name = name.ok_or_else(|| format("the name of a field has half of a surrogate pair"))?;
            // In a set, because nobody knows how many fields somebody else has written.
            if !names.insert(name.clone()) {
                return Err(PortableError::Field {
                    field: name,
                    reason: "it is there twice".to_owned(),
                });
            }
            read.push((name, field));
        }
        Ok(Self(read))
    }

    /// Reads a field that has to be there.
    ///
    /// # Errors
    /// It is missing, of another type, or not a value of its type.
    pub fn read<T: Portable>(&mut self, field: &str) -> Result<T, PortableError> {
        let read = self.find(field)?;
        read.ok_or_else(|| PortableError::Missing(field.to_owned()))
    }

    /// Reads a field, or makes it if it is missing.
    ///
    /// # Errors
    /// It is of another type, or not a value of its type.
    pub fn read_or<T: Portable>(&mut self, field: &str, default: impl FnOnce() -> T) -> Result<T, PortableError> {
        Ok(self.find(field)?.unwrap_or_else(default))
    }

    fn find<T: Portable>(&mut self, field: &str) -> Result<Option<T>, PortableError> {
        let Some(at) = self.0.iter().position(|(name, _)| name == field) else {
            return Ok(None);
        };
        let (field, found) = self.0.swap_remove(at);
        let malformed = |reason: String| PortableError::Field {
            field: field.clone(),
            reason,
        };
        let [ty, value] = entries(found, ["type", "value"]).map_err(malformed)?;
        let Json::String(Some(ty)) = ty else {
            return Err(malformed("`type` is no string".to_owned()));
        };
        let declared = T::portable_type();
        if ty != declared {
            let found = ty;
            return Err(PortableError::Type { field, declared, found });
        }
        T::read(&Value(&value))
            .map(Some)
            .map_err(|reason| PortableError::Value { field, reason })
    }
}

/// The values of an object that has exactly these keys.
fn entries<const N: usize>(object: Json, keys: [&str; N]) -> Result<[Json; N], String> {
    let Json::Object(entries) = object else {
        return Err("it is no object".to_owned());
    };
    let mut values = [const { None }; N];
    for (key, value) in entries {
        let key = key.unwrap_or_default();
        let place = keys
            .iter()
            .position(|known| *known == key)
            .and_then(|at| values.get_mut(at));
        let place = place.ok_or_else(|| format!("`{key}` has no place in it"))?;
        if place.replace(value).is_some() {
            return Err(format!("`{key}` is there twice"));
        }
    }
    let mut missing = None;
    let values = values.map(|value: Option<Json>| {
        value.unwrap_or_else(|| {
            missing = Some(());
            Json::Null
        })
    });
    match missing {
        None => Ok(values),
        Some(()) => Err(format!("it needs {}", keys.map(|key| format!("`{key}`")).join(" and "))),
    }
}
