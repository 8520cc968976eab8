//! The names of nodes that are commands.

/// What the names of nodes begin with that are commands: each has another, and they come and go.
pub(crate) const COMMAND_NODES: &str = "cli-";

/// True for the name of a command, such as `cli-4711-0f1e2d3c@localhost`, and of no node that stays. Other names that begin like it, such as
/// `cli-gateway@b`, are those of nodes, which must not be left out of what operators see.
pub(crate) fn is_command(node: &str) -> bool {
    let Some((process, rest)) = node.strip_prefix(COMMAND_NODES).and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let (drawn, host) = rest.split_once('@').unwrap_or((rest, ""));
    let is_drawn = drawn.len() == 8 && drawn.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_process = !process.is_empty() && process.bytes().all(|digit| digit.is_ascii_digit());
    is_process && is_drawn && host == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_called_as_commands_are_is_one() {
        assert!(is_command("cli-4711-0f1e2d3c@localhost"));
        for node in [
            "cli-gateway@localhost",
            "cli-1-gateway@localhost",
            "cli--0f1e2d3c@localhost",
            "cli-4711-0f1e2d3c@elsewhere",
            "cli-4711-0f1e2d3c",
            "alpha@localhost",
            "cli-@localhost",
        ] {
            assert!(!is_command(node), "{node}");
        }
    }
}
