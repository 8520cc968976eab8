//! Names that no guest can give to a child of its own.
//!
//! An actor of node.toml is without its name for the moment in which it is started again. Whoever took the name then would get
//! its messages, and those of everybody who knows it by that name.

use std::collections::HashMap;

use parking_lot::RwLock;

/// The beginning of the names of the host's own actors.
const OF_THE_HOST: &str = "ractor-host.";

/// The names of the actors that a node starts, whether these live or not. All of its guests share them, so that they hold for those that
/// live when its configuration changes.
#[derive(Debug, Default)]
pub struct ReservedNames {
    entries: RwLock<HashMap<String, Reserved>>,
}

/// What is reserved of a name.
#[derive(Debug, Default)]
struct Reserved {
    /// The name itself.
    bare: bool,
    /// How many with numbers behind it: `NAME-1`, `NAME-2`, ….
    numbered: u32,
}

impl ReservedNames {
    /// Reserves a name: for one actor that bears it, or for several with numbers behind it.
    pub fn add(&mut self, name: &str, count: u32) {
        let entry = self.entries.get_mut().entry(name.to_owned()).or_default();
        // A single actor has the bare name, so no number behind it is reserved.
        if count == 1 {
            entry.bare = true;
        } else {
            entry.numbered = count.max(entry.numbered);
        }
    }

    /// From now on these are the names, for everybody who shares them.
    pub fn replace(&self, names: Self) {
        *self.entries.write() = names.entries.into_inner();
    }

    /// True if this is one of the names.
    pub fn contains(&self, name: &str) -> bool {
        let entries = self.entries.read();
        if name.starts_with(OF_THE_HOST) || entries.get(name).is_some_and(|entry| entry.bare) {
            return true;
        }
        let Some((base, number)) = name.rsplit_once('-') else {
            return false;
        };
        // `01` and `+1` are read as 1, but no actor's name is written like that.
        let is_plain = !number.starts_with(['0', '+']);
        let number = number.parse::<u32>().ok().filter(|_| is_plain);
        let count = entries.get(base).map(|entry| entry.numbered);
        number.zip(count).is_some_and(|(number, count)| number <= count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_all_that_is_started_are_reserved_and_no_others() {
        let mut names = ReservedNames::default();
        names.add("bank", 1);
        names.add("worker", 3);
        for reserved in ["bank", "worker-1", "worker-3", "ractor-host.control"] {
            assert!(names.contains(reserved), "{reserved}");
        }
        for free in [
            "",
            "bank-1",
            "worker",
            "worker-0",
            "worker-01",
            "worker-+1",
            "worker-4",
            "worker-",
            "ban",
            "ractor-host",
        ] {
            assert!(!names.contains(free), "{free}");
        }
        // Those of two configurations may be reserved at once.
        names.add("bank", 2);
        for reserved in ["bank", "bank-1", "bank-2"] {
            assert!(names.contains(reserved), "{reserved}");
        }
        let mut others = ReservedNames::default();
        others.add("other", 1);
        names.replace(others);
        assert!(names.contains("other") && !names.contains("bank"));
    }
}
