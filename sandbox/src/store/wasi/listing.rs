//! What a guest is told of a directory: read at once and handed out one by one, as wasmtime does it, but as memory of the family.
//!
//! A directory has as many entries as somebody has put there, and a guest may have as many lists of it as handles.

use std::collections::VecDeque;

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DirectoryEntry, DirectoryEntryStream, ErrorCode, HostDirectoryEntryStream,
};

use crate::accounting::family::{Family, Share};
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::policy::limits::Common;

/// What an entry takes beside its name.
const ENTRY_BYTES: usize = size_of::<FsResult<DirectoryEntry>>() + 32;

/// The entries that are left. In the table it has the place of a stream of wasmtime's, and is what its handle stands for.
struct Listing {
    entries: VecDeque<FsResult<DirectoryEntry>>,
    _share: Option<Share>,
}

/// Takes what wasmtime has read, at the expense of the family.
pub(super) async fn take_over(
    files: &mut WasiFilesystemCtxView<'_>,
    stream: Resource<DirectoryEntryStream>,
    member: Option<(&Family, &Label)>,
) -> FsResult<Resource<DirectoryEntryStream>> {
    let mut entries = VecDeque::new();
    let mut bytes = 0;
    loop {
        let next = files.read_directory_entry(Resource::new_borrow(stream.rep())).await;
        let Some(entry) = next.transpose() else { break };
        let name = entry.as_ref().map_or(0, |entry| entry.name.len());
        bytes += name + ENTRY_BYTES;
        entries.push_back(entry);
    }
    // Before the other is put there: the table has a place for one of the two.
    files.table.delete(stream)?;
    let share = match member {
        None => None,
        Some((family, label)) => match family.quota().share(Common::Memory, bytes) {
            Ok(share) => Some(share),
            Err(limit) => {
                telemetry::limit(label, limit);
                return Err(ErrorCode::InsufficientMemory.into());
            }
        },
    };
    let listing = Listing { entries, _share: share };
    let listing = files.table.push(listing)?;
    Ok(Resource::new_own(listing.rep()))
}

pub(super) fn next(
    table: &mut ResourceTable,
    stream: &Resource<DirectoryEntryStream>,
) -> FsResult<Option<DirectoryEntry>> {
    let listing = table.get_mut(&Resource::<Listing>::new_borrow(stream.rep()))?;
    listing.entries.pop_front().transpose()
}

pub(super) fn drop(table: &mut ResourceTable, stream: &Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
    table.delete(Resource::<Listing>::new_own(stream.rep()))?;
    Ok(())
}
