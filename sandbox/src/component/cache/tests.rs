//! What the cache does with entries that are damaged, foreign or too many, and on a disk that fails.

use std::borrow::Cow;
use std::fs;

use super::*;
use crate::files::fault::{Disk, ERRORS};

fn key() -> CacheKey {
    CacheKey::open(&tempfile::tempdir().unwrap().path().join("cache.key")).unwrap()
}

/// Each step fails in each way: code is there or it is not, and what is there is sound.
#[test]
fn a_disk_that_fails_costs_compiled_code_and_nothing_else() {
    let wasmtime = wasmtime::Engine::default();
    let bytes = wat::parse_str("(component)").unwrap();
    let artifact = wasmtime.precompile_component(&bytes).unwrap();
    let digest = Digest::of(&bytes);
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let work = |cache: &Cache| {
        drop(cache.claim(&digest));
        cache.store(&digest, &artifact);
        cache.load(&wasmtime, &digest).is_some()
    };
    let cache = Cache::open(folder.path().join("measured"), key(), u64::MAX, &wasmtime).unwrap();
    disk.heal();
    assert!(work(&cache));
    let steps = disk.steps();
    for error in ERRORS {
        for at in 0..steps {
            let directory = folder.path().join(format!("{error}-{at}"));
            let cache = Cache::open(directory.clone(), key(), u64::MAX, &wasmtime).unwrap();
            disk.fail(at, 1, error);
            work(&cache);
            assert_eq!(disk.failed(), 1);
            disk.fail(0, usize::MAX, error);
            assert!(!work(&cache), "nothing can be read");
            disk.heal();
            assert!(work(&cache), "error {error} at step {at}");
            let left = fs::read_dir(&directory).unwrap().count();
            assert!(left <= 2, "the entry, and a lock that could not be removed");
        }
    }
}

#[test]
fn a_sound_entry_that_cant_be_read_now_is_not_discarded() {
    let wasmtime = wasmtime::Engine::default();
    let bytes = wat::parse_str("(component)").unwrap();
    let digest = Digest::of(&bytes);
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().to_owned(), key(), u64::MAX, &wasmtime).unwrap();
    cache.store(&digest, &wasmtime.precompile_component(&bytes).unwrap());
    let disk = Disk::under(folder.path());
    for (error, at) in ERRORS.into_iter().flat_map(|error| [(error, 0), (error, 1)]) {
        disk.fail(at, 1, error);
        assert!(cache.load(&wasmtime, &digest).is_none());
        disk.heal();
        assert!(cache.load(&wasmtime, &digest).is_some());
    }
}

fn function(cache: &Cache, module: &str) -> Option<Vec<u8>> {
    use wasmtime::CacheStore as _;
    cache.functions(module).get(&[7; 32]).map(Cow::into_owned)
}

fn keep_function(cache: &Cache, module: &str) {
    use wasmtime::CacheStore as _;
    let functions = Functions::default();
    functions.insert(&[7; 32], b"code".to_vec());
    cache.store_functions(module, &functions);
}

#[test]
fn functions_that_are_not_what_a_node_wrote_are_compiled_again() {
    let wasmtime = wasmtime::Engine::default();
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().to_owned(), key(), u64::MAX, &wasmtime).unwrap();
    let path = cache.path(Kind::Pack, &pack_id("counter"));
    keep_function(&cache, "counter");
    let sound = fs::read(&path).unwrap();
    assert_eq!(function(&cache, "counter").as_deref(), Some(b"code".as_slice()));
    let spoilt = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        bytes
    };
    let header = sound.len() - b"code".len();
    // The magic number, whose it is, the engine, the code, a function's key and its bytes; and one that is cut off.
    for bytes in [0, 8, 40, 72, header - 36, header]
        .map(spoilt)
        .into_iter()
        .chain([sound[..header].to_vec()])
    {
        fs::write(&path, bytes).unwrap();
        assert_eq!(function(&cache, "counter"), None);
        assert!(!path.exists(), "discarded");
    }
}

#[test]
fn functions_of_another_module_another_key_or_another_kind_are_none_of_this_one() {
    let wasmtime = wasmtime::Engine::default();
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().to_owned(), key(), u64::MAX, &wasmtime).unwrap();
    keep_function(&cache, "counter");
    let path = |cache: &Cache, kind, module: &str| cache.path(kind, &pack_id(module));
    let pack = path(&cache, Kind::Pack, "counter");
    for foreign in [
        path(&cache, Kind::Pack, "greeter"),
        path(&cache, Kind::Component, "greeter"),
    ] {
        fs::copy(&pack, &foreign).unwrap();
    }
    assert_eq!(function(&cache, "greeter"), None);
    assert!(cache.load(&wasmtime, &pack_id("greeter")).is_none());
    let other = Cache::open(folder.path().to_owned(), key(), u64::MAX, &wasmtime).unwrap();
    fs::copy(&pack, path(&other, Kind::Pack, "counter")).unwrap();
    assert_eq!(function(&other, "counter"), None);
    assert!(function(&cache, "counter").is_some(), "this one's own is untouched");
}

#[test]
fn functions_count_towards_the_limit_of_the_cache() {
    let wasmtime = wasmtime::Engine::default();
    let folder = tempfile::tempdir().unwrap();
    let cache = |limit| Cache::open(folder.path().to_owned(), key(), limit, &wasmtime).unwrap();
    let bytes = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
    let roomy = cache(u64::MAX);
    keep_function(&roomy, "counter");
    let one = bytes(&roomy.path(Kind::Pack, &pack_id("counter"))).unwrap();
    // What another engine made goes first, and here each key makes another.
    let narrow = cache(one + 1);
    keep_function(&narrow, "counter");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let too_narrow = cache(one - 1);
    keep_function(&too_narrow, "counter");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
