//! Components that run a source: what they are depends on both files, and compiled code on one.

use std::path::{Path, PathBuf};

use ractor_host::guest::{Digest, Engine, EngineConfig, Fault, LoadError, LoadFault, Module, ModuleSource, SourceFile};
use ractor_host::supervision::reload::{Reload, Verdict, reload, rollback};

use crate::reload_support::{Node, get, version};
use crate::support::{ENGINE, component, engine_config, start_module};

/// A counter whose version is what its source says or, without one, `1.0.0`. It refuses a source that begins with `!`, and gives that as
/// the reason.
fn interpreter() -> Vec<u8> {
    let core = version(1).core();
    let own = "(i32.store (i32.const 24) (i32.const 272)) (i32.store (i32.const 28) (i32.const 5))";
    assert!(core.contains(own));
    let of_source = "(call $load (i32.const 3072))
        (if (i32.load8_u (i32.const 3072))
          (then
            (if (i32.eq (i32.load8_u (i32.load (i32.const 3084))) (i32.const 33))
              (then (call $refuse (i32.load (i32.const 3084)) (i32.load (i32.const 3088)))))
            (i32.store (i32.const 24) (i32.load (i32.const 3084)))
            (i32.store (i32.const 28) (i32.load (i32.const 3088)))))";
    let core = core.replace(own, &format!("{own}{of_source}")).replacen(
        "(import",
        "(import \"ractor:actor/source@0.1.0\" \"load\" (func $load (param i32)))
         (import \"ractor:actor/source@0.1.0\" \"refuse\" (func $refuse (param i32 i32)))\n(import",
        1,
    );
    component(
        &core,
        "",
        "import ractor:actor/source@0.1.0; export ractor:actor/reload@0.1.0;",
    )
}

/// The files of a module.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("interpreter.wasm"), interpreter()).unwrap();
        Self { folder }
    }

    fn source(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn module(&self, source: Option<&Path>) -> ModuleSource {
        ModuleSource {
            name: "test-module".to_owned(),
            path: self.folder.path().join("interpreter.wasm"),
            source: source.map(SourceFile::new),
            digest: None,
        }
    }

    async fn load(&self, source: &Path) -> Result<Module, LoadError> {
        ENGINE.load(&self.module(Some(source))).await
    }
}

async fn says(module: &Module) -> String {
    module.describe().await.unwrap().version
}

#[tokio::test]
async fn a_component_is_what_its_source_says_and_is_compiled_once_for_all_sources() {
    let files = Files::new();
    let (one, other) = (files.source("one.py", "one"), files.source("other.py", "älter ☃"));
    let (one, other) = (files.load(&one).await.unwrap(), files.load(&other).await.unwrap());
    assert_eq!(
        (says(&one).await, says(&other).await),
        ("one".to_owned(), "älter ☃".to_owned())
    );
    assert!(one.shares_code_with(&other));
    assert_ne!(one.digest(), other.digest());
    assert_eq!(
        one.contract().await.unwrap().version,
        "one",
        "the answer is kept for each version"
    );
    assert_eq!(other.contract().await.unwrap().version, "älter ☃");
    let without = ENGINE.load(&files.module(None)).await.unwrap();
    assert_eq!(says(&without).await, "1.0.0");
    assert_eq!(without.digest(), Digest::of(&interpreter()));
    // The name is for tracebacks, and makes no other version.
    let renamed = files.load(&files.source("renamed.py", "one")).await.unwrap();
    assert_eq!(renamed.digest(), one.digest());
}

#[tokio::test]
async fn another_source_is_another_version_to_reload_to_and_to_go_back_from() {
    let files = Files::new();
    let (old, new) = (files.source("old.py", "old"), files.source("new.py", "new"));
    let node = Node::with(version(1)).await;
    let first = files.load(&old).await.unwrap();
    node.modules.insert(first.clone());
    let guest = start_module(&first, node.options.clone()).await.unwrap();
    guest.cast("add", &[7]);
    let plan = || Reload::of("test-module");
    let unchanged = reload(&node.modules, plan()).await.unwrap();
    assert_eq!(unchanged.actors.len(), 0);
    let with_new = Reload {
        source: Some(new),
        ..plan()
    };
    let report = reload(&node.modules, with_new).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded);
    assert_eq!(report.changes, ["version `old` → `new`"]);
    let now = guest.live().module();
    assert_eq!(says(&now).await, "new");
    assert!(now.shares_code_with(&first));
    assert_eq!(get(&guest.cell).await.unwrap().count, 7);
    rollback(&node.modules, plan()).await.unwrap();
    assert_eq!(says(&guest.live().module()).await, "old");
    assert_eq!(get(&guest.cell).await.unwrap().count, 7);
}

#[tokio::test]
async fn a_source_that_its_component_refuses_is_told_in_its_words() {
    let files = Files::new();
    let refused = files.load(&files.source("wrong.py", "! line 3: älter")).await.unwrap();
    let error = refused.describe().await.unwrap_err();
    assert!(
        matches!(&error.fault, Fault::Returned(reason) if reason == "! line 3: älter"),
        "{error}"
    );
}

#[tokio::test]
async fn a_pin_is_on_both_files_together() {
    let files = Files::new();
    let source = files.source("one.py", "one");
    let pinned = |digest| ModuleSource {
        digest: Some(digest),
        ..files.module(Some(&source))
    };
    let alone = Digest::of(&interpreter());
    let both = alone.with_source(Digest::of(b"one"));
    assert_eq!(ENGINE.load(&pinned(both)).await.unwrap().digest(), both);
    let refused = ENGINE.load(&pinned(alone)).await.unwrap_err();
    assert!(matches!(refused.fault, LoadFault::DigestMismatch { found, .. } if found == both));
    std::fs::write(&source, "two").unwrap();
    assert!(ENGINE.load(&pinned(both)).await.is_err());
}

#[tokio::test]
async fn a_source_that_cant_be_used_is_refused_with_what_to_do() {
    let files = Files::new();
    let engine = Engine::new(EngineConfig {
        source_bytes: 16,
        ..engine_config()
    })
    .unwrap();
    let refused = async |path: PathBuf| engine.load(&files.module(Some(&path))).await.unwrap_err().to_string();
    let large = refused(files.source("large.py", [b'#'; 17])).await;
    assert!(
        large.contains("large.py") && large.contains("`source_bytes` under [runtime]"),
        "{large}"
    );
    let binary = refused(files.source("binary.py", b"print(\xff)")).await;
    assert!(binary.contains("not UTF-8 text: the byte at 6"), "{binary}");
    let missing = refused(files.folder.path().join("missing.py")).await;
    assert!(
        missing.contains("missing.py can't be used: it can't be read"),
        "{missing}"
    );
    assert!(
        engine
            .load(&files.module(Some(&files.source("fits.py", [b'#'; 16]))))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_component_that_runs_no_source_is_not_given_one() {
    let files = Files::new();
    std::fs::write(files.folder.path().join("interpreter.wasm"), version(1).bytes()).unwrap();
    let refused = files
        .load(&files.source("one.py", "one"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("`ractor:actor/source`") && refused.contains("leave out `source`"),
        "{refused}"
    );
}
