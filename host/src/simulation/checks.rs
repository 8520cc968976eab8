//! What must hold of all nodes together when everything has been well for a while.

use super::process::Process;
use super::world::World;

impl World {
    pub(super) fn check_links(&mut self) {
        for (index, computer) in self.computers[..self.plan.computers.len()].iter().enumerate() {
            let unlinked = computer.process.iter().flat_map(Process::unlinked);
            for found in unlinked {
                self.history.violation(format!("computer {index} still {found}"));
            }
        }
    }

    /// What each node knows of the guests of the others is what there is.
    fn check_actors(&mut self) {
        let count = self.plan.computers.len();
        let processes = self.computers[..count].iter().filter_map(|one| one.process.as_ref());
        let processes: Vec<&Process> = processes.collect();
        for (process, other) in processes
            .iter()
            .flat_map(|one| processes.iter().map(move |other| (one, other)))
        {
            let Some(end) = process.link_to(&other.name) else {
                continue;
            };
            let known: Vec<(&String, u64)> = end.actors.iter().map(|(name, pid)| (name, *pid)).collect();
            let mut there: Vec<(&String, u64)> = other.guests.values().map(|guest| (&guest.name, guest.pid)).collect();
            there.sort_unstable();
            if known != there {
                let (one, other) = (&process.name, &other.name);
                let found = format!("{one} takes {known:?} for the actors of {other}, which has {there:?}");
                self.history.violation(found);
            }
        }
    }

    /// What must hold when everything has been well for a while.
    pub(super) fn check(&mut self) {
        self.check_actors();
        let count = self.plan.computers.len();
        for index in 0..count {
            let found = match &self.computers[index].process {
                Some(process) => process.check(self.plan.calm_from, self.now),
                None => vec!["is not there".to_owned()],
            };
            for found in found {
                self.history.violation(format!("computer {index} {found}"));
            }
        }
    }
}
