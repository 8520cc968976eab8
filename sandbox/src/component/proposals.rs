//! Parts of WebAssembly that this host doesn't have, and components that need them: said in a sentence, where the compiler names an offset.

use std::fmt;

use wasmparser::{CompositeInnerType, Parser, Payload, TypeRef};

/// What of WebAssembly a component needs that this host doesn't have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missing {
    /// Exceptions: functions that throw, and tags.
    pub exceptions: bool,
    /// Structures and arrays that a garbage collector of the host's would keep.
    pub garbage_collection: bool,
}

impl Missing {
    /// What these bytes need of it. None if it is nothing, or the bytes can't be read.
    pub(crate) fn of(component: &[u8]) -> Option<Self> {
        let mut missing = Self::default();
        for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
            match payload {
                Payload::TagSection(tags) => missing.exceptions |= tags.count() > 0,
                Payload::ImportSection(imports) => {
                    let mut imports = imports.into_imports().map_while(Result::ok);
                    missing.exceptions |= imports.any(|import| matches!(import.ty, TypeRef::Tag(_)));
                }
                Payload::TypeSection(types) => {
                    let mut types = types
                        .into_iter()
                        .map_while(Result::ok)
                        .flat_map(|group| group.into_types());
                    let is_of_gc = |inner: &CompositeInnerType| {
                        matches!(inner, CompositeInnerType::Struct(_) | CompositeInnerType::Array(_))
                    };
                    missing.garbage_collection |= types.any(|each| is_of_gc(&each.composite_type.inner));
                }
                _ => {}
            }
        }
        (missing != Self::default()).then_some(missing)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, instead) = match (self.garbage_collection, self.exceptions) {
            (true, true) => (
                "garbage collection and exceptions",
                "Kotlin and Dart can't be built without them",
            ),
            (true, false) => (
                "garbage collection",
                "build it with a compiler that keeps its objects in linear memory",
            ),
            (false, _) => ("exceptions", "build it without them, in C++ with `-fno-exceptions`"),
        };
        write!(
            f,
            "the component needs WebAssembly's {what}, which this host does not have; {instead}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(core: &str) -> Option<Missing> {
        Missing::of(&wat::parse_str(format!("(component (core module {core}))")).unwrap())
    }

    #[test]
    fn what_a_component_needs_is_found_in_its_modules() {
        let missing = |garbage_collection, exceptions| {
            Some(Missing {
                exceptions,
                garbage_collection,
            })
        };
        assert_eq!(needs("(func (param i32)) (memory 1)"), None);
        assert_eq!(needs("(tag (param i32))"), missing(false, true));
        assert_eq!(needs("(import \"a\" \"b\" (tag (param i32)))"), missing(false, true));
        assert_eq!(needs("(type (struct (field i32)))"), missing(true, false));
        assert_eq!(
            needs("(rec (type (func)) (type (array i8))) (tag)"),
            missing(true, true)
        );
        assert_eq!(Missing::of(b"\0asm no component"), None);
    }
}
