//! A time, as node.toml has it: `"100ms"`, `"5s"`, `"2m"`, `"1h"`.

use std::time::Duration;

/// The longest time that can be written: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What is accepted: the help where something else is written.
pub(super) const EXPECTED: &str = "expected a whole number and its unit: `100ms`, `5s`, `2m` or `1h`";

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoDuration {
    Malformed,
    TooLong,
}

/// Reads a time.
pub(super) fn parse(text: &str) -> Result<Duration, NoDuration> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        _ => return Err(NoDuration::Malformed),
    };
    if number.is_empty() {
        return Err(NoDuration::Malformed);
    }
    // All digits: it can only be too large.
    let number: u64 = number.parse().map_err(|_| NoDuration::TooLong)?;
    let duration = number.checked_mul(milliseconds).map(Duration::from_millis);
    duration
        .filter(|duration| *duration <= LONGEST)
        .ok_or(NoDuration::TooLong)
}

/// A time in its largest whole unit.
pub(super) fn written(time: Duration) -> String {
    let milliseconds = time.as_millis();
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    match units
        .iter()
        .find(|(_, unit)| milliseconds >= *unit && milliseconds.is_multiple_of(*unit))
    {
        Some((name, unit)) => format!("{}{name}", milliseconds / unit),
        None => format!("{milliseconds}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("100ms", Ok(100)),
            ("0s", Ok(0)),
            ("5s", Ok(5_000)),
            ("2m", Ok(120_000)),
            ("1h", Ok(3_600_000)),
            ("5", Err(NoDuration::Malformed)),
            ("s", Err(NoDuration::Malformed)),
            ("", Err(NoDuration::Malformed)),
            ("1.5s", Err(NoDuration::Malformed)),
            ("-1s", Err(NoDuration::Malformed)),
            ("1 s", Err(NoDuration::Malformed)),
            ("1d", Err(NoDuration::Malformed)),
            ("10000h", Err(NoDuration::TooLong)),
            ("99999999999999999999s", Err(NoDuration::TooLong)),
            ("18446744073709551615h", Err(NoDuration::TooLong)),
        ] {
            assert_eq!(parse(text), expected.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn a_time_is_spoken_as_it_is_written() {
        for text in ["250ms", "5s", "61s", "5m", "1h"] {
            assert_eq!(parse(text).map(written).as_deref(), Ok(text));
        }
    }
}
