//! The machine: what the kernel gives a process, and the clock.

use std::fs;
use std::time::SystemTime;

use rustix::process::{Resource, getrlimit};

use super::finding::Finding;
use crate::cli::units::duration;
use crate::guest::{Crowd, EngineConfig, Machine};

/// The memory mappings that Linux gives a process by default.
const USUAL_MAPPINGS: u64 = 65_530;

/// Open files below which a node with a few dozen sessions and clients runs out of them.
const FEW_FILES: u64 = 1024;

/// Open files without which nothing goes on: a node opens about 30 for itself.
const NO_FILES: u64 = 64;

pub(super) fn examine() -> Vec<Finding> {
    let mut findings = vec![mappings(Machine::this().mappings)];
    findings.push(files(getrlimit(Resource::Nofile).current));
    findings.extend(overcommit(&read("/proc/sys/vm/overcommit_memory")));
    findings.extend(clock());
    findings
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn mappings(limit: Option<u64>) -> Finding {
    let Some(limit) = limit else {
        return Finding::ok("mappings", "memory mappings", "this system sets no limit on them");
    };
    let machine = Machine {
        mappings: Some(limit),
        ..Machine::this()
    };
    let room = machine.room(&EngineConfig::default(), &Crowd::ONE).guests;
    let what = format!("a process can have {limit}, which is room for about {room} guests");
    if limit >= USUAL_MAPPINGS {
        return Finding::ok("mappings", "memory mappings", what);
    }
    Finding::warn("mappings", "memory mappings", what)
        .because("every guest takes some; without them guests don't start")
        .mend(format!(
            "`sysctl -w vm.max_map_count={USUAL_MAPPINGS}`, and a line in /etc/sysctl.d so that it stays"
        ))
}

fn files(limit: Option<u64>) -> Finding {
    let (check, subject) = ("open-files", "open files");
    let Some(limit) = limit else {
        return Finding::ok(check, subject, "a process can have any number of them");
    };
    let what = format!("a process can have {limit} of them");
    let finding = match limit {
        ..NO_FILES => Finding::fail(check, subject, what),
        NO_FILES..FEW_FILES => Finding::warn(check, subject, what),
        _ => return Finding::ok(check, subject, what),
    };
    finding
        .because("every session, client and file of a node takes one")
        .mend("`ulimit -n 4096` before the start, or `LimitNOFILE=` in the unit of the service manager")
}

fn overcommit(mode: &str) -> Option<Finding> {
    let (check, subject) = ("overcommit", "vm.overcommit_memory");
    match mode.trim() {
        "2" => Some(
            Finding::warn(check, subject, "it is 2: the kernel counts memory before it is used")
                .because("guests may be refused memory while there is enough of it")
                .mend("`sysctl -w vm.overcommit_memory=0`, unless the machine is meant to be like this"),
        ),
        "0" | "1" => Some(Finding::ok(check, subject, format!("it is {}", mode.trim()))),
        _ => None,
    }
}

/// Without anybody to compare with: no clock is right that is earlier than a file which is there already.
fn clock() -> Option<Finding> {
    let program = std::env::current_exe().ok()?.metadata().ok()?.modified().ok()?;
    Some(clock_against(SystemTime::now(), program))
}

fn clock_against(now: SystemTime, program: SystemTime) -> Finding {
    match program.duration_since(now) {
        Err(_) => Finding::ok(
            "clock",
            "the clock",
            "it is later than the program's file, as it should be",
        ),
        Ok(late) => {
            let late = duration(u64::try_from(late.as_millis()).unwrap_or(u64::MAX));
            Finding::fail(
                "clock",
                "the clock",
                format!("it is at least {late} late: the program's file is newer"),
            )
            .because("certificates are checked by it, and logs of several nodes are compared by it")
            .mend("let it be set from the network: `timedatectl set-ntp true`")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::finding::Level;
    use super::*;

    #[test]
    fn a_machine_with_too_little_says_how_much_is_needed() {
        assert_eq!(mappings(Some(65_530)).level, Level::Ok);
        let few = mappings(Some(1_000));
        assert_eq!(few.level, Level::Warn);
        assert!(few.remedy.unwrap().contains("vm.max_map_count=65530"));
        assert_eq!(files(Some(1024)).level, Level::Ok);
        assert_eq!(files(Some(256)).level, Level::Warn);
        assert_eq!(files(Some(10)).level, Level::Fail);
        assert_eq!(overcommit("2\n").unwrap().level, Level::Warn);
        assert_eq!(overcommit("0\n").unwrap().level, Level::Ok);
    }

    #[test]
    fn a_clock_that_is_behind_is_found() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(clock_against(then, then - Duration::from_secs(9)).level, Level::Ok);
        let late = clock_against(then, then + Duration::from_secs(7_200));
        assert_eq!(late.level, Level::Fail);
        assert!(late.what.contains("2h 0m"), "{}", late.what);
    }
}
