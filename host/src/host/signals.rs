//! The signals that stop a node, and those that don't.
//!
//! Any signal that is not dealt with ends the process on the spot: actors keep no states and peers have to find out. So those
//! that ask a program to end are a reason to stop in order, and those that ask something else of other programs are not.

use std::fmt;
#[cfg(not(unix))]
use std::io;

#[cfg(unix)]
pub(super) use unix::Signals;
#[cfg(unix)]
pub(crate) use unix::{is_ignored, survive_file_size_limit};

/// There is no such limit on this system.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    Ok(())
}

/// What the process was told to stop by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGHUP, and the terminal is gone that the process had: it was closed, or the connection to it was lost.
    Hangup,
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGQUIT: Ctrl-\, and what some service managers send.
    Quit,
    /// SIGTERM: a service manager.
    Terminate,
    /// SIGXCPU: the process has used the processor time that it is allowed (`ulimit -t`), and will soon be killed.
    CpuLimit,
}

impl StopSignal {
    /// The number of the signal, which is the same on every Unix.
    fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
            Self::CpuLimit => 24,
        }
    }

    /// True if it comes several times by itself: a shell that loses its terminal hands SIGHUP on to those who had it from the
    /// system, and SIGXCPU comes every second. Whoever sends another one a second time has lost patience.
    fn repeats(self) -> bool {
        matches!(self, Self::Hangup | Self::CpuLimit)
    }

    /// The exit code by which shells show a process that ended of this signal.
    pub fn exit_code(self) -> u8 {
        128 + self.number()
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Terminate => "SIGTERM",
            Self::CpuLimit => "SIGXCPU",
        })
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::Arc;
    use std::task::Poll;

    use tokio::signal::unix::{Signal, SignalKind, signal};
    use tokio::sync::Notify;

    use super::StopSignal;

    /// Who starts a program in the background may have it ignore these (`nohup`, `command &` in a script), which is to stay
    /// so. The others stop a node however it was started.
    const MAY_BE_IGNORED: [StopSignal; 1] = [StopSignal::Quit];

    const ALL: [StopSignal; 4] = [
        StopSignal::Interrupt,
        StopSignal::Quit,
        StopSignal::Terminate,
        StopSignal::CpuLimit,
    ];

    /// Signals that other programs take for an order, such as to open their log files anew. To a node they are none.
    const WITHOUT_MEANING: [(SignalKind, &str); 2] = [
        (SignalKind::user_defined1(), "SIGUSR1"),
        (SignalKind::user_defined2(), "SIGUSR2"),
    ];

    /// SIGXFSZ.
    const FILE_SIZE: i32 = libc::SIGXFSZ;

    /// Lets a write beyond the size that a file is allowed (`ulimit -f`), such as one to the log, be an error like any other.
    /// What is caught once stays caught. Needs a tokio runtime.
    pub(crate) fn survive_file_size_limit() -> io::Result<()> {
        signal(SignalKind::from_raw(FILE_SIZE)).map(drop)
    }

    /// Catches the signals from the moment it is installed.
    pub(crate) struct Signals {
        stop: Vec<(Signal, StopSignal)>,
        hangup: Option<Signal>,
        terminal: Terminal,
        reread: Arc<Notify>,
        ignored: Vec<(Signal, &'static str)>,
    }

    impl Signals {
        pub(crate) fn install() -> io::Result<Self> {
            survive_file_size_limit()?;
            let mut stop = Vec::new();
            for each in ALL {
                let number = i32::from(each.number());
                // Asked before it is caught: from then on nobody can tell that it was ignored.
                if !MAY_BE_IGNORED.contains(&each) || !is_ignored(number) {
                    stop.push((signal(SignalKind::from_raw(number))?, each));
                }
            }
            let hangup = StopSignal::Hangup;
            let number = i32::from(hangup.number());
            let hangup = (!is_ignored(number)).then(|| signal(SignalKind::from_raw(number)));
            let ignored = WITHOUT_MEANING.into_iter();
            let ignored = ignored.map(|(kind, name)| Ok((signal(kind)?, name)));
            Ok(Self {
                stop,
                hangup: hangup.transpose()?,
                terminal: Terminal::of_process(),
                reread: Arc::default(),
                ignored: ignored.collect::<io::Result<_>>()?,
            })
        }

        /// Told at each SIGHUP of somebody who wants node.toml to be read anew: one that the end of a terminal didn't bring. It is heard
        /// only while [`next`](Self::next) is awaited.
        pub(crate) fn reread(&self) -> Arc<Notify> {
            self.reread.clone()
        }

        /// The next signal to stop.
        pub(crate) async fn next(&mut self) -> StopSignal {
            std::future::poll_fn(|context| {
                for (signal, name) in &mut self.ignored {
                    // Until nothing is left: only a poll that finds nothing leaves a waker behind.
                    while let Poll::Ready(Some(())) = signal.poll_recv(context) {
                        tracing::info!(signal = name, "the node does nothing at this signal");
                    }
                }
                while let Some(Poll::Ready(Some(()))) = self.hangup.as_mut().map(|hangup| hangup.poll_recv(context)) {
                    if self.terminal.is_lost() {
                        return Poll::Ready(StopSignal::Hangup);
                    }
                    self.reread.notify_one();
                }
                for (signal, stop) in &mut self.stop {
                    if let Poll::Ready(Some(())) = signal.poll_recv(context) {
                        return Poll::Ready(*stop);
                    }
                }
                Poll::Pending
            })
            .await
        }
    }

    /// The terminal that a process was started at.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Terminal {
        None,
        Had,
    }

    impl Terminal {
        fn of_process() -> Self {
            if can_be_opened() { Self::Had } else { Self::None }
        }

        /// True if there was one, and it is gone.
        fn is_lost(self) -> bool {
            self == Self::Had && !can_be_opened()
        }
    }

    /// Whether the process has a terminal, which is known to it by this name.
    fn can_be_opened() -> bool {
        std::fs::File::open("/dev/tty").is_ok()
    }

    /// True if the process was started so that it ignores a signal.
    pub(crate) fn is_ignored(number: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        #[expect(
            unsafe_code,
            reason = "no safe interface tells what is done at a signal; sigaction only fills in the value, for which all \
                      zeros are valid too"
        )]
        let handler = unsafe {
            libc::sigaction(number, std::ptr::null(), action.as_mut_ptr());
            action.assume_init().sa_sigaction
        };
        handler == libc::SIG_IGN
    }
}

