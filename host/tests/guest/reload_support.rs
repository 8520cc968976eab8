//! Versions of one counter, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use ractor::ActorCell;
use ractor_host::guest::{Grants, GuestOptions, Limits, Module, Modules, Profile};
use ractor_host::supervision::reload::{Reload, ReloadError, ReloadReport, reload};

use crate::support::{ENGINE, Running, ask, component, file, importing_http, options, source, start_module};

const RELOADABLE: &str = include_str!("fixtures/reloadable.wat");

/// At what a version fails. The numbers are those of the fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fail {
    Nowhere = 0,
    Instantiation = 1,
    PreStart = 2,
    SnapshotError = 3,
    SnapshotTrap = 4,
    RestoreError = 5,
    RestoreTrap = 6,
    RestoreActs = 7,
    PostReloadError = 8,
    PostReloadTrap = 9,
    Message = 10,
    MessageAfterActing = 11,
    SecondMessage = 12,
    RestoreGrows = 13,
    /// It doesn't fail, but what it says is never the same twice.
    SnapshotChanges = 14,
    /// It doesn't fail, but its start takes long.
    SlowStart = 15,
}

/// One version of the counter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) state_version: u32,
    pub(crate) fail: Fail,
    /// With the interface `reload`.
    pub(crate) reloadable: bool,
    /// With an import of `wasi:http`.
    pub(crate) http: bool,
    /// How much of `Counter` it is called.
    pub(crate) name_length: usize,
}

pub(crate) fn version(number: u64) -> Version {
    Version {
        number,
        state_version: 1,
        fail: Fail::Nowhere,
        reloadable: true,
        http: false,
        name_length: 7,
    }
}

impl Version {
    pub(crate) fn failing(self, fail: Fail) -> Self {
        Self { fail, ..self }
    }

    pub(crate) fn with_state(self, state_version: u32) -> Self {
        Self { state_version, ..self }
    }

    pub(crate) fn plain(self) -> Self {
        Self {
            reloadable: false,
            ..self
        }
    }

    pub(crate) fn with_http(self) -> Self {
        Self { http: true, ..self }
    }

    /// The core module that it is made of.
    pub(crate) fn core(&self) -> String {
        RELOADABLE
            .replace("{VERSION}", &self.number.to_string())
            .replace("{STATE_VERSION}", &self.state_version.to_string())
            .replace("{NAME_LENGTH}", &self.name_length.to_string())
            .replace("{FAIL}", &(self.fail as u32).to_string())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let core = self.core();
        if self.http {
            importing_http(&core, "export ractor:actor/reload@0.1.0;")
        } else if self.reloadable {
            component(&core, "", "export ractor:actor/reload@0.1.0;")
        } else {
            let core: String = core.replace("ractor:actor/reload@0.1.0#", "unused-");
            component(&core, "", "")
        }
    }

    /// Loaded from a file that is gone afterwards.
    pub(crate) async fn load(&self) -> Module {
        let file = file(&self.bytes());
        ENGINE.load(&source(&file.path)).await.unwrap()
    }
}

/// A node's modules with one of them, and what its actors are given.
pub(crate) struct Node {
    pub(crate) modules: Modules,
    pub(crate) options: GuestOptions,
    pub(crate) first: Module,
}

impl Node {
    pub(crate) async fn with(version: Version) -> Self {
        Self::with_profile(version, |_| ()).await
    }

    pub(crate) async fn with_profile(version: Version, change: impl FnOnce(&mut Profile)) -> Self {
        let modules = Modules::default();
        let first = version.load().await;
        modules.insert(first.clone());
        let mut profile = Profile {
            // Within what the engine of these tests reserves for a memory.
            limits: Arc::new(Limits {
                memory_bytes: 8 << 20,
                ..Limits::default()
            }),
            grants: Arc::new(Grants::of_actors()),
            ..Profile::default()
        };
        change(&mut profile);
        let options = GuestOptions {
            profile: Arc::new(profile),
            modules: modules.clone(),
            ..options()
        };
        Self {
            modules,
            options,
            first,
        }
    }

    pub(crate) async fn start(&self) -> Running {
        start_module(&self.first, self.options.clone()).await.unwrap()
    }

    /// Reloads from a file of this version.
    pub(crate) async fn reload(
        &self,
        version: Version,
        change: impl FnOnce(&mut Reload),
    ) -> Result<ReloadReport, ReloadError> {
        self.reload_bytes(&version.bytes(), change).await
    }

    pub(crate) async fn reload_bytes(
        &self,
        bytes: &[u8],
        change: impl FnOnce(&mut Reload),
    ) -> Result<ReloadReport, ReloadError> {
        let file = file(bytes);
        let mut plan = Reload::of("test-module");
        plan.file = Some(file.path.clone());
        plan.probation_time = Duration::from_millis(100);
        change(&mut plan);
        reload(&self.modules, plan).await
    }
}

/// What a counter says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Says {
    pub(crate) count: u64,
    pub(crate) version: u64,
    /// The version of the state that it was restored from.
    pub(crate) from: Option<u64>,
    /// The number of times that it heard of other actors.
    pub(crate) heard: u64,
}

pub(crate) async fn get(cell: &ActorCell) -> Option<Says> {
    let reply = tokio::time::timeout(Duration::from_secs(30), ask(cell, "get", b"", None));
    let reply = reply.await.expect("no reply").ok()?;
    let word = |at: usize| u64::from_le_bytes(reply[at * 8..][..8].try_into().unwrap());
    Some(Says {
        count: word(0),
        version: word(1),
        from: Some(word(2)).filter(|from| *from != u64::MAX),
        heard: word(3),
    })
}
