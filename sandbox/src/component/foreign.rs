//! Components and modules that were built for something else: what they were built for, and what to build instead.

use wasmparser::{Parser, Payload};

/// Which WASI a core module was built for, as its imports tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoreWasi {
    /// None.
    None,
    /// `wasi_snapshot_preview1`, of 2020: what the targets `wasm32-wasip1` and `wasm32-wasi` make.
    Preview1,
    /// `wasi_unstable`, of 2019.
    Unstable,
}

/// What to do about every component of another WASI.
const BUILD_FOR_0_2: &str = "build it for WASI 0.2: in Rust with the target `wasm32-wasip2` (Rust 1.82 or later), in other \
                             languages with a version of their tools that makes components of WASI 0.2";

impl CoreWasi {
    pub(super) fn of(module: &[u8]) -> Self {
        let payloads = Parser::new(0).parse_all(module).map_while(Result::ok);
        let imports = payloads.filter_map(|payload| match payload {
            Payload::ImportSection(section) => Some(section.into_imports().map_while(Result::ok)),
            _ => None,
        });
        let mut known = imports.flatten().filter_map(|import| match import.module {
            "wasi_snapshot_preview1" => Some(Self::Preview1),
            "wasi_unstable" => Some(Self::Unstable),
            _ => None,
        });
        known.next().unwrap_or(Self::None)
    }

    /// How a component comes of the module.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::None => "e.g. by building for wasm32-wasip2 or with `wasm-tools component new`",
            Self::Preview1 => {
                "by building for wasm32-wasip2 instead of wasm32-wasip1 or wasm32-wasi: it imports `wasi_snapshot_preview1`, the \
                 WASI before components. What can't be built anew is adapted: `wasm-tools component new --adapt \
                 wasi_snapshot_preview1=ADAPTER.wasm` with the `reactor` adapter of a release of wasmtime, 17 or later"
            }
            Self::Unstable => {
                "by building for wasm32-wasip2 with tools of this decade: it imports `wasi_unstable`, a WASI of 2019 that nothing \
                 adapts"
            }
        }
    }
}

/// What more there is to say of an import that this host doesn't offer, from the `;` on.
pub(super) fn advice(import: &str) -> String {
    let (interface, version) = match import.split_once('@') {
        Some((interface, version)) => (interface, Some(version)),
        None => (import, None),
    };
    if interface.starts_with("ractor:actor/") {
        return match version {
            Some(version) => format!(
                "; this host has {interface}, if at all, in version 0.1: version {version} is of another release of the guest \
                 SDK, so build it against this version's wit/"
            ),
            None => "; build it against this version's wit/".to_owned(),
        };
    }
    if !interface.starts_with("wasi:") {
        return String::new();
    }
    match version.map(|version| version.split_once('-').unwrap_or((version, ""))) {
        None => format!("; it has no version, as before WASI 0.2 was settled in January 2024; {BUILD_FOR_0_2}"),
        Some((release, "")) if release.starts_with("0.2.") => String::new(),
        Some((release, "")) => format!("; that is WASI {release}, and this host has WASI 0.2; {BUILD_FOR_0_2}"),
        Some((release, candidate)) => {
            let made = if release.starts_with("0.2.") {
                ". It was made with an adapter or a tool from before January 2024, such as the adapter of wasmtime 16 or earlier"
            } else {
                ""
            };
            format!(
                "; that is `{candidate}`, a candidate for WASI {release} that fits no other release{made}; {BUILD_FOR_0_2}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_import_of_another_wasi_is_explained() {
        let cases = [
            (
                "wasi:cli/environment@0.3.0",
                "that is WASI 0.3.0, and this host has WASI 0.2",
            ),
            (
                "wasi:cli/environment@0.3.0-rc-2025-09-16",
                "that is `rc-2025-09-16`, a candidate for WASI 0.3.0",
            ),
            (
                "wasi:io/streams@0.2.0-rc-2023-11-10",
                "made with an adapter or a tool from before January 2024",
            ),
            ("wasi:io/streams", "it has no version"),
            ("ractor:actor/identity@0.2.0", "this version's wit/"),
        ];
        for (import, expected) in cases {
            let text = advice(import);
            assert!(text.contains(expected), "{import}: {text}");
            if import.starts_with("wasi:") {
                assert!(text.contains("`wasm32-wasip2`"), "{import}: {text}");
            }
        }
        for import in ["acme:db/store", "wasi:http/incoming-handler@0.2.3"] {
            assert_eq!(advice(import), "");
        }
    }

    #[test]
    fn a_core_module_tells_its_wasi() {
        let of = |import: &str| {
            let text = format!("(module (import \"env\" \"f\" (func)) (import \"{import}\" \"g\" (func)))");
            CoreWasi::of(&wat::parse_str(text).unwrap())
        };
        assert_eq!(of("wasi_snapshot_preview1"), CoreWasi::Preview1);
        assert_eq!(of("wasi_unstable"), CoreWasi::Unstable);
        assert_eq!(of("elsewhere"), CoreWasi::None);
    }
}
