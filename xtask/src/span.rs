//! Lengths of time as one types them: `90s`, `15m`, `8h`.

use std::str::FromStr;
use std::time::Duration;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(Duration);

impl Span {
    pub(crate) fn seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// The minutes after which a command that takes this long is given up, when it has to be built before.
    pub(crate) fn limit_minutes(self) -> u64 {
        self.0.as_secs() / 60 + 60
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("s", 1), ("m", 60), ("h", 3600)];
        let span = units.into_iter().find_map(|(unit, seconds)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(seconds).filter(|seconds| *seconds > 0)
        });
        span.map(|seconds| Self(Duration::from_secs(seconds)))
            .ok_or_else(|| "expected a length of time such as `90s`, `15m` or `8h`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        let seconds = |text: &str| text.parse::<Span>().map(Span::seconds);
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("15m"), Ok(900));
        assert_eq!(seconds("8h"), Ok(28_800));
        for text in ["", "8", "h", "0s", "-1h", "1d", "99999999999999999999h"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