impl Signals {
    /// The next signal of somebody who has lost patience.
    pub(super) async fn next_in_earnest(&mut self) -> StopSignal {
        loop {
            let signal = self.next().await;
            if !signal.repeats() {
                return signal;
            }
        }
    }
}

/// Catches Ctrl-C, the only such signal of this system.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self)
    }

    /// Never told: this system has no such signal.
    pub(super) fn reread(&self) -> std::sync::Arc<tokio::sync::Notify> {
        std::sync::Arc::default()
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> StopSignal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        StopSignal::Interrupt
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_by_which_shells_show_the_signals() {
        let signals = [
            (StopSignal::Hangup, libc::SIGHUP, 129),
            (StopSignal::Interrupt, libc::SIGINT, 130),
            (StopSignal::Quit, libc::SIGQUIT, 131),
            (StopSignal::Terminate, libc::SIGTERM, 143),
            (StopSignal::CpuLimit, libc::SIGXCPU, 152),
        ];
        for (signal, number, code) in signals {
            assert_eq!(i32::from(signal.number()), number, "{signal}");
            assert_eq!(signal.exit_code(), code, "{signal}");
        }
    }

    #[tokio::test]
    async fn a_signal_that_comes_twice_by_itself_is_no_loss_of_patience() {
        let mut signals = Signals::install().unwrap();
        let send = |signal| rustix::process::kill_process(rustix::process::getpid(), signal).unwrap();
        // Two that are caught however the tests were started.
        send(rustix::process::Signal::XCPU);
        assert_eq!(signals.next().await, StopSignal::CpuLimit);
        send(rustix::process::Signal::XCPU);
        send(rustix::process::Signal::TERM);
        assert_eq!(signals.next_in_earnest().await, StopSignal::Terminate);
    }
}
