//! Import interfaces that a program adds, where they have mistakes, fail, or are not granted to new code.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ractor::ActorCell;
use ractor_host::guest::wasmtime::component::Linker;
use ractor_host::guest::{
    Aftermath, Caller, Engine, Grants, GuestOptions, HostInterface, HostInterfaces, Import, Limits, Module, Modules,
    Offered, Profile, Step, StoreData, wasmtime,
};
use ractor_host::supervision::reload::{Outcome, Reload, ReloadError, ReloadReport, Verdict, reload};
use serde::Deserialize;
use serde_json::json;

use crate::reload_support::{Fail, Says, Version, get, version};
use crate::support::{Running, SCRIPT, component, engine_config, file, load, start_module};

mod bindings {
    ractor_host::guest::wasmtime::component::bindgen!({
        inline: "package acme:vault@0.1.0; interface door { ring: func(); } world w { import door; }",
        wasmtime_crate: ractor_host::guest::wasmtime,
        imports: { default: trappable },
    });
}

use bindings::acme::vault::door;

const PACKAGE: &str = "package acme:vault@0.1.0 { interface door { ring: func(); } }";
const IMPORT: &str = "(import \"acme:vault/door@0.1.0\" \"ring\" (func $ring))\n  (import";

/// The number of calls that were made without a state.
static RUNG: AtomicUsize = AtomicUsize::new(0);

/// An interface that fails as its sections say.
#[derive(Clone, Default)]
struct Vault {
    open: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Opens {
    AtOnce,
    Never,
    Panics,
}

#[derive(Deserialize)]
struct Section {
    opens: Opens,
}

/// Counted as long as it lives.
struct Inside(Arc<AtomicUsize>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl HostInterface for Vault {
    const KEY: &'static str = "vault";
    const IMPORTS: &'static [Import] = &[Import::new("acme:vault/door", "0.1")];
    type Config = Section;
    type State = Inside;

    fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        door::add_to_linker::<_, Offered<Self>>(linker, Offered::get)
    }

    async fn open(&self, config: &Section, _: &ActorCell) -> Result<Inside, String> {
        // As one that waits for a connection.
        tokio::task::yield_now().await;
        match config.opens {
            Opens::AtOnce => {
                self.open.fetch_add(1, Ordering::SeqCst);
                Ok(Inside(self.open.clone()))
            }
            Opens::Never => std::future::pending().await,
            Opens::Panics => panic!("as the test wants"),
        }
    }
}

impl door::Host for Caller<'_, Vault> {
    fn ring(&mut self) -> wasmtime::Result<()> {
        self.side_effect()?;
        RUNG.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.node_name()?, "test-node");
        Ok(())
    }
}

fn engine(vault: &Vault) -> Engine {
    let mut interfaces = HostInterfaces::default();
    interfaces.add(vault.clone());
    Engine::with_interfaces(engine_config(), interfaces).unwrap()
}

/// An actor whose section opens the vault like this; one without a section, if it says nothing.
fn options(opens: Option<&str>, modules: &Modules) -> GuestOptions {
    let mut interfaces = HostInterfaces::default();
    interfaces.add(Vault::default());
    let mut grants = Grants::of_actors();
    if let Some(opens) = opens {
        let section = json!({ "opens": opens });
        let config = interfaces.configure("vault", &section).unwrap().unwrap();
        grants.interfaces.insert("vault".to_owned(), config);
    }
    let limits = Limits {
        memory_bytes: 8 << 20,
        lifecycle_time: Duration::from_secs(2),
        ..Limits::default()
    };
    GuestOptions {
        profile: Arc::new(Profile {
            grants: Arc::new(grants),
            limits: Arc::new(limits),
            node_name: "test-node".into(),
            ..Profile::default()
        }),
        modules: modules.clone(),
        ..GuestOptions::default()
    }
}

/// A version of the counter that imports the vault, too.
fn with_vault(version: Version) -> Vec<u8> {
    let core = version.core().replacen("(import", IMPORT, 1);
    component(
        &core,
        PACKAGE,
        "import acme:vault/door@0.1.0; export ractor:actor/reload@0.1.0;",
    )
}

struct Node {
    vault: Vault,
    modules: Modules,
    first: Module,
}

impl Node {
    async fn with(bytes: &[u8]) -> Self {
        let vault = Vault::default();
        let first = load(&engine(&vault), bytes).await.unwrap();
        let modules = Modules::default();
        modules.insert(first.clone());
        Self { vault, modules, first }
    }

