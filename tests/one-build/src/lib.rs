//! Nothing but its manifest, which names features of dependencies that tests of this workspace switch on and programs don't.
//!
//! Cargo compiles a crate once for each set of features that it, or anything below it, is asked for with. `cargo test --workspace` asks
//! for more than `cargo build` of a program does, and wasmtime, the slowest to compile, would be compiled for both. `cargo
//! xtask test` therefore builds the programs that contain it together with this package:
//!
//! - `semver`, below wasmtime, gets `std`, from the encoder of components that tests use. With it, its error implements `Error`.
//! - `serde`, below wasmtime, gets `rc`, from what drives a browser in tests. No program uses it.
//! - `bitflags`, `indexmap` and `memchr` are below the macros of wasmtime, which run in the compiler. Nothing of them is in a program.
//!
//! Those of `semver` and `serde` are the only features that the node under test has and a node of `cargo build --release` doesn't.
//!
//! What makes a test clock of tokio's is not here: programs under test have the clock of the system.
