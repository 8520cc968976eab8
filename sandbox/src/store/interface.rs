//! What the host offers to guests as functions to import, interface by interface: the node's own, and those that a program adds.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ractor::ActorCell;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use wasmtime::component::{HasData, Linker};

use super::data::StoreData;
use super::interface_states::Opened;
use crate::component::capabilities::CapabilityImport;
use crate::component::imports::Import;
use crate::policy::grants::InterfaceConfig;
use crate::policy::limits::Limits;

/// One interface, or several that belong together.
pub(super) trait Interface {
    /// What components import to use it.
    fn imports(&self) -> &[Import];

    /// Those of its imports that tell that a component could use a capability.
    fn capabilities(&self) -> &[CapabilityImport] {
        &[]
    }

    /// Adds its functions.
    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()>;
}

/// An import interface that a program adds to its node, for guests that it trusts with it.
///
/// A component that imports it is only started for an actor whose configuration has a section `[actors.interfaces.KEY]`: the
/// section is the grant, and says what the actor may do with it.
///
/// The functions come from `wasmtime::component::bindgen!` with
/// `wasmtime_crate: ractor_host::guest::wasmtime`, implemented for [`Caller<'_, Self>`](Caller).
pub trait HostInterface: Send + Sync + Sized + 'static {
    /// The name of its section in `[actors.interfaces]`.
    const KEY: &'static str;

    /// What components import to use it.
    const IMPORTS: &'static [Import];

    /// What an actor's section says.
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// What each instance has of it. It ends with the instance: after a restart or a reload there is a fresh one.
    type State: Send + 'static;

    /// Adds its functions to the linker, with [`Offered<Self>`](Offered) as the data and [`Offered::get`] as the getter.
    ///
    /// # Errors
    /// What wasmtime says.
    fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()>;

    /// What a fresh instance of this actor has, before anything of its code runs. It must not block: what takes time, such as a
    /// connection, begins when a function is called.
    ///
    /// # Errors
    /// There is no instance: the actor fails to start, with this reason.
    fn open(&self, config: &Self::Config, actor: &ActorCell) -> Result<Self::State, String>;
}

/// The interfaces that a program adds. The default is none.
#[derive(Clone, Default)]
pub struct HostInterfaces(Vec<Arc<dyn Added>>);

impl HostInterfaces {
    /// Adds one, in place of any that has the same key.
    pub fn add<I: HostInterface>(&mut self, interface: I) {
        self.0.retain(|other| other.key() != I::KEY);
        self.0.push(Arc::new(interface));
    }

    /// Their keys, in the order that they were added.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|interface| interface.key())
    }

    /// Reads an actor's section for the interface with this key. None if there is no such interface.
    ///
    /// # Errors
    /// The section is not what the interface expects: what the deserializer says of it.
    pub fn configure<'de>(
        &self,
        key: &str,
        section: impl Deserializer<'de>,
    ) -> Option<Result<InterfaceConfig, String>> {
        let mut section = <dyn erased_serde::Deserializer<'_>>::erase(section);
        Some(self.find(key)?.configure(&mut section))
    }

    pub(super) fn all(&self) -> &[Arc<dyn Added>] {
        &self.0
    }

    fn find(&self, key: &str) -> Option<&Arc<dyn Added>> {
        self.0.iter().find(|interface| interface.key() == key)
    }
}

impl fmt::Debug for HostInterfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

/// An interface that a program has added, whatever its types are.
pub(super) trait Added: Interface + Send + Sync {
    fn key(&self) -> &'static str;

    fn configure(&self, section: &mut dyn erased_serde::Deserializer<'_>) -> Result<InterfaceConfig, String>;

    /// What a fresh instance has of it.
    fn open(&self, config: &InterfaceConfig, actor: &ActorCell) -> Result<Opened, String>;
}

impl<I: HostInterface> Interface for I {
    fn imports(&self) -> &[Import] {
        I::IMPORTS
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        I::add_to_linker(linker)
    }
}

impl<I: HostInterface> Added for I {
    fn key(&self) -> &'static str {
        I::KEY
    }

    fn configure(&self, section: &mut dyn erased_serde::Deserializer<'_>) -> Result<InterfaceConfig, String> {
        let config: I::Config = erased_serde::deserialize(section).map_err(|error| error.to_string())?;
        Ok(InterfaceConfig::new(config))
    }

    fn open(&self, config: &InterfaceConfig, actor: &ActorCell) -> Result<Opened, String> {
        let config = config
            .of::<I::Config>()
            .ok_or("its configuration was read for another interface")?;
        let state = HostInterface::open(self, config, actor)?;
        Ok(Opened::of::<I>(state))
    }
}

/// A call of a guest into an interface `I` that a program added.
pub struct Caller<'a, I> {
    data: &'a mut StoreData,
    interface: PhantomData<fn() -> I>,
}

impl<I: HostInterface> Caller<'_, I> {
    /// What the calling instance has of the interface.
    ///
    /// # Errors
    /// A trap: a component describes itself, which no actor does yet.
    pub fn state(&mut self) -> wasmtime::Result<&mut I::State> {
        self.data.context()?;
        let opened = self.data.interfaces.of::<I, I::State>();
        opened.ok_or_else(|| wasmtime::format_err!("the interface `{}` is not open", I::KEY))
    }

    /// The calling actor.
    ///
    /// # Errors
    /// As for [`state`](Self::state).
    pub fn actor(&self) -> wasmtime::Result<&ActorCell> {
        Ok(&self.data.context()?.cell)
    }

    /// What the calling actor may take.
    pub fn limits(&self) -> &Limits {
        &self.data.limits
    }

    /// To be called before the function does what others can notice. After a message of new code that failed, the message is given
    /// again to the code before it only if nothing of that kind was done.
    ///
    /// # Errors
    /// A trap: the guest writes or takes over its state, and may do nothing of that kind.
    pub fn side_effect(&mut self) -> wasmtime::Result<()> {
        self.data.side_effect()
    }
}

impl<I> fmt::Debug for Caller<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// Names [`Caller`] as what the functions of `I` are implemented for.
pub struct Offered<I>(PhantomData<fn() -> I>);

impl<I> fmt::Debug for Offered<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered").finish()
    }
}

impl<I: HostInterface> Offered<I> {
    /// The getter that the generated `add_to_linker` takes.
    pub fn get(data: &mut StoreData) -> Caller<'_, I> {
        Caller {
            data,
            interface: PhantomData,
        }
    }
}

impl<I: HostInterface> HasData for Offered<I> {
    type Data<'a> = Caller<'a, I>;
}
