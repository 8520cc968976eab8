//! The node.toml itself, and what it names: secrets, modules, and whether there is room for its guests.

use super::finding::Finding;
use crate::cli::output;
use crate::cli::units::bytes;
use crate::config::{Code, NodeConfig, SecretPlace};
use crate::host::{HostBuilder, HostError};

pub(super) async fn examine(config: &NodeConfig, builder: &HostBuilder) -> Vec<Finding> {
    let file = config.file.display();
    let mut findings = Vec::new();
    for warning in &config.warnings.first {
        let place = format!("{}:{}", warning.file.display(), warning.line);
        findings.push(Finding::warn("file", place, &warning.message).mend(&warning.help));
    }
    if config.warnings.first.is_empty() {
        findings.push(Finding::ok("file", &file, "it has no mistakes"));
    }
    if config.node.cookie.weakness().is_none() {
        let place = match &config.node.cookie_place {
            SecretPlace::File(path) => format!("only its owner can read {}", path.display()),
            SecretPlace::Variable(name) => format!("it is in the variable {name}"),
        };
        findings.push(Finding::ok("cookie", "the cookie", place));
    }
    let checked = output::explained(builder.check(config), format_args!("the modules of {file}")).await;
    findings.push(match checked {
        Ok(_) => Finding::ok(
            "modules",
            format!("the modules of {file}"),
            "everything that it starts could start, and this machine has room for its guests",
        ),
        Err(error @ (HostError::Pool(_) | HostError::Room(_))) => Finding::fail("modules", &file, error),
        Err(error) => Finding::fail("modules", &file, error).mend("`ractor-host check` says when it is good"),
    });
    findings.extend(memory(config));
    findings
}

/// What the guests may grow to, against what there is.
fn memory(config: &NodeConfig) -> Option<Finding> {
    let each = config
        .actors
        .iter()
        .filter(|actor| matches!(actor.code, Code::Module(_)));
    let allowed: u64 = each
        .map(|actor| (actor.limits.memory_bytes as u64).saturating_mul(actor.count.into()))
        .sum();
    let machine = memory_of_machine()?;
    Some(memory_against(allowed, machine))
}

fn memory_against(allowed: u64, machine: u64) -> Finding {
    let what = format!(
        "the guests of the file may grow to {}, and {} are there",
        bytes(allowed),
        bytes(machine)
    );
    if allowed <= machine {
        return Finding::ok("memory", "memory", what);
    }
    Finding::warn("memory", "memory", what)
        .because("if they all grew, the system would end the process")
        .mend("lower `memory_bytes` in [defaults.limits] or [actors.limits]; or watch `ractor_host_guest_memory_bytes`")
}

/// The memory that this process may have: that of the machine, or of its control group if that is less.
fn memory_of_machine() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let machine = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    Some(group.map_or(machine, |group: u64| group.min(machine)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn guests_that_may_outgrow_the_machine_are_a_warning() {
        assert_eq!(memory_against(1 << 20, 1 << 30).level, Level::Ok);
        assert_eq!(memory_against(2 << 30, 1 << 30).level, Level::Warn);
    }
}
