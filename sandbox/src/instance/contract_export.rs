//! The interface `contract` of a component, which those of before there were contracts don't have.

use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift};
use wasmtime::{Store, component};

use super::optional_interface::OptionalInterface;
use crate::component::contract::{self, Contract, Start, TypeExpr};
use crate::component::error::LoadFault;
use crate::store::data::StoreData;

/// The interface, and its function.
const CONTRACT_INTERFACE: &str = "ractor:actor/contract@0.1.0";
const FUNCTION: &str = "describe";

/// Where a component has the function.
#[derive(Clone)]
pub(super) struct ContractExport(ComponentExportIndex);

impl ContractExport {
    /// Finds and checks the function; none if the component describes itself in the way of old.
    pub(super) fn find(component: &Component, linked: &InstancePre<StoreData>) -> Result<Option<Self>, LoadFault> {
        let Some(interface) = OptionalInterface::find(component, linked, CONTRACT_INTERFACE) else {
            return Ok(None);
        };
        interface.function::<(), (Described,)>(FUNCTION).map(Self).map(Some)
    }

    /// Asks an instance of the component what it is.
    pub(super) async fn call(
        &self,
        store: &mut Store<StoreData>,
        instance: &component::Instance,
    ) -> wasmtime::Result<Contract> {
        let function = instance.get_typed_func::<(), (Described,)>(&mut *store, &self.0)?;
        let (described,) = function.call_async(store, ()).await?;
        Ok(described.into())
    }
}

/// The record `contract` of the interface, and those within it. Written by hand because a world can't make an export optional.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct Described {
    name: String,
    version: String,
    #[component(name = "state-version")]
    state_version: u32,
    documentation: String,
    start: Option<Parameter>,
    messages: Vec<Message>,
    schemas: Vec<Schema>,
}

#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct Parameter {
    name: String,
    #[component(name = "type")]
    ty: String,
}

#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct Message {
    name: String,
    documentation: String,
    arguments: Vec<Parameter>,
    reply: Option<String>,
}

#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct Schema {
    name: String,
    format: String,
    bytes: Vec<u8>,
}

impl From<Described> for Contract {
    fn from(described: Described) -> Self {
        let message = |message: Message| contract::Message {
            name: message.name,
            documentation: prose(&message.documentation),
            arguments: message.arguments.into_iter().map(Into::into).collect(),
            reply: message.reply.map(|ty| TypeExpr::parse(&ty)),
        };
        let schema = |schema: Schema| contract::Schema {
            name: schema.name,
            format: schema.format,
            bytes: schema.bytes,
        };
        Self {
            name: described.name,
            version: described.version,
            state_version: described.state_version,
            documentation: prose(&described.documentation),
            start: described
                .start
                .map_or(Start::Nothing, |start| Start::Argument(start.into())),
            messages: described.messages.into_iter().map(message).collect(),
            schemas: described.schemas.into_iter().map(schema).collect(),
            schemas_left_out: 0,
        }
    }
}

impl From<Parameter> for contract::Parameter {
    fn from(parameter: Parameter) -> Self {
        Self {
            name: parameter.name,
            ty: TypeExpr::parse(&parameter.ty),
        }
    }
}

/// A text of several lines, each ended as here and not as on other systems, with spaces for tabs.
fn prose(text: &str) -> String {
    text.trim().replace("\r\n", "\n").replace('\t', "    ")
}