    async fn start(&self, opens: Option<&str>) -> Running {
        start_module(&self.first, options(opens, &self.modules)).await.unwrap()
    }

    async fn reload(&self, bytes: &[u8]) -> Result<ReloadReport, ReloadError> {
        let file = file(bytes);
        let mut plan = Reload::of("test-module");
        plan.file = Some(file.path.clone());
        plan.probation_time = Duration::from_millis(100);
        reload(&self.modules, plan).await
    }

    /// Waits until this many instances have the vault open.
    async fn is_open_for(&self, expected: usize) {
        let open = || self.vault.open.load(Ordering::SeqCst);
        let wait = async {
            while open() != expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
        assert!(waited.is_ok(), "open for {}, expected {expected}", open());
    }
}

async fn count(guest: &Running) -> (u64, u64) {
    let Says { count, version, .. } = get(&guest.cell).await.unwrap();
    (count, version)
}

#[tokio::test]
async fn what_an_instance_has_open_closes_with_it() {
    let node = Node::with(&with_vault(version(1))).await;
    let guest = node.start(Some("atonce")).await;
    node.is_open_for(1).await;
    guest.restart("to see what stays");
    assert_eq!(count(&guest).await, (0, 1));
    node.is_open_for(1).await;
    guest.cell.stop(None);
    node.is_open_for(0).await;
}

#[tokio::test]
async fn an_interface_that_panics_or_never_opens_keeps_the_actor_from_starting() {
    let node = Node::with(&with_vault(version(1))).await;
    for (opens, expected) in [
        ("panics", "the interface `vault` can't be used: it panicked"),
        ("never", "lifecycle_time"),
    ] {
        let started = start_module(&node.first, options(Some(opens), &node.modules)).await;
        let said = started.err().unwrap().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn new_code_whose_interface_fails_to_open_leaves_the_old_code_as_it_was() {
    for opens in ["panics", "never"] {
        let node = Node::with(&version(1).bytes()).await;
        let guest = node.start(Some(opens)).await;
        guest.cast("add", &[5]);
        let report = node.reload(&with_vault(version(2))).await.unwrap();
        assert_eq!(report.verdict, Verdict::RolledBack, "{report:?}");
        let expected = (Step::Instantiate, Aftermath::Unharmed);
        match &report.actors[0].outcome {
            Outcome::Failed { step, aftermath, .. } => assert_eq!((*step, *aftermath), expected),
            other => panic!("{other:?}"),
        }
        assert_eq!(count(&guest).await, (5, 1), "{opens}");
    }
}

#[tokio::test]
async fn new_code_that_imports_what_an_actor_has_no_section_for_is_refused_before_any_actor_is_touched() {
    let node = Node::with(&version(1).bytes()).await;
    let (granted, other) = (node.start(Some("atonce")).await, node.start(None).await);
    granted.cast("add", &[5]);
    let refused = node.reload(&with_vault(version(2))).await.unwrap_err().to_string();
    assert!(
        refused.contains("it imports `acme:vault/door@0.1.0`; add a section [actors.interfaces.vault]"),
        "{refused}"
    );
    assert_eq!((count(&granted).await, count(&other).await), ((5, 1), (0, 1)));
    node.is_open_for(0).await;
}

#[tokio::test]
async fn a_section_lets_new_code_import_the_interface_and_code_after_it_do_without() {
    let node = Node::with(&version(1).bytes()).await;
    let guest = node.start(Some("atonce")).await;
    guest.cast("add", &[5]);
    let report = node.reload(&with_vault(version(2))).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded, "{report:?}");
    assert_eq!(count(&guest).await, (5, 2));
    node.is_open_for(1).await;
    let report = node.reload(&version(3).bytes()).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reloaded, "{report:?}");
    assert_eq!(count(&guest).await, (5, 3));
    node.is_open_for(0).await;
}

#[tokio::test]
async fn code_on_trial_that_fails_closes_what_it_had_open() {
    let node = Node::with(&version(1).bytes()).await;
    let guest = node.start(Some("atonce")).await;
    let file = file(&with_vault(version(2).failing(Fail::Message)));
    let mut plan = Reload::of("test-module");
    plan.file = Some(file.path.clone());
    plan.probation_time = Duration::from_secs(60);
    let reloading = tokio::spawn({
        let modules = node.modules.clone();
        async move { reload(&modules, plan).await }
    });
    node.is_open_for(1).await;
    guest.cast("add", &[5]);
    let report = reloading.await.unwrap().unwrap();
    assert_eq!(report.verdict, Verdict::RolledBack, "{report:?}");
    assert_eq!(count(&guest).await, (5, 1));
    node.is_open_for(0).await;
}

#[tokio::test]
async fn a_component_that_describes_itself_does_nothing_that_others_notice() {
    let describe = "(i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 6))";
    let core = SCRIPT.replacen("(import", IMPORT, 1);
    assert!(core.contains(describe));
    let core = core.replace(describe, "(call $ring)");
    let bytes = component(&core, PACKAGE, "import acme:vault/door@0.1.0;");
    let module = load(&engine(&Vault::default()), &bytes).await.unwrap();
    let rung = RUNG.load(Ordering::SeqCst);
    let error = module.describe().await.unwrap_err().to_string();
    assert!(error.contains("there is no actor yet"), "{error}");
    assert_eq!(RUNG.load(Ordering::SeqCst), rung);
}

/// An interface with nothing but a key and an import, by its place in the table.
struct Plain<const AT: usize>;

const PLAIN: [(&str, Import, &str); 9] = [
    ("one", Import::new("acme:one/one", "0.1"), ""),
    (
        "a.b",
        Import::new("acme:two/two", "0.1"),
        "its key must have letters, digits",
    ),
    (
        "",
        Import::new("acme:two/two", "0.1"),
        "its key must have letters, digits",
    ),
    (
        "two",
        Import::new("acme:one/", "0.1"),
        "`acme:one/@0.1` is offered already, as `acme:one/one@0.1`",
    ),
    (
        "two",
        Import::new("wasi:http/types", "0.2"),
        "is offered already, as `wasi:http/",
    ),
    (
        "two",
        Import::new("wasi:cli/", "0.2"),
        "is offered already, as `wasi:cli/",
    ),
    ("two", Import::new("ractor:actor/two", "0.1"), "which is the node's own"),
    (
        "two",
        Import::new("acme:two/two@0.1.0", "0.1"),
        "is no name of an import",
    ),
    ("two", Import::new("wasi:keyvalue/store", "0.2.0-draft2"), ""),
];

impl<const AT: usize> HostInterface for Plain<AT> {
    const KEY: &'static str = PLAIN[AT].0;
    const IMPORTS: &'static [Import] = &[PLAIN[AT].1];
    type Config = ();
    type State = ();

    fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        if Self::KEY == "two" {
            let mut store = linker.instance("wasi:keyvalue/store@0.2.0-draft2")?;
            store.func_wrap("open", |_, (): ()| Ok(()))?;
        }
        Ok(())
    }

    async fn open(&self, (): &(), _: &ActorCell) -> Result<(), String> {
        Ok(())
    }
}

fn check_added<const AT: usize>() {
    let mut interfaces = HostInterfaces::default();
    interfaces.add(Plain::<0>);
    interfaces.add(Plain::<AT>);
    let refused = Engine::with_interfaces(engine_config(), interfaces).err();
    let (said, expected) = (refused.map(|error| error.to_string()), PLAIN[AT].2);
    match said {
        Some(said) => assert!(!expected.is_empty() && said.contains(expected), "{said}"),
        None => assert_eq!(expected, "", "{AT}"),
    }
}

#[test]
fn an_interface_is_refused_that_has_the_imports_of_others_or_a_key_that_names_no_section() {
    check_added::<0>();
    check_added::<1>();
    check_added::<2>();
    check_added::<3>();
    check_added::<4>();
    check_added::<5>();
    check_added::<6>();
    check_added::<7>();
    check_added::<8>();
}

#[tokio::test]
async fn a_program_can_offer_an_interface_of_wasi_that_the_node_does_not_have() {
    let mut interfaces = HostInterfaces::default();
    interfaces.add(Plain::<8>);
    let engine = Engine::with_interfaces(engine_config(), interfaces).unwrap();
    let import = "(import \"wasi:keyvalue/store@0.2.0-draft2\" \"open\" (func $open))\n  (import";
    let package = "package wasi:keyvalue@0.2.0-draft2 { interface store { open: func(); } }";
    let core = SCRIPT.replacen("(import", import, 1);
    let bytes = component(&core, package, "import wasi:keyvalue/store@0.2.0-draft2;");
    let module = load(&engine, &bytes).await.unwrap();
    let refused = module.admitted_by(&Grants::default()).unwrap_err().to_string();
    assert!(refused.contains("[actors.interfaces.two]"), "{refused}");
}
