//! The fields of the protocol, read from where the host declares them.

use std::path::Path;

/// Where all messages are declared, as `prost` takes them.
const SOURCE: &str = "../cluster/src/wire/proto.rs";

/// A field of a message, or an arm of a choice between messages.
#[derive(Debug)]
pub(crate) struct Field {
    /// `Message.field`, or `Choice::Arm`.
    pub(crate) name: String,
    /// Its value has no size of its own: text, bytes, or a list.
    pub(crate) grows: bool,
}

/// Every field and arm, in the order of the source.
pub(crate) fn fields() -> Vec<Field> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SOURCE);
    let source = std::fs::read_to_string(&path).unwrap();
    let (mut fields, mut within, mut is_choice) = (Vec::new(), String::new(), false);
    for line in source.lines().map(str::trim) {
        if let Some(name) = declared(line, "struct ") {
            (within, is_choice) = (name, false);
        } else if let Some(name) = declared(line, "enum ") {
            (within, is_choice) = (name, true);
        } else if line == "}" {
            within.clear();
        } else if within.is_empty() || line.starts_with("#[") || line.starts_with("//") {
            // Attributes and comments.
        } else if let (true, Some((arm, _))) = (is_choice, line.split_once('(')) {
            fields.push(Field {
                name: format!("{within}::{arm}"),
                grows: false,
            });
        } else if let Some((field, kind)) = line.split_once(": ") {
            let field = field.rsplit(' ').next().unwrap_or_default();
            fields.push(Field {
                name: format!("{within}.{field}"),
                grows: kind.contains("String") || kind.contains("Vec<"),
            });
        }
    }
    fields
}

fn declared(line: &str, what: &str) -> Option<String> {
    let (_, rest) = line.strip_suffix('{')?.split_once(what)?;
    Some(rest.trim().to_owned())
}
