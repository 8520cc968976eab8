//! A stock node as a child process.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The longest time for a node to do anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Killed when dropped.
pub(crate) struct Node {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    pub(crate) address: SocketAddr,
}

impl Node {
    /// Starts `stock-peer`, which was built beside this program, and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("stock-peer");
        let mut child = Command::new(&program)
            .args(arguments)
            .args(["--cookie", "golden cookie"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}; build it first", program.display()))?;
        let stdin = child.stdin.take().context("no stdin")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let ready = next_line(&lines, "ready ")?;
        let address = ready
            .rsplit_once("listen=")
            .context("no address in the ready line")?
            .1
            .parse()?;
        Ok(Self {
            child,
            stdin,
            lines,
            address,
        })
    }

    /// Sends one command and waits for its answer.
    pub(crate) fn run(&mut self, command: &str) -> anyhow::Result<String> {
        writeln!(self.stdin, "{command}")?;
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .with_context(|| format!("no answer to {command}"))?;
            if let Some(answer) = line.strip_prefix("ok") {
                return Ok(answer.trim().to_owned());
            }
            if line.starts_with("err") {
                bail!("{command}: {line}");
            }
        }
    }

    /// Asks until the answer holds this text.
    pub(crate) fn wait(&mut self, command: &str, text: &str) -> anyhow::Result<()> {
        wait_until(&format!("{text:?} in the answer to {command}"), || {
            Ok(self.run(command)?.contains(text))
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("ending a node: {error}");
        }
    }
}

/// Polls until it is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so()? {
        if Instant::now() > deadline {
            bail!("waited in vain for {what}");
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn next_line(lines: &Receiver<String>, prefix: &str) -> anyhow::Result<String> {
    loop {
        let line = lines
            .recv_timeout(PATIENCE)
            .with_context(|| format!("no line {prefix:?}"))?;
        if line.starts_with(prefix) {
            return Ok(line);
        }
    }
}
