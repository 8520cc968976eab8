//! Definitions of protobuf that a peer sent, made fit for the library that reads them.
//!
//! prost-reflect takes what a compiler wrote. Of what somebody made up it may panic, follow imports in a circle until the stack is used
//! up, or hold each name with all the names around it. So it gets imports without ways of their own, and names of a bounded length.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// The longest full name, in bytes: `shop.Order.Item.name`.
const MAX_NAME_BYTES: usize = 2048;

/// The most names that there are parts of in a full name.
const MAX_NAME_PARTS: usize = 64;

/// The bytes that all full names have together at most. A definition of a megabyte that a compiler wrote has a few of these.
const MAX_NAMES_BYTES: usize = 16 << 20;

/// The most imports that all files have together, also by way of public imports of others.
const MAX_IMPORTS: usize = 1 << 16;

/// The definitions in a serialized `FileDescriptorSet`.
pub(super) fn pool(bytes: &[u8]) -> Result<DescriptorPool, String> {
    let mut files = FileDescriptorSet::decode(bytes).map_err(|error| error.to_string())?;
    for file in &mut files.file {
        // Before prost-reflect sees it, which panics on what it doesn't know.
        if !matches!(file.syntax(), "" | "proto2" | "proto3") {
            let (name, syntax) = (file.name(), file.syntax());
            return Err(format!(
                "{name} has the syntax {syntax}, and only proto2 and proto3 are known here"
            ));
        }
        // Not needed, and as large as the source.
        file.source_code_info = None;
    }
    let mut names = Names::default();
    for file in &files.file {
        names.file(file)?;
    }
    flatten_imports(&mut files.file)?;
    guarded(|| DescriptorPool::from_file_descriptor_set(files).map_err(|error| error.to_string()))
}

/// Work with definitions that a peer sent. That prost-reflect has no answer to some of them is no reason to end without one here.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it is no sound definition".to_owned()))
}

/// The bytes of all full names so far.
#[derive(Default)]
struct Names(usize);

/// A name with those around it, as far as they matter here.
#[derive(Clone, Copy)]
struct Scope {
    bytes: usize,
    parts: usize,
}

impl Names {
    fn file(&mut self, file: &FileDescriptorProto) -> Result<(), String> {
        let package = file.package();
        let outside = Scope { bytes: 0, parts: 0 };
        let scope = self.within(outside, package, package.split('.').count())?;
        for message in &file.message_type {
            self.message(scope, message)?;
        }
        for known in &file.enum_type {
            self.enumeration(scope, known)?;
        }
        for extension in &file.extension {
            self.within(scope, extension.name(), 1)?;
        }
        for service in &file.service {
            let scope = self.within(scope, service.name(), 1)?;
            for method in &service.method {
                self.within(scope, method.name(), 1)?;
            }
        }
        Ok(())
    }

    /// As deep as messages are nested, which was limited when they were decoded.
    fn message(&mut self, scope: Scope, message: &DescriptorProto) -> Result<(), String> {
        let scope = self.within(scope, message.name(), 1)?;
        for field in message.field.iter().chain(&message.extension) {
            self.within(scope, field.name(), 1)?;
        }
        for oneof in &message.oneof_decl {
            self.within(scope, oneof.name(), 1)?;
        }
        for nested in &message.nested_type {
            self.message(scope, nested)?;
        }
        for known in &message.enum_type {
            self.enumeration(scope, known)?;
        }
        Ok(())
    }

    fn enumeration(&mut self, scope: Scope, known: &EnumDescriptorProto) -> Result<(), String> {
        let scope = self.within(scope, known.name(), 1)?;
        for value in &known.value {
            self.within(scope, value.name(), 1)?;
        }
        Ok(())
    }

    fn within(&mut self, scope: Scope, name: &str, parts: usize) -> Result<Scope, String> {
        let inner = Scope {
            bytes: scope.bytes + 1 + name.len(),
            parts: scope.parts + parts,
        };
        self.0 += inner.bytes;
        if inner.bytes > MAX_NAME_BYTES || inner.parts > MAX_NAME_PARTS {
            return Err(format!(
                "a name has more than {MAX_NAME_BYTES} bytes or {MAX_NAME_PARTS} parts"
            ));
        }
        if self.0 > MAX_NAMES_BYTES {
            return Err(format!("its full names have more than {MAX_NAMES_BYTES} bytes"));
        }
        Ok(inner)
    }
}

/// Gives each file all that it sees as imports of its own, so that nobody follows the public imports of others.
fn flatten_imports(files: &mut [FileDescriptorProto]) -> Result<(), String> {
    let public: HashMap<String, Vec<String>> = files
        .iter()
        .map(|file| (file.name().to_owned(), public_imports(file)))
        .collect();
    let mut imports = 0;
    for file in files {
        let mut seen = HashSet::from([file.name().to_owned()]);
        let mut ways = std::mem::take(&mut file.dependency);
        file.public_dependency.clear();
        file.weak_dependency.clear();
        while let Some(next) = ways.pop() {
            imports += 1;
            if imports > MAX_IMPORTS {
                return Err(format!("its files have more than {MAX_IMPORTS} imports"));
            }
            if !seen.insert(next.clone()) {
                continue;
            }
            ways.extend(public.get(&next).into_iter().flatten().cloned());
            file.dependency.push(next);
        }
    }
    Ok(())
}

/// What a file that is imported brings along.
fn public_imports(file: &FileDescriptorProto) -> Vec<String> {
    let places = file.public_dependency.iter().filter_map(|at| usize::try_from(*at).ok());
    let unique: HashSet<usize> = places.collect();
    unique
        .into_iter()
        .filter_map(|at| file.dependency.get(at).cloned())
        .collect()
}
