//! Numbers of the last looks as a line of text.

/// From nothing to the most.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `width` of these numbers, each as high as it is compared with the largest of them. What there was no look for yet is empty.
pub(super) fn sparkline(numbers: impl DoubleEndedIterator<Item = f64> + Clone, width: usize) -> String {
    let shown: Vec<f64> = numbers.rev().take(width).collect();
    let most = shown.iter().copied().fold(0.0, f64::max);
    let mut line = " ".repeat(width.saturating_sub(shown.len()));
    line.extend(shown.iter().rev().map(|number| level(*number, most)));
    line
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number between 0 and 7"
)]
fn level(number: f64, most: f64) -> char {
    if number <= 0.0 || most <= 0.0 {
        return '▁';
    }
    // What is there at all is above the line of nothing.
    let level = (number / most * 7.0).ceil().clamp(1.0, 7.0) as usize;
    LEVELS.get(level).copied().unwrap_or('█')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_high_as_its_numbers() {
        let line = |numbers: &[f64], width| sparkline(numbers.iter().copied(), width);
        assert_eq!(line(&[0.0, 1.0, 3.5, 7.0], 6), "  ▁▂▅█");
        assert_eq!(line(&[9.0, 0.0, 0.0], 2), "▁▁", "what is not shown counts for nothing");
        assert_eq!(line(&[], 3), "   ");
        assert_eq!(line(&[0.001, 1000.0], 2), "▂█");
    }
}
