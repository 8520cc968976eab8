//! What a process takes of the machine, and how that changes.

use std::fs;
use std::path::Path;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In bytes.
    Memory,
    /// How many are open.
    Files,
    /// How many there are.
    Threads,
    /// In bytes.
    Disk,
}

/// What a process takes at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) memory: u64,
    pub(crate) files: u64,
    pub(crate) threads: u64,
    pub(crate) disk: u64,
}

impl Usage {
    fn of(self, kind: Kind) -> f64 {
        let amount = match kind {
            Kind::Memory => self.memory,
            Kind::Files => self.files,
            Kind::Threads => self.threads,
            Kind::Disk => self.disk,
        };
        amount as f64
    }
}

/// How much more there is at the end than at the beginning, by the straight line that fits all samples best.
pub(crate) fn growth(samples: &[Usage], kind: Kind) -> f64 {
    let count = samples.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = samples.iter().map(|usage| usage.of(kind)).sum::<f64>() / count;
    let (mut with, mut square) = (0.0, 0.0);
    for (at, usage) in samples.iter().enumerate() {
        let off = at as f64 - middle;
        with += off * (usage.of(kind) - mean);
        square += off * off;
    }
    if square == 0.0 {
        0.0
    } else {
        with / square * (count - 1.0)
    }
}

/// The entries of a folder.
pub(crate) fn entries(folder: &str) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}

/// The bytes of all files below a folder.
pub(crate) fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        // Somebody has just removed it.
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(amounts: &[u64]) -> Vec<Usage> {
        let usage = |amount: &u64| Usage {
            memory: *amount,
            files: 7,
            threads: 7,
            disk: 7,
        };
        amounts.iter().map(usage).collect()
    }

    #[test]
    fn growth_is_that_of_the_line_and_not_of_the_last_sample() {
        let grown = |amounts: &[u64]| growth(&samples(amounts), Kind::Memory).round();
        assert_eq!(grown(&[10, 20, 30, 40]), 30.0);
        assert_eq!(grown(&[40, 30, 20, 10]), -30.0);
        assert_eq!(grown(&[5, 5, 5, 5, 5]), 0.0);
        assert!(
            grown(&[5, 5, 5, 5, 5, 5, 5, 5, 5, 50]) < 30.0,
            "one peak at the end is no slope"
        );
        assert_eq!(growth(&samples(&[1, 100, 1000]), Kind::Files), 0.0);
        assert_eq!(growth(&samples(&[1]), Kind::Memory), 0.0);
    }
}
