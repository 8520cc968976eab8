//! Lines of the log that don't come by way of `tracing`, in the same two formats.

use std::fmt::Write as _;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

use super::format::LogFormat;
use crate::directory::acts;

/// A line of the log, with its ending. `level` is in capital letters; control characters in `message` are escaped.
pub(super) fn line(format: LogFormat, level: &str, message: &str, fields: &[(&str, &str)]) -> String {
    let mut time = String::new();
    // Writing to a string can't fail, and an event without its time is better than none.
    _ = SystemTime.format_time(&mut Writer::new(&mut time));
    let mut line = String::new();
    match format {
        LogFormat::Text => {
            _ = write!(line, "{time} {level:>5} ractor_host::ops: ");
            escape(&mut line, message);
            for (key, value) in fields {
                _ = write!(line, " {key}={value:?}");
            }
        }
        LogFormat::Json => {
            let own = [
                ("timestamp", time.as_str()),
                ("level", level),
                ("message", message),
                ("target", "ractor_host::ops"),
            ];
            let members = own.iter().chain(fields);
            let members = members.map(|(key, value)| ((*key).to_owned(), serde_json::Value::from(*value)));
            let object = serde_json::Value::Object(members.collect());
            _ = write!(line, "{object}");
        }
    }
    line.push('\n');
    line
}

/// One event is one line, whatever it is about.
fn escape(line: &mut String, message: &str) {
    for character in message.chars() {
        if acts(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_in_either_format() {
        let fields = [("where", "a.rs:1")];
        let text = line(LogFormat::Text, "WARN", "two\nlines", &fields);
        let (time, rest) = text.split_once(' ').unwrap();
        assert!(time.ends_with('Z'), "{text}");
        assert_eq!(rest, " WARN ractor_host::ops: two\\nlines where=\"a.rs:1\"\n");

        let json = line(LogFormat::Json, "WARN", "two\nlines", &fields);
        assert_eq!(json.lines().count(), 1, "{json}");
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["message"], "two\nlines");
        assert_eq!((&parsed["level"], &parsed["where"]), (&"WARN".into(), &"a.rs:1".into()));
    }
}
