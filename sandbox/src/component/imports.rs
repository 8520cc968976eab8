//! The imports that a host offers to components: by name, by release, and what each tells of a component's needs.

use super::capabilities::CapabilityImport;

/// An interface that components may import, or all interfaces of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    name: &'static str,
    release: &'static str,
}

impl Import {
    /// The interface `namespace:package/name`, or with `namespace:package/` every interface of the package, in this release: its
    /// version without the last number, such as `0.1`. Versions that differ in the last number alone fit each other.
    pub const fn new(name: &'static str, release: &'static str) -> Self {
        Self { name, release }
    }

    /// True if this is what a component means that imports something of this name, `namespace:package/name@version`.
    pub fn is(&self, import: &str) -> bool {
        let (name, version) = import.split_once('@').unwrap_or((import, ""));
        let is_named = if self.name.ends_with('/') {
            name.starts_with(self.name)
        } else {
            name == self.name
        };
        is_named && is_of(version, self.release)
    }
}

/// True of a version that is one of this release, and no candidate for it: those fit nothing but themselves.
pub(super) fn is_of(version: &str, release: &str) -> bool {
    let patch = version.strip_prefix(release).and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// All that one host offers.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    imports: Vec<Import>,
    capabilities: Vec<CapabilityImport>,
}

impl Offers {
    /// Adds what one interface of the host offers.
    pub(crate) fn add(&mut self, imports: &[Import], capabilities: &[CapabilityImport]) {
        self.imports.extend_from_slice(imports);
        self.capabilities.extend_from_slice(capabilities);
    }

    /// True if the host knows the import with this name. Its functions are checked by linking.
    pub(super) fn include(&self, import: &str) -> bool {
        self.imports.iter().any(|offered| offered.is(import))
    }

    /// The imports that tell of capabilities.
    pub(super) fn capabilities(&self) -> &[CapabilityImport] {
        &self.capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_an_interface_or_a_package_in_one_release() {
        let interface = Import::new("acme:clock/now", "0.1");
        assert!(interface.is("acme:clock/now@0.1.0") && interface.is("acme:clock/now@0.1.17"));
        for other in [
            "acme:clock/now",
            "acme:clock/now@0.1",
            "acme:clock/now@0.1.0-rc1",
            "acme:clock/now@0.2.0",
            "acme:clock/now@0.10.0",
            "acme:clock/now-and-then@0.1.0",
            "acme:clock/zones@0.1.0",
        ] {
            assert!(!interface.is(other), "{other}");
        }
        let package = Import::new("acme:clock/", "0.1");
        assert!(package.is("acme:clock/now@0.1.0") && package.is("acme:clock/zones@0.1.2"));
        assert!(!package.is("acme:clocks/now@0.1.0"));
    }
}
