//! The layers within a crate: which may use which, and which crates. ARCHITECTURE.md says why. What crates may use of each other is
//! in their manifests.

/// One module at the root of a crate.
pub(crate) struct Layer {
    /// The folder of the crate.
    pub(crate) of: &'static str,
    pub(crate) name: &'static str,
    /// Other modules at the root that it may use, and crates of this workspace by the names that they have there.
    pub(crate) modules: &'static [&'static str],
    /// Of the crate's other dependencies, those that it may use.
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
        of: "cluster",
        name: "wire",
        modules: &[],
        crates: &["bytes", "prost", "prost_types", "thiserror"],
        not_std: IMPURE,
    },
    Layer {
        of: "cluster",
        name: "session",
        modules: &["wire"],
        crates: &["hmac", "sha2", "subtle", "thiserror"],
        not_std: IMPURE,
    },
    Layer {
        of: "cluster",
        name: "transport",
        modules: &["files", "wire"],
        crates: &["bytes", "parking_lot", "socket2", "thiserror", "tokio", "tokio_rustls", "tracing"],
        // Files: the certificates, which are read again while the node runs.
        not_std: &["std::process"],
    },
    Layer {
        of: "cluster",
        name: "node",
        modules: &["directory", "session", "transport", "wire"],
        crates: &["bytes", "futures_util", "parking_lot", "ractor", "rand", "thiserror", "tokio", "tokio_rustls", "tracing"],
        not_std: &["std::fs", "std::process"],
    },
    // The floors of the guest runtime.
    Layer {
        of: "sandbox",
        name: "policy",
        modules: &["directory"],
        crates: &["parking_lot", "ractor", "rustls_native_certs", "thiserror", "tokio", "tokio_rustls", "tracing"],
        not_std: &["std::env", "std::process", "std::thread"],
    },
    Layer {
        of: "sandbox",
        name: "component",
        modules: &["directory", "files", "policy"],
        crates: &[
            "gimli", "hex", "hmac", "metrics", "parking_lot", "ractor", "rand", "rustc_demangle", "sha2", "thiserror", "tracing", "wasmparser",
            "wasmtime",
        ],
        not_std: &["std::env", "std::process"],
    },
    Layer {
        of: "sandbox",
        name: "accounting",
        modules: &["policy"],
        crates: &["hickory_resolver", "metrics", "parking_lot", "rustix", "thiserror", "tokio", "tracing", "wasmtime"],
        // Files: /etc/resolv.conf.
        not_std: &["std::env", "std::process"],
    },
    Layer {
        of: "sandbox",
        name: "store",
        modules: &["accounting", "component", "directory", "entities", "policy", "sync"],
        crates: &[
            "bytes", "erased_serde", "http_body_util", "hyper", "if_addrs", "parking_lot", "ractor", "rand", "serde", "thiserror", "tokio",
            "tokio_rustls", "tracing", "wasmtime", "wasmtime_wasi", "wasmtime_wasi_http",
        ],
        not_std: &["std::env", "std::process", "std::thread"],
    },
    Layer {
        of: "sandbox",
        name: "instance",
        modules: &["accounting", "component", "files", "policy", "store"],
        crates: &["parking_lot", "ractor", "thiserror", "tokio", "tracing", "wasmtime", "wasmtime_wasi_http"],
        not_std: &["std::env", "std::fs", "std::process"],
    },
    Layer {
        of: "sandbox",
        name: "actor",
        modules: &["accounting", "component", "directory", "entities", "instance", "policy", "store", "sync"],
        crates: &["parking_lot", "ractor", "rand", "serde", "thiserror", "tokio", "tracing"],
        not_std: &["std::env", "std::fs", "std::net", "std::process", "std::thread"],
    },
    // The clock that people read, which events are told with.
    Layer {
        of: "host",
        name: "events",
        modules: &[],
        crates: &["parking_lot", "serde", "tokio"],
        not_std: &["std::env", "std::fs", "std::net", "std::process", "std::thread"],
    },
    Layer {
        of: "host",
        name: "supervision",
        modules: &["directory", "events", "guest"],
        crates: &["parking_lot", "ractor", "serde", "thiserror", "tokio", "tracing"],
        not_std: &["std::fs", "std::net", "std::process"],
    },
    Layer {
        of: "host",
        name: "database",
        modules: &["files"],
        crates: &["hex", "parking_lot", "redb", "thiserror", "tracing"],
        not_std: &["std::env", "std::net", "std::process", "std::thread"],
    },
    Layer {
        of: "host",
        name: "checkpoint",
        modules: &["database", "files", "guest"],
        crates: &["parking_lot", "redb", "sha2", "thiserror", "tokio", "tracing"],
        not_std: &["std::net", "std::process"],
    },
    Layer {
        of: "host",
        name: "entity_store",
        modules: &["database", "entities", "files"],
        crates: &["redb", "sha2"],
        not_std: &["std::env", "std::net", "std::process", "std::thread"],
    },
    // The derive at the root, for its messages.
    Layer {
        of: "host",
        name: "control",
        modules: &["directory", "entities", "events", "files", "guest", "supervision", "RactorClusterMessage"],
        crates: &["hmac", "parking_lot", "ractor", "rand", "rustix", "serde", "serde_json", "sha2", "thiserror", "tokio", "tracing"],
        not_std: &["std::net", "std::process"],
    },
    Layer {
        of: "host",
        name: "metrics",
        modules: &["directory"],
        crates: &["metrics", "metrics_exporter_prometheus", "tokio"],
        not_std: IMPURE,
    },
    // Variables: the tokens may be in them.
    Layer {
        of: "host",
        name: "admin",
        modules: &["control", "directory", "events", "files", "guest", "metrics", "supervision", "tls"],
        crates: &[
            "axum", "form_urlencoded", "futures_util", "http_body_util", "hyper", "hyper_util", "parking_lot", "serde", "serde_json", "sha2", "subtle", "thiserror", "tokio",
            "tokio_rustls", "tracing",
        ],
        not_std: &["std::fs", "std::process", "std::thread"],
    },
    // ractor for how a literal becomes the bytes of an argument.
    Layer {
        of: "host",
        name: "config",
        modules: &["admin", "control", "entities", "files", "guest", "node", "postgres", "supervision", "tls"],
        // The last one to check what is to be logged, in its own words.
        crates: &["hex", "ractor", "serde", "strsim", "thiserror", "toml", "tracing_subscriber"],
        not_std: &["std::process", "std::thread"],
    },
    Layer {
        of: "host",
        name: "typing",
        modules: &["config", "guest"],
        crates: &["prost", "prost_reflect", "serde", "serde_json", "thiserror"],
        not_std: IMPURE,
    },
];

/// Crates that are one layer, and what they may not use of std.
#[rustfmt::skip]
pub(crate) const WHOLE: &[(&str, &[&str])] = &[
    // The seam between `cluster` and `sandbox`.
    ("directory", IMPURE),
    // Clocks: the writer of a pipe is given a while.
    ("files", &["std::net", "std::process"]),
    ("placement", IMPURE),
    // Times out connections. Files: the certificates that a server's is checked with.
    ("store", &["std::env", "std::process", "std::thread"]),
    // It starts compilers and package managers, and leaves networks to them.
    ("project", &["std::net", "std::thread"]),
];

/// What puts the layers of a crate together: uses everything, and no layer uses it.
pub(crate) const COMPOSITION: &[(&str, &[&str])] = &[
    ("cluster", &["fuzzing", "lib", "internals", "macros", "sync"]),
    ("sandbox", &["fuzzing", "internals", "lib", "sync"]),
    (
        "host",
        &["cli", "fuzzing", "host", "lib", "main", "metrics", "ops", "simulation"],
    ),
];

/// Names that are defined at the root itself, because the API has them there.
pub(crate) const AT_THE_ROOT: &[&str] = &["NodeId", "sync"];
