//! The imports that a host offers to components: by name, by release, and what each tells of a component's needs.

use std::fmt;

use super::capabilities::CapabilityImport;

/// An interface that components may import, or all interfaces of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    name: &'static str,
    release: &'static str,
}

impl Import {
    /// The interface `namespace:package/name`, or with `namespace:package/` every interface of the package, in this release: its
    /// version without the last number, such as `0.1`. Versions that differ in the last number alone fit each other. A candidate
    /// for a release, such as `0.2.0-draft2`, is written in full: it fits nothing but itself.
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
        let is_candidate = self.release.contains('-');
        is_named && (is_of(version, self.release) || is_candidate && version == self.release)
    }

    /// What keeps it from being an import of anything.
    pub(crate) fn mistake(&self) -> Option<String> {
        let Self { name, release } = self;
        let is_name = name
            .split_once('/')
            .is_some_and(|(package, rest)| package.contains(':') && !rest.contains(['/', '@']));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_of_two = release
            .split_once('.')
            .is_some_and(|(major, minor)| is_number(major) && is_number(minor));
        let is_release = is_of_two || release.contains('-');
        if !is_name {
            let form = "it must be `namespace:package/name` or `namespace:package/`, and its version apart";
            Some(format!("`{name}` is no name of an import; {form}"))
        } else if !is_release {
            Some(format!(
                "`{release}` is no release of `{name}`; write one such as `0.1`"
            ))
        } else {
            None
        }
    }

    /// True if it is of this package.
    pub(crate) fn is_in(&self, package: &str) -> bool {
        self.name.split_once('/').is_some_and(|(of, _)| of == package)
    }

    /// True if some component may mean both with one import.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let covers = |one: &Self, other: &Self| {
            one.name == other.name || one.name.ends_with('/') && other.name.starts_with(one.name)
        };
        // No import fits two releases, so what differs there can't be mistaken for each other.
        self.release == other.release && (covers(self, other) || covers(other, self))
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.release)
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

    /// What is offered already of what this would offer.
    pub(crate) fn overlapping(&self, import: &Import) -> Option<Import> {
        self.imports.iter().copied().find(|other| other.overlaps(import))
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
        let candidate = Import::new("wasi:keyvalue/store", "0.2.0-draft2");
        assert!(candidate.is("wasi:keyvalue/store@0.2.0-draft2"));
        assert!(!candidate.is("wasi:keyvalue/store@0.2.0-draft") && !candidate.is("wasi:keyvalue/store@0.2.0"));
    }

    #[test]
    fn imports_overlap_where_one_name_is_of_both() {
        let package = Import::new("acme:clock/", "0.1");
        let now = Import::new("acme:clock/now", "0.1");
        assert!(package.overlaps(&now) && now.overlaps(&package) && now.overlaps(&now));
        for other in [
            Import::new("acme:clock/now", "0.2"),
            Import::new("acme:clock/now-and-then", "0.1"),
            Import::new("acme:clocks/", "0.1"),
        ] {
            assert!(!now.overlaps(&other) && !other.overlaps(&now), "{other}");
        }
    }

    #[test]
    fn what_no_component_can_import_is_a_mistake() {
        for import in [
            Import::new("acme:clock/now", "0.1"),
            Import::new("acme:clock/", "1.0"),
            Import::new("wasi:keyvalue/store", "0.2.0-draft2"),
        ] {
            assert_eq!(import.mistake(), None, "{import}");
        }
        for import in [
            Import::new("", "0.1"),
            Import::new("clock", "0.1"),
            Import::new("clock/now", "0.1"),
            Import::new("acme:clock", "0.1"),
            Import::new("acme:clock/now@0.1.0", "0.1"),
            Import::new("acme:clock/now", ""),
            Import::new("acme:clock/now", "1"),
            Import::new("acme:clock/now", "0.1.0"),
            Import::new("acme:clock/now", "^0.1"),
        ] {
            assert!(import.mistake().is_some(), "{import}");
        }
    }
}
