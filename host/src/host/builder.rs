//! What a program says about its host before it starts.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ractor::{Actor, BytesConvertable};

use super::error::HostError;
use super::native::{Native, Natives};
use super::preflight::preflight;
use super::reloader::ReloadListener;
use super::running::{RunningHost, Stopped};
use super::signals::Signals;
use super::start;
use super::state_dir;
use crate::config::{ConfigError, ConfigOptions, NodeConfig};
use crate::entities::{self, Entity, NativeEntity};
use crate::guest::Modules;
use crate::guest::{HostInterface, HostInterfaces};
use crate::supervision::reload::ReloadReport;

/// Where embedding starts: [`Host::builder`].
#[derive(Debug)]
pub struct Host;

/// A host that has not started: the native actors that its `node.toml` may name, and the interfaces that it adds for guests.
#[derive(Default)]
pub struct HostBuilder {
    natives: Natives,
    interfaces: HostInterfaces,
    reloaded: Option<ReloadListener>,
}

impl Host {
    /// A host without native actors.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }
}

impl HostBuilder {
    /// Makes a native actor known as `native = "name"` in node.toml. `make` is called once for each actor that is
    /// started. The bytes of `arguments` in node.toml are decoded to the actor's `Arguments`. A second actor of the
    /// same name replaces the first.
    #[must_use]
    pub fn native<A, F>(mut self, name: impl Into<String>, make: F) -> Self
    where
        A: Actor<Arguments: BytesConvertable>,
        F: Fn() -> A + Send + Sync + 'static,
    {
        self.natives.actors.insert(name.into(), Native::new(make));
        self
    }

    /// Makes a type of native entities known as `native = "name"` under `[entities.TYPE]` in node.toml: actors that exist once for each
    /// key. `make` is called for each activation, and says what the entity starts with if it has no state. A second type of the same name
    /// replaces the first.
    #[must_use]
    pub fn entity<A, F>(mut self, name: impl Into<String>, make: F) -> Self
    where
        A: NativeEntity,
        F: Fn(&Entity) -> (A, A::Arguments) + Send + Sync + 'static,
    {
        let name = name.into();
        let code = entities::Native::new(name.clone(), make);
        self.natives.entities.insert(name, Arc::new(code));
        self
    }

    /// Adds an import interface for guests: those whose actor has a section `[actors.interfaces.KEY]` in node.toml may import it.
    /// A second interface with the same key replaces the first.
    #[must_use]
    pub fn interface(mut self, interface: impl HostInterface) -> Self {
        self.interfaces.add(interface);
        self
    }

    /// Those that were added.
    pub(crate) fn interfaces(&self) -> &HostInterfaces {
        &self.interfaces
    }

    /// Calls `listener` with the module's name whenever a watched file had its module reloaded, or was to: with the report,
    /// or with why it was not begun.
    #[must_use]
    pub fn on_reload(mut self, listener: impl Fn(&str, &Result<ReloadReport, String>) + Send + Sync + 'static) -> Self {
        self.reloaded = Some(Arc::new(listener));
        self
    }

    /// Reads and checks a node.toml for this host.
    ///
    /// # Errors
    /// The file can't be read or has mistakes.
    pub fn config(&self, file: impl AsRef<Path>) -> Result<NodeConfig, ConfigError> {
        self.config_with(file, &ConfigOptions::default())
    }

    /// As [`config`](Self::config), with values that take the place of those in the file.
    ///
    /// # Errors
    /// As for [`config`](Self::config).
    pub fn config_with(&self, file: impl AsRef<Path>, options: &ConfigOptions) -> Result<NodeConfig, ConfigError> {
        let (natives, entities) = self.natives.names();
        NodeConfig::load_for(file.as_ref(), (&natives, &entities), &self.interfaces, options)
    }

    /// Loads the modules of a configuration and checks that everything in it could start, without starting anything.
    pub(crate) async fn check(&self, config: &NodeConfig) -> Result<Modules, HostError> {
        state_dir::check_folder(config)?;
        check_interfaces(config, &self.interfaces)?;
        let sources = state_dir::sources(config)?;
        preflight(config, &self.natives, &sources).await
    }

    /// Starts everything that the configuration asks for. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// Something could not be started; what had been is stopped again.
    pub async fn start(self, config: NodeConfig) -> Result<RunningHost, HostError> {
        check_interfaces(&config, &self.interfaces)?;
        start::start(config, Arc::new(self.natives), self.reloaded).await
    }

    /// Starts, and runs until the process gets a signal to stop (a [`StopSignal`](super::StopSignal)); then stops in an orderly
    /// way, unless a second signal comes.
    ///
    /// # Errors
    /// Something could not be started, the node ended by itself, or an actor was given up that it can't do without. In the last
    /// case everything was stopped in order.
    pub async fn run(self, config: NodeConfig) -> Result<Stopped, HostError> {
        self.run_with(config, |_| ()).await
    }

    /// Like [`run`](Self::run), and calls `ready` once everything has started.
    ///
    /// # Errors
    /// Like [`run`](Self::run).
    pub async fn run_with(self, config: NodeConfig, ready: impl FnOnce(&RunningHost)) -> Result<Stopped, HostError> {
        // Before the start, which may take long: a signal that nobody catches ends the process on the spot.
        let mut signals = Signals::install().map_err(HostError::Signals)?;
        let host = tokio::select! {
            host = self.start(config) => host?,
            // Nothing to hand over yet, and a start can take as long as a compilation.
            signal = signals.next() => return Ok(Stopped::AtOnce(signal)),
        };
        ready(&host);
        host.until_signal(signals).await
    }
}

/// A configuration says what guests may do with interfaces in terms of the program that it was read for.
fn check_interfaces(config: &NodeConfig, interfaces: &HostInterfaces) -> Result<(), HostError> {
    match interfaces
        .keys()
        .find(|&key| config.interfaces.keys().all(|other| other != key))
    {
        Some(key) => Err(HostError::Interface(key)),
        None => Ok(()),
    }
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder")
            .field("natives", &self.natives.names())
            .field("interfaces", &self.interfaces)
            .finish()
    }
}
