//! Functions of WASI that refuse what was not granted, in place of wasmtime's, which refuse it as well but don't tell.
//!
//! A guest hears the error code that WASI has for it, and the log says what was tried and which grant it takes. Languages
//! import files, sockets and the environment whether a program uses them or not, and some look at them when an instance is
//! made; so only what is asked for later counts as tried. Python looks at the environment in the first call.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::cli::WasiCliView as _;
use wasmtime_wasi::filesystem::WasiFilesystemView as _;
use wasmtime_wasi::p2::bindings::cli::environment::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode as FileError, HostDescriptor as _, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode as SocketError, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{FsResult, SocketResult};
use wasmtime_wasi::sockets::WasiSocketsView as _;

use crate::accounting::telemetry;
use crate::policy::denied::Denied;
use crate::store::data::StoreData;

const ENVIRONMENT: &str = "wasi:cli/environment@0.2.12";
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.12";
const FILES: &str = "wasi:filesystem/types@0.2.12";
const CREATE_TCP: &str = "wasi:sockets/tcp-create-socket@0.2.12";
const CREATE_UDP: &str = "wasi:sockets/udp-create-socket@0.2.12";

pub(super) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    linker.instance(ENVIRONMENT)?.func_wrap(
        "get-environment",
        |mut store: StoreContextMut<'_, StoreData>, (): ()| {
            let state = store.data_mut();
            // Python's own look, of which its program knows nothing.
            let is_program = !std::mem::take(&mut state.reads_variables_first);
            if is_program && state.grants().environment.is_empty() {
                state.tried(Denied::Environment);
            }
            Ok((state.cli().get_environment()?,))
        },
    )?;
    linker.instance(PREOPENS)?.func_wrap(
        "get-directories",
        |mut store: StoreContextMut<'_, StoreData>, (): ()| {
            let state = store.data_mut();
            if state.grants().directories.is_empty() {
                state.tried(Denied::Directories);
            }
            Ok((state.filesystem().get_directories()?,))
        },
    )?;
    files(linker)?;
    linker.instance(CREATE_TCP)?.func_wrap(
        "create-tcp-socket",
        |mut store: StoreContextMut<'_, StoreData>, (family,): (IpAddressFamily,)| {
            let state = store.data_mut();
            if state.grants().tcp.is_empty() {
                telemetry::denied(&state.label, Denied::Tcp(None));
                return Ok((Err(SocketError::AccessDenied),));
            }
            let socket = state.sockets().create_tcp_socket(family);
            Ok((code_of(socket)?,))
        },
    )?;
    linker.instance(CREATE_UDP)?.func_wrap_async(
        "create-udp-socket",
        |mut store: StoreContextMut<'_, StoreData>, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                let state = store.data_mut();
                if state.grants().udp.is_empty() {
                    telemetry::denied(&state.label, Denied::Udp(None));
                    return Ok((Err(SocketError::AccessDenied),));
                }
                let socket = state.sockets().create_udp_socket(family).await;
                Ok((code_of(socket)?,))
            })
        },
    )
}

/// What opens, makes, links, looks at and removes files.
fn files(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    type Open = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);
    type At = (Resource<Descriptor>, String);
    type Rename = (Resource<Descriptor>, String, Resource<Descriptor>, String);
    type Link = (Resource<Descriptor>, PathFlags, String, Resource<Descriptor>, String);
    type Symlink = (Resource<Descriptor>, String, String);
    type Stat = (Resource<Descriptor>, PathFlags, String);
    let mut files = linker.instance(FILES)?;
    files.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store: StoreContextMut<'_, StoreData>, (directory, follow, path, how, flags): Open| {
            Box::new(async move {
                let changes = how.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::EXCLUSIVE)
                    || flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY);
                let state = store.data_mut();
                let mut files = state.files();
                let opened = files.open_at(directory, follow, path.clone(), how, flags).await;
                Ok((state.told(opened, &path, changes)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.create-directory-at",
        |mut store: StoreContextMut<'_, StoreData>, (directory, path): At| {
            Box::new(async move {
                let state = store.data_mut();
                let made = state.files().create_directory_at(directory, path.clone()).await;
                Ok((state.told(made, &path, true)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.remove-directory-at",
        |mut store: StoreContextMut<'_, StoreData>, (directory, path): At| {
            Box::new(async move {
                let state = store.data_mut();
                let removed = state.files().remove_directory_at(directory, path.clone()).await;
                Ok((state.told(removed, &path, true)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.unlink-file-at",
        |mut store: StoreContextMut<'_, StoreData>, (directory, path): At| {
            Box::new(async move {
                let state = store.data_mut();
                let removed = state.files().unlink_file_at(directory, path.clone()).await;
                Ok((state.told(removed, &path, true)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.rename-at",
        |mut store: StoreContextMut<'_, StoreData>, (from, path, to, new_path): Rename| {
            Box::new(async move {
                let state = store.data_mut();
                let mut files = state.files();
                let renamed = files.rename_at(from, path.clone(), to, new_path).await;
                Ok((state.told(renamed, &path, true)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.link-at",
        |mut store: StoreContextMut<'_, StoreData>, (from, follow, path, to, new_path): Link| {
            Box::new(async move {
                let state = store.data_mut();
                let mut files = state.files();
                let linked = files.link_at(from, follow, path.clone(), to, new_path).await;
                Ok((state.told(linked, &path, true)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.symlink-at",
        |mut store: StoreContextMut<'_, StoreData>, (directory, target, path): Symlink| {
            Box::new(async move {
                let state = store.data_mut();
                let mut files = state.files();
                let linked = files.symlink_at(directory, target.clone(), path).await;
                Ok((state.told(linked, &target, true)?,))
            })
        },
    )?;
    files.func_wrap_async(
        "[method]descriptor.stat-at",
        |mut store: StoreContextMut<'_, StoreData>, (directory, follow, path): Stat| {
            Box::new(async move {
                let state = store.data_mut();
                let seen = state.files().stat_at(directory, follow, path.clone()).await;
                Ok((state.told(seen, &path, false)?,))
            })
        },
    )
}

impl StoreData {
    /// Says what the guest has tried, unless its language did so on its own when the instance was made.
    fn tried(&self, denied: Denied<'_>) {
        if self.made {
            telemetry::denied(&self.label, denied);
        }
    }

    /// The outcome as the guest gets it. If it wasn't permitted, that is said.
    fn told<T>(&self, outcome: FsResult<T>, path: &str, changes: bool) -> wasmtime::Result<Result<T, FileError>> {
        let error = match outcome {
            Ok(value) => return Ok(Ok(value)),
            Err(error) => error.downcast()?,
        };
        if matches!(error, FileError::NotPermitted | FileError::ReadOnly) {
            let denied = if changes {
                Denied::Write(path)
            } else {
                Denied::Read(path)
            };
            telemetry::denied(&self.label, denied);
        }
        Ok(Err(error))
    }
}

fn code_of<T>(outcome: SocketResult<T>) -> wasmtime::Result<Result<T, SocketError>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(error) => error.downcast().map(Err),
    }
}
