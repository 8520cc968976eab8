//! Guests that have a state of a given size and nothing to do, and how long they pause while they are reloaded.
//!
//! They are written by hand, so that what is measured is the host: the state is copied out of one memory and into another.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use ractor::{Actor, ActorCell};
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, GuestOptions, Limits, ModuleSource, Modules, Profile, spawn,
};
use ractor_host::supervision::reload::{Reload, Verdict, reload};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::Supervisor;

const BALLAST: &str = include_str!("ballast.wat");
/// The module's name.
const MODULE: &str = "ballast";
/// As much as a guest's memory may have: the largest state twice, and some.
const MEMORY: usize = 256 << 20;

/// Guests of one module.
pub struct Ballast {
    /// The versions, in turn the current one.
    files: [PathBuf; 2],
    modules: Modules,
    guests: Vec<ActorCell>,
    reloads: usize,
    // The files live as long.
    _folder: TempDir,
}

impl std::fmt::Debug for Ballast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ballast")
            .field("guests", &self.guests.len())
            .field("reloads", &self.reloads)
            .finish_non_exhaustive()
    }
}

impl Ballast {
    /// Starts this many guests with a state of this many bytes each.
    ///
    /// # Errors
    /// The component can't be made or loaded, or a guest doesn't start.
    pub async fn start(guests: u32, bytes: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let files = [1, 2].map(|version| folder.path().join(format!("{version}.wasm")));
        for (version, file) in (1_u8..).zip(&files) {
            std::fs::write(file, component(version)?)?;
        }
        let engine = Engine::new(EngineConfig {
            // Two for each while it is reloaded.
            allocation: Allocation::Pool { guests: 2 * guests + 2 },
            memory_reservation: MEMORY as u64,
            ..EngineConfig::default()
        })?;
        let [first, _] = &files;
        let source = ModuleSource {
            name: MODULE.to_owned(),
            path: first.clone(),
            digest: None,
            source: None,
        };
        let modules = Modules::default();
        let module = engine.load(&source).await?;
        modules.insert(module.clone());
        let profile = Arc::new(Profile {
            limits: Arc::new(Limits {
                memory_bytes: MEMORY,
                ..Limits::default()
            }),
            ..Profile::default()
        });
        let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await?;
        let mut cells = Vec::new();
        for _ in 0..guests {
            let options = GuestOptions {
                arguments: bytes.to_le_bytes().to_vec(),
                profile: profile.clone(),
                modules: modules.clone(),
                ..GuestOptions::default()
            };
            cells.push(spawn(&module, options, supervisor.get_cell()).await?.cell);
        }
        Ok(Self {
            files,
            modules,
            guests: cells,
            reloads: 0,
            _folder: folder,
        })
    }

    /// Reloads all with the other version, this many at the same time, or as many as is usual: how long each paused.
    ///
    /// # Errors
    /// The reload failed.
    pub async fn reload(&mut self, concurrency: Option<usize>) -> anyhow::Result<Vec<Duration>> {
        self.reloads += 1;
        let mut plan = Reload::of(MODULE);
        plan.file = self.files.get(self.reloads % 2).cloned();
        plan.concurrency = concurrency.unwrap_or(plan.concurrency);
        // There is no traffic, so there is nothing to wait for.
        plan.probation_messages = 0;
        plan.probation_time = Duration::ZERO;
        let report = reload(&self.modules, plan).await?;
        ensure!(report.verdict == Verdict::Reloaded, "the reload failed: {report:?}");
        let pauses = report.actors.iter().filter_map(|actor| actor.pause_us);
        let pauses: Vec<Duration> = pauses.map(Duration::from_micros).collect();
        ensure!(pauses.len() == self.guests.len(), "not all were reloaded: {report:?}");
        Ok(pauses)
    }

    /// Stops them.
    ///
    /// # Errors
    /// One of them doesn't stop.
    pub async fn stop(self) -> anyhow::Result<()> {
        for guest in &self.guests {
            guest.stop(None);
        }
        for guest in self.guests {
            guest.wait(None).await?;
        }
        Ok(())
    }
}

/// The value that `percent` of 100 are not above.
pub fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort_unstable();
    let at = values.len().saturating_sub(1) * percent / 100;
    values.get(at).copied().unwrap_or_default()
}

/// The component of a version, a number of one digit.
///
/// # Errors
/// The world isn't where the workspace has it, or its text and the guest's don't fit.
pub fn component(version: u8) -> anyhow::Result<Vec<u8>> {
    let core = BALLAST.replace("{VERSION}", &version.to_string());
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))?;
    let world = "package bench:ballast;\nworld w { include ractor:actor/reloadable-actor@0.1.0; }";
    let package = resolve.push_str("ballast.wit", world)?;
    let world = resolve.select_world(&[package], Some("w"))?;
    let mut module = wat::parse_str(core).context("the guest's text")?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.encode()
}
