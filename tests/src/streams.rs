//! Standard streams that are trouble: pipes that nobody reads, terminals that hang up, programs that start without.

#[cfg(target_os = "linux")]
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, PipeReader, Write, pipe};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
#[cfg(target_os = "linux")]
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// What a writer of a full pipe finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfFull {
    /// It waits.
    Wait,
    /// It is told to try again.
    Fail,
}

/// A pipe that not one byte more goes into, as long as nobody reads it.
///
/// # Panics
/// The system has no pipes to spare.
#[track_caller]
pub fn full_pipe(if_full: IfFull) -> (PipeReader, Stdio) {
    let (reader, mut writer) = pipe().expect("a pipe");
    let flags = fcntl_getfl(&writer).expect("its flags");
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).expect("a pipe that doesn't block");
    for size in [4096, 1] {
        while match writer.write(&vec![b'-'; size]) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("filling a pipe: {error}"),
        } {}
    }
    if if_full == IfFull::Wait {
        fcntl_setfl(&writer, flags).expect("a pipe that blocks");
    }
    (reader, writer.into())
}

/// A terminal: the end of whoever looks at it, and that of the programs. It hangs up when the first is dropped.
///
/// # Panics
/// The system has no terminals to spare.
#[cfg(target_os = "linux")]
#[track_caller]
pub fn terminal() -> (File, File) {
    let open = |path: &str| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_NOCTTY);
        options
            .open(path)
            .unwrap_or_else(|error| panic!("opening {path}: {error}"))
    };
    let screen = open("/dev/ptmx");
    let mut number: libc::c_int = 0;
    let locked: libc::c_int = 0;
    #[expect(
        unsafe_code,
        reason = "crates with a safe interface switch on features that would have wasmtime compiled once more for the \
                  tests; both requests take a pointer to an int"
    )]
    let asked = unsafe {
        [
            libc::ioctl(screen.as_raw_fd(), libc::TIOCSPTLCK, &raw const locked),
            libc::ioctl(screen.as_raw_fd(), libc::TIOCGPTN, &raw mut number),
        ]
    };
    assert_eq!(asked, [0, 0], "the terminal has no other end");
    let programs = open(&format!("/dev/pts/{number}"));
    (screen, programs)
}

/// The command as `sh` runs it at the end of these lines, with these redirections.
pub fn in_shell(command: &Command, lines: &str, redirections: &str) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{lines}\nexec \"$0\" \"$@\" {redirections}");
    shell.arg("-c").arg(script).arg(command.get_program());
    shell.args(command.get_args());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(set);
    shell
}
