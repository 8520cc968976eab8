//! What a component says of itself, on an instance that is no actor.

use std::sync::Arc;

use super::calls::Instance;
use super::error::{Fault, GuestError};
use super::module::Module;
use crate::accounting::label::Label;
use crate::component::contract::Contract;
use crate::component::description::{Answers, Description};
use crate::policy::limits::Limits;

impl Module {
    /// Asks the component what it is, on a fresh instance that is no actor.
    ///
    /// # Errors
    /// The component trapped, e.g. because it used an import.
    pub async fn describe(&self) -> Result<Contract, GuestError> {
        self.trial(self.engine().description_limits()).await?.describe().await
    }

    /// Whether an actor with these limits could be instantiated, and what it then says of itself; none if it does not. Nothing
    /// of the component runs but its instantiation and the function that describes it.
    ///
    /// # Errors
    /// There would be no instance: its memories or tables are too large from the start, it has too many core instances, or
    /// its start traps. Or it can't run its source.
    pub async fn rehearse(&self, limits: Arc<Limits>) -> Result<Option<Contract>, GuestError> {
        // That it can be made is all that is asked. The instance goes before another one takes a place of the pool.
        drop(self.trial(limits).await?);
        if self.source().is_some()
            && let Err(error) = self.describe().await
            && matches!(error.fault, Fault::Returned(_))
        {
            return Err(error);
        }
        // Asked for once for all actors, and on an instance with room for it.
        Ok(self.contract().await)
    }

    /// An instance that is no actor.
    async fn trial(&self, limits: Arc<Limits>) -> Result<Instance, GuestError> {
        let name: Arc<str> = self.name().into();
        let label = Label::new(name.clone(), name, 0, &limits);
        Instance::new(self, None, label, limits).await
    }

    /// What it says of itself, as the answers to those who ask, or why it does not. It is asked once for all its actors, unless there was no
    /// room for the instance that it takes.
    pub(crate) async fn description(&self) -> Description {
        // Those that ask meanwhile wait for the same answer and take no instance for it.
        let described = self.description_cell().get_or_try_init(|| async {
            let description = match self.describe().await {
                Ok(contract) => Answers::of(&contract).map_err(|error| error.to_string()),
                // Not remembered: want of room says nothing of the module, and a later question may find some.
                Err(error) if matches!(error.fault, Fault::NoInstance { .. }) => return Err(error),
                Err(error) => Err(error.to_string()),
            };
            Ok(match description {
                Ok(answers) => Ok(Arc::new(answers)),
                Err(error) => {
                    tracing::warn!(module = self.name(), error, "the module does not describe itself");
                    Err(Arc::from(error))
                }
            })
        });
        match described.await {
            Ok(description) => description.clone(),
            Err(error) => {
                tracing::debug!(module = self.name(), %error, "no room to describe the module");
                Err(error.to_string().into())
            }
        }
    }

    /// What it says of itself, asked for once; none if it does not.
    pub async fn contract(&self) -> Option<Contract> {
        self.contract_or_reason().await.ok()
    }

    /// The same, or why it does not, in words.
    ///
    /// # Errors
    /// The reason.
    pub async fn contract_or_reason(&self) -> Result<Contract, String> {
        let answers = self.description().await.map_err(|reason| reason.to_string())?;
        Contract::from_bytes(answers.newest()).map_err(|error| error.to_string())
    }
}
