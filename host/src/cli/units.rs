//! Numbers as people read them: bytes, times and rates with few digits.

/// Bytes, such as `1.5 MiB`.
#[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut shown = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if shown < 1024.0 {
            break;
        }
        shown /= 1024.0;
        unit = larger;
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{shown:.1} {unit}")
    }
}

/// A time that passed, in its two largest units: `3d 4h`, `5m 7s`, `800ms`.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, 0) => format!("{ms}ms"),
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (0, hours, minutes, _) => format!("{hours}h {minutes}m"),
        (days, hours, ..) => format!("{days}d {hours}h"),
    }
}

/// A short time: `85µs`, `1.3ms`.
#[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
pub(super) fn short(us: u64) -> String {
    match us {
        0..1_000 => format!("{us}µs"),
        1_000..10_000_000 => format!("{:.1}ms", us as f64 / 1e3),
        _ => duration(us / 1_000),
    }
}

/// A number in each second.
pub(super) fn rate(each_second: f64) -> String {
    if each_second == 0.0 {
        "0".to_owned()
    } else if each_second < 9.95 {
        format!("{each_second:.1}")
    } else {
        format!("{each_second:.0}")
    }
}

/// A part of something, in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 30), "3.0 GiB");
        assert_eq!(duration(800), "800ms");
        assert_eq!(duration(307_000), "5m 7s");
        assert_eq!(duration((3 * 24 + 4) * 3_600_000), "3d 4h");
        assert_eq!(short(85), "85µs");
        assert_eq!(short(1_340), "1.3ms");
        assert_eq!(short(61_000_000), "1m 1s");
        assert_eq!(rate(0.0), "0");
        assert_eq!(rate(0.25), "0.2");
        assert_eq!(rate(1234.5), "1234");
        assert_eq!(percent(0.256), "25.6%");
    }
}
