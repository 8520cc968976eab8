//! The `ractor-host` program: a node without native actors of its own.

fn main() -> std::process::ExitCode {
    ractor_host::cli::main(ractor_host::Host::builder())
}
