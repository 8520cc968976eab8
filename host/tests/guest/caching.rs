//! Compiled code on disk: used when it is sound, replaced when it is not.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ractor_host::guest::{Engine, EngineConfig, EngineError, Origin};

use tempfile::TempDir;

use crate::support::{SCRIPT, component, engine_config, load, options, start_module};

/// The folder of the key that all engines of these tests have.
static KEY: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn engine(cache: &Path) -> Result<Engine, EngineError> {
    Engine::new(EngineConfig {
        cache_dir: Some(cache.to_owned()),
        cache_key: Some(KEY.path().join("cache.key")),
        ..engine_config()
    })
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

async fn works(cache: &Path) {
    let bytes = component(SCRIPT, "", "");
    let module = load(&engine(cache).unwrap(), &bytes).await.unwrap();
    let guest = start_module(&module, options()).await.unwrap();
    assert_eq!(guest.call("echo", b"cached").await, Some(b"cached".to_vec()));
}

#[tokio::test]
async fn an_entry_is_made_once_and_used_by_the_next_engine() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("deep/er");
    works(&cache).await;
    let [entry] = &entries(&cache)[..] else {
        panic!("one entry expected");
    };
    // Its time says when it was used last, and a new entry would be another file.
    let made = fs::metadata(entry).unwrap().ino();
    works(&cache).await;
    assert_eq!(entries(&cache), std::slice::from_ref(entry));
    assert_eq!(fs::metadata(entry).unwrap().ino(), made);
}

#[tokio::test]
async fn an_unsound_entry_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    works(&cache).await;
    let entry = entries(&cache).remove(0);
    let sound = fs::read(&entry).unwrap();
    let middle = sound.len() / 2;
    let mut flipped = sound.clone();
    flipped[middle] ^= 1;
    let mut foreign_engine = sound.clone();
    foreign_engine[8 + 32] ^= 1;
    let mut foreign_component = sound.clone();
    foreign_component[8] ^= 1;
    let unsound = [
        ("truncated", sound[..middle].to_vec()),
        ("empty", Vec::new()),
        (
            "a stray file",
            b"something else entirely, and long enough to hold a header of a hundred bytes and a few more, so".to_vec(),
        ),
        ("flipped", flipped),
        ("of another engine", foreign_engine),
        ("of another component", foreign_component),
    ];
    for (what, bytes) in unsound {
        fs::write(&entry, &bytes).unwrap();
        works(&cache).await;
        let now = fs::read(&entry).unwrap();
        assert_eq!(now.len(), sound.len(), "{what}");
        assert_ne!(now, bytes, "{what}");
    }
}

/// Whoever can write to the cache knows how entries are made, but not the key.
#[tokio::test]
async fn who_can_write_to_the_cache_is_not_who_can_run_code() {
    let (attackers, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let with_key = |key: PathBuf, cache: &Path| EngineConfig {
        cache_key: Some(key),
        cache_dir: Some(cache.to_owned()),
        ..engine_config()
    };
    let bytes = component(SCRIPT, "", "");
    works(ours.path()).await;
    let ours = entries(ours.path()).remove(0);
    // An entry in good order, of an engine that is the same but for its key.
    let engine = Engine::new(with_key(
        attackers.path().join("cache.key"),
        &attackers.path().join("cache"),
    ))
    .unwrap();
    load(&engine, &bytes).await.unwrap();
    let theirs = entries(&attackers.path().join("cache")).remove(0);
    assert_ne!(
        ours.file_name(),
        theirs.file_name(),
        "nobody's entry is replaced by another key's"
    );
    let (mut forged, sound) = (fs::read(&theirs).unwrap(), fs::read(&ours).unwrap());
    forged[8 + 32..][..32].copy_from_slice(&sound[8 + 32..][..32]);
    assert_eq!(forged.len(), sound.len());
    fs::write(&ours, &forged).unwrap();
    works(ours.parent().unwrap()).await;
    let now = fs::read(&ours).unwrap();
    assert!(now != forged && now.len() == sound.len(), "compiled anew and replaced");
}

#[tokio::test]
async fn without_a_key_nothing_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let config = EngineConfig {
        cache_dir: Some(directory.path().to_owned()),
        ..engine_config()
    };
    let error = Engine::new(config).err().unwrap();
    assert!(matches!(error, EngineError::NoCacheKey), "{error}");
}

#[tokio::test]
async fn an_engine_with_other_settings_has_entries_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    works(directory.path()).await;
    let other = Engine::new(EngineConfig {
        cache_dir: Some(directory.path().to_owned()),
        cache_key: Some(KEY.path().join("cache.key")),
        memory_reservation: 32 << 20,
        ..engine_config()
    })
    .unwrap();
    load(&other, &component(SCRIPT, "", "")).await.unwrap();
    assert_eq!(entries(directory.path()).len(), 2);
}

#[tokio::test]
async fn concurrent_loads_share_one_compilation() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path()).unwrap();
    let bytes = component(SCRIPT, "", "");
    let loads = (0..8).map(|_| {
        let (engine, bytes) = (engine.clone(), bytes.clone());
        tokio::spawn(async move { load(&engine, &bytes).await })
    });
    let mut modules = Vec::new();
    for load in loads.collect::<Vec<_>>() {
        modules.push(load.await.unwrap().unwrap());
    }
    assert!(modules.windows(2).all(|pair| pair[0].shares_code_with(&pair[1])));
}

/// What nodes of one machine are to each other: engines that share nothing but the folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn engines_that_share_a_cache_compile_once() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = component(SCRIPT, "", "");
    let engines: Vec<_> = (0..4).map(|_| engine(directory.path()).unwrap()).collect();
    let loads = engines.into_iter().map(|engine| {
        let bytes = bytes.clone();
        tokio::spawn(async move { load(&engine, &bytes).await.unwrap().origin() })
    });
    let mut compiled = 0;
    for load in loads.collect::<Vec<_>>() {
        compiled += usize::from(load.await.unwrap() == Origin::Compiled);
    }
    assert_eq!(compiled, 1);
    assert_eq!(entries(directory.path()).len(), 1, "no lock is left behind");
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = engine(directory.path()).err().unwrap().to_string();
    assert!(
        error.contains("can be written by every user of this machine (mode 0777); compiled code"),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_written_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    works(&cache).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    assert_eq!(mode(&entries(&cache)[0]), 0o600);
}

#[tokio::test]
async fn a_directory_that_can_not_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = engine(&file.path().join("cache")).err().unwrap().to_string();
    assert!(
        error.contains("the cache directory") && error.contains("can't be used"),
        "{error}"
    );
}
