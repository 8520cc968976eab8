//! What the host calls when it replaces the code of the actor.

use std::any::Any;

use super::executor::block_on;
use super::{ACTOR, Component, Exported, Live, Running, log, to_text};
use crate::common::reload::OldState;
use crate::guest::actor::myself;
use crate::guest::reload::Reload;
use crate::guest::reload_bindings::exports::ractor::actor::reload::Guest;
use crate::guest::{ActorProcessingErr, DescribeMessage};

impl<A> Guest for Component<A>
where
    A: Exported + Default + Reload,
    A::Msg: DescribeMessage,
{
    fn snapshot() -> Result<Vec<u8>, String> {
        with_live::<A, _>(|live| live.actor.snapshot(&live.state))
    }

    fn restore(state: Vec<u8>, from_state_version: u32) -> Result<(), String> {
        // An instance that takes over a state has no `pre-start`, which does this otherwise.
        log::install();
        let actor = A::default();
        let restored = if from_state_version == A::STATE_VERSION {
            actor.restore(&state)
        } else {
            actor.migrate(OldState::new(from_state_version, &state))
        };
        let state = restored.map_err(to_text)?;
        ACTOR.set(Some(Box::new(Live { actor, state })));
        Ok(())
    }

    fn post_reload() -> Result<(), String> {
        with_live::<A, _>(|live| block_on(live.actor.post_reload(myself().into(), &mut live.state)))
    }
}

/// As `with_actor`, for an actor whose type is known.
fn with_live<A, T>(callback: impl FnOnce(&mut Live<A>) -> Result<T, ActorProcessingErr>) -> Result<T, String>
where
    A: Exported,
{
    let mut actor = ACTOR
        .take()
        .ok_or("the actor is not running: it was not started, or has stopped")?;
    let result = {
        let actor: &mut dyn Running = &mut *actor;
        match (actor as &mut dyn Any).downcast_mut::<Live<A>>() {
            Some(live) => callback(live).map_err(to_text),
            None => Err("this component runs another actor".to_owned()),
        }
    };
    ACTOR.set(Some(actor));
    result
}
