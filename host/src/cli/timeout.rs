//! Times on the command line: `500ms`, `5s`, `2m`.

use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A time of at least a millisecond and at most a day.
pub(super) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => 0,
    };
    match number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
    {
        Some(Duration::ZERO) | None => Err("expected a number and a unit: 500ms, 5s, 2m".to_owned()),
        Some(time) if time > LONGEST => Err("expected at most a day (1440m)".to_owned()),
        Some(time) => Ok(time),
    }
}

/// A time as [`parse_timeout`] takes it, or none at all: `0s`.
pub(super) fn parse_patience(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" | "0ms" | "0m" => Ok(Duration::ZERO),
        text => parse_timeout(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(parse_timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_timeout("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_timeout("1440m"), Ok(LONGEST));
        for text in [
            "",
            "5",
            "s",
            "0s",
            "-5s",
            "5h",
            "1.5s",
            "1441m",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(parse_timeout(text).is_err(), "{text}");
        }
        assert_eq!(parse_patience("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_patience("5s"), Ok(Duration::from_secs(5)));
        assert!(parse_patience("0h").is_err());
    }
}
