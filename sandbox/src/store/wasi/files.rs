//! `wasi:filesystem` as wasmtime has it, with each piece of work on one of the family's own threads: see
//! [`pools`](crate::accounting::pools).

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::listing;
use super::streams::{Input, Output};
use crate::accounting::family::Family;
use crate::accounting::label::Label;
use crate::store::data::StoreData;

/// The files of one guest.
pub(super) struct Files<'a> {
    inner: WasiFilesystemCtxView<'a>,
    /// None while the component only describes itself, when it has no file.
    family: Option<Family>,
    label: Label,
}

struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = Files<'a>;
}

pub(super) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    types::add_to_linker::<StoreData, HasFiles>(linker, StoreData::files)
}

impl StoreData {
    pub(super) fn files(&mut self) -> Files<'_> {
        let family = self.context().ok().map(|actor| actor.family.clone());
        let label = self.label.clone();
        Files {
            inner: self.filesystem(),
            family,
            label,
        }
    }
}

/// Does this on one of the family's threads, once there is one.
async fn in_lane<T, E: From<std::io::Error>>(
    family: Option<&Family>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match family {
        // A guest that is killed in `run` drops the lane, which stays taken until the work has ended.
        Some(family) => family.share().lane().await?.run(work).await,
        None => work.await,
    }
}

/// Functions that are wasmtime's, on a thread of the family.
macro_rules! in_lanes {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(async fn $name(&mut self, $($argument: $type),*) -> FsResult<$result> {
            let Self { inner, family, .. } = self;
            in_lane(family.as_ref(), inner.$name($($argument),*)).await
        })*
    };
}

impl Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.inner.filesystem_error_code(error)
    }
}

impl HostDescriptor for Files<'_> {
    in_lanes! {
        advise(file: Resource<Descriptor>, offset: Filesize, len: Filesize, advice: Advice) -> ();
        sync_data(file: Resource<Descriptor>) -> ();
        get_flags(file: Resource<Descriptor>) -> DescriptorFlags;
        get_type(file: Resource<Descriptor>) -> DescriptorType;
        set_size(file: Resource<Descriptor>, size: Filesize) -> ();
        set_times(file: Resource<Descriptor>, accessed: NewTimestamp, modified: NewTimestamp) -> ();
        read(file: Resource<Descriptor>, len: Filesize, offset: Filesize) -> (Vec<u8>, bool);
        write(file: Resource<Descriptor>, bytes: Vec<u8>, offset: Filesize) -> Filesize;
        sync(file: Resource<Descriptor>) -> ();
        create_directory_at(directory: Resource<Descriptor>, path: String) -> ();
        stat(file: Resource<Descriptor>) -> DescriptorStat;
        stat_at(directory: Resource<Descriptor>, follow: PathFlags, path: String) -> DescriptorStat;
        set_times_at(
            directory: Resource<Descriptor>, follow: PathFlags, path: String, accessed: NewTimestamp, modified: NewTimestamp
        ) -> ();
        link_at(
            from: Resource<Descriptor>, follow: PathFlags, path: String, to: Resource<Descriptor>, new_path: String
        ) -> ();
        open_at(
            directory: Resource<Descriptor>, follow: PathFlags, path: String, how: OpenFlags, flags: DescriptorFlags
        ) -> Resource<Descriptor>;
        readlink_at(directory: Resource<Descriptor>, path: String) -> String;
        remove_directory_at(directory: Resource<Descriptor>, path: String) -> ();
        rename_at(from: Resource<Descriptor>, path: String, to: Resource<Descriptor>, new_path: String) -> ();
        symlink_at(directory: Resource<Descriptor>, target: String, path: String) -> ();
        unlink_file_at(directory: Resource<Descriptor>, path: String) -> ();
        metadata_hash(file: Resource<Descriptor>) -> MetadataHashValue;
        metadata_hash_at(directory: Resource<Descriptor>, follow: PathFlags, path: String) -> MetadataHashValue;
    }

    async fn read_directory(&mut self, directory: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        let Self { inner, family, label } = self;
        let stream = in_lane(family.as_ref(), inner.read_directory(directory)).await?;
        let member = family.as_ref().map(|family| (family, &*label));
        listing::take_over(inner, stream, member).await
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        let Self { inner, family, .. } = self;
        in_lane(family.as_ref(), inner.is_same_object(one, other)).await
    }

    fn read_via_stream(&mut self, file: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let stream = self.inner.read_via_stream(file, offset)?;
        let Some(family) = self.family.clone() else {
            return Ok(stream);
        };
        // Deleted before the other is put there, so that a full table has a place for it.
        let inner = self.inner.table.delete(stream)?;
        let stream: DynInputStream = Box::new(Input::new(inner, family));
        Ok(self.inner.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.inner.write_via_stream(file, offset)?;
        self.laned_output(stream)
    }

    fn append_via_stream(&mut self, file: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.inner.append_via_stream(file)?;
        self.laned_output(stream)
    }

    fn drop(&mut self, file: Resource<Descriptor>) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.inner, file)
    }
}

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        // What the directory has was read before.
        listing::next(self.inner.table, &stream)
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        listing::drop(self.inner.table, &stream)
    }
}

impl Files<'_> {
    fn laned_output(&mut self, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let Some(family) = self.family.clone() else {
            return Ok(stream);
        };
        let inner = self.inner.table.delete(stream)?;
        let stream: DynOutputStream = Box::new(Output::new(inner, family));
        Ok(self.inner.table.push(stream)?)
    }
}
