//! What a person sees while a command works: one `==>` line for each step, indented lines for what it found.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The steps of this command so far, and when each of them began.
static STEPS: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());
/// Steps that took less are not worth a line in the summary.
const LONG: Duration = Duration::from_secs(10);

/// A step begins.
pub(crate) fn step(title: &str) {
    eprintln!("==> {title}");
    let mut steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    steps.push((title.to_owned(), Instant::now()));
}

/// A line for each step that took long, in the order in which they began, with the time until the next one.
pub(crate) fn where_time_went() -> String {
    let steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    let ends = steps.iter().skip(1).map(|(_, begun)| *begun).chain([Instant::now()]);
    let lines = steps.iter().zip(ends).filter_map(|((title, begun), end)| {
        let took = end.duration_since(*begun);
        (took >= LONG).then(|| format!("{:>12}  {title}", spoken(took)))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Something worth knowing about the current step.
pub(crate) fn note(text: &str) {
    for line in text.lines() {
        eprintln!("    {line}");
    }
}

/// A line that stands for itself, for programs that look for it, too.
pub(crate) fn line(text: &str) {
    eprintln!("{text}");
}

/// The command as a whole failed. Says the outermost reason first, then each cause below it.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!();
    eprintln!("xtask: {error}");
    for cause in error.chain().skip(1) {
        note(&format!("because {cause}"));
    }
}

/// A duration as people say it: `42 s`, `3 min 05 s`, `8 h 00 min`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {:02} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {:02} min", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 00 s"),
            (185, "3 min 05 s"),
            (3600, "1 h 00 min"),
            (30_000, "8 h 20 min"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(spoken(Duration::from_secs(seconds)), expected);
        }
    }
}
