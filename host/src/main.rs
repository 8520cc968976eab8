//! The `ractor-host` program: a node without native actors of its own.

#![deny(clippy::print_stdout, clippy::print_stderr)]

fn main() -> std::process::ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    memory::give_back();
    ractor_host::cli::main(ractor_host::Host::builder())
}

/// What the program does about glibc, which keeps what a burst of small blocks took: it gives memory back from the end of a
/// heap only, and one block that lives there keeps all that is free below. `malloc_trim` gives back every free page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod memory {
    use std::thread;
    use std::time::Duration;

    /// The interval at which free memory is given back. A look takes 0.1 ms where there is nothing, and about 1 ms of processor time for
    /// each MiB that goes back; what is wanted again costs a page fault for each 4 KiB.
    const INTERVAL: Duration = Duration::from_secs(10);

    #[expect(unsafe_code, reason = "glibc has no other interface")]
    unsafe extern "C" {
        /// Has no precondition, and may be called by any thread at any time.
        safe fn malloc_trim(pad: usize) -> i32;
    }

    /// Gives free memory back to the system from now on.
    pub(crate) fn give_back() {
        let started = thread::Builder::new().name("memory".to_owned()).spawn(|| {
            loop {
                thread::sleep(INTERVAL);
                malloc_trim(0);
            }
        });
        // Without it the program is larger, and nothing else.
        drop(started);
    }
}
