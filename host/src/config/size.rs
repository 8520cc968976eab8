//! A number of bytes, as node.toml has it: `65536`, `"64KiB"`, `"16MiB"`, `"1GiB"`.

/// What is accepted: the help where something else is written.
pub(super) const EXPECTED: &str = "expected a whole number and its unit: `64KiB`, `16MiB` or `1GiB`";

/// Why a text is no number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSize {
    Malformed,
    TooLarge,
}

/// Reads a number of bytes with its unit.
pub(super) fn parse(text: &str) -> Result<u64, NoSize> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let bytes: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(NoSize::Malformed),
    };
    if number.is_empty() {
        return Err(NoSize::Malformed);
    }
    // All digits: it can only be too large.
    let number: u64 = number.parse().map_err(|_| NoSize::TooLarge)?;
    number.checked_mul(bytes).ok_or(NoSize::TooLarge)
}

/// A number of bytes in its largest whole unit.
pub(super) fn written(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units
        .iter()
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit))
    {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("0KiB", Ok(0)),
            ("64KiB", Ok(65_536)),
            ("16MiB", Ok(16 << 20)),
            ("4GiB", Ok(4 << 30)),
            ("64", Err(NoSize::Malformed)),
            ("KiB", Err(NoSize::Malformed)),
            ("", Err(NoSize::Malformed)),
            ("1.5MiB", Err(NoSize::Malformed)),
            ("1 MiB", Err(NoSize::Malformed)),
            ("1MB", Err(NoSize::Malformed)),
            ("-1MiB", Err(NoSize::Malformed)),
            ("17179869184GiB", Err(NoSize::TooLarge)),
            ("99999999999999999999KiB", Err(NoSize::TooLarge)),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_size_is_spoken_as_it_is_written() {
        for text in ["1KiB", "65KiB", "64MiB", "1025MiB", "4GiB"] {
            assert_eq!(parse(text).map(written).as_deref(), Ok(text));
        }
        assert_eq!(written(1000), "1000");
    }
}
