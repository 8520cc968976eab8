//! The layers of the host: which may use which, and which crates. ARCHITECTURE.md says why.

/// One module at the root of the host.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// Other modules at the root that it may use.
    pub(crate) modules: &'static [&'static str],
    /// Of the host's dependencies, those that it may use.
    pub(crate) crates: &'static [&'static str],
    /// Of std, what it may not use: two names that follow each other in a path.
    pub(crate) not_std: &'static [&'static str],
}

/// What fetches time, randomness or bytes: a pure layer is given them.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
];

/// The layers, from the bottom up.
#[rustfmt::skip] // one line a column reads like the table that it is
pub(crate) const LAYERS: &[Layer] = &[
    Layer {
        name: "wire",
        modules: &[],
        crates: &["bytes", "prost", "prost_types", "thiserror"],
        not_std: IMPURE,
    },
    Layer {
        name: "session",
        modules: &["wire"],
        crates: &["hmac", "sha2", "subtle", "thiserror"],
        not_std: IMPURE,
    },
    // Clocks: the writer of a pipe is given a while.
    Layer {
        name: "files",
        modules: &[],
        crates: &["rustix", "tempfile", "thiserror"],
        not_std: &["std::net", "std::process"],
    },
    Layer {
        name: "transport",
        modules: &["files", "wire"],
        crates: &["bytes", "socket2", "thiserror", "tokio", "tokio_rustls", "tracing"],
        // Files: the certificates, which are read again while the node runs.
        not_std: &["std::process"],
    },
    // The seam between `node` and `guest`.
    Layer {
        name: "directory",
        modules: &[],
        crates: &["ractor", "thiserror"],
        not_std: IMPURE,
    },
    Layer {
        name: "address",
        modules: &["directory"],
        crates: &["ractor"],
        not_std: IMPURE,
    },
    Layer {
        name: "node",
        modules: &["directory", "session", "transport", "wire"],
        crates: &["bytes", "futures_util", "ractor", "rand", "thiserror", "tokio", "tokio_rustls", "tracing"],
        not_std: &["std::fs", "std::process"],
    },
    // How the node writes what it keeps.
    Layer {
        name: "guest",
        modules: &["address", "directory", "files"],
        crates: &["bytes", "hex", "hickory_resolver", "hmac", "http_body_util", "hyper", "if_addrs", "metrics", "ractor", "rand", "rustls_native_certs", "serde", "sha2", "thiserror", "tokio", "tokio_rustls", "tracing", "wasmparser", "wasmtime", "wasmtime_wasi", "wasmtime_wasi_http"],
        not_std: &["std::process"],
    },
    Layer {
        name: "supervision",
        modules: &["directory", "guest"],
        crates: &["ractor", "serde", "thiserror", "tokio", "tracing"],
        not_std: &["std::fs", "std::net", "std::process"],
    },
    Layer {
        name: "checkpoint",
        modules: &["files", "guest"],
        crates: &["redb", "sha2", "thiserror", "tokio", "tracing"],
        not_std: &["std::net", "std::process"],
    },
    // The derive at the root, for its messages.
    Layer {
        name: "control",
        modules: &["directory", "files", "guest", "supervision", "RactorClusterMessage"],
        crates: &["hmac", "ractor", "rand", "serde", "serde_json", "sha2", "thiserror", "tokio", "tracing"],
        not_std: &["std::net", "std::process"],
    },
    // ractor for how a literal becomes the bytes of an argument.
    Layer {
        name: "config",
        modules: &["control", "files", "guest", "node", "supervision", "transport"],
        crates: &["hex", "ractor", "serde", "strsim", "thiserror", "toml"],
        not_std: &["std::process", "std::thread"],
    },
];

/// What puts the layers together: uses everything, and no layer uses it.
pub(crate) const COMPOSITION: &[&str] = &[
    "cli",
    "fuzzing",
    "host",
    "lib",
    "macros",
    "main",
    "ops",
    "simulation",
    "sync",
];

/// Names that are defined at the root itself, because the API has them there.
pub(crate) const AT_THE_ROOT: &[&str] = &["NodeId", "sync"];
