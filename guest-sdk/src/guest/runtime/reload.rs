//! What the host calls when it replaces the code of the actor.

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;

use super::executor::block_on;
use super::live::Live;
use super::still::Still;
use super::{ACTOR, Component, Exported, NOT_RUNNING, begin, log, to_text};
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
        let kept = Rc::new(Cell::new(Vec::new()));
        let place = kept.clone();
        visit::<A>(move |actor, state| {
            place.set(actor.snapshot(state)?);
            Ok(())
        })?;
        Ok(kept.take())
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
        begin(actor, state);
        Ok(())
    }

    fn post_reload() -> Result<(), String> {
        visit::<A>(|actor, state| block_on(actor.post_reload(myself().into(), state)))
    }
}

/// Lets something see the actor, whose type is known, and its state.
fn visit<A>(visit: impl FnOnce(&A, &mut A::State) -> Result<(), ActorProcessingErr> + 'static) -> Result<(), String>
where
    A: Exported,
    A::Msg: DescribeMessage,
{
    let mut actor = ACTOR.take().ok_or(NOT_RUNNING)?;
    let any = &mut *actor as &mut dyn Any;
    let seen = if A::AWAITS {
        any.downcast_mut::<Live<A>>().map(|live| live.visit(visit))
    } else {
        any.downcast_mut::<Still<A>>()
            .map(|Still { actor, state }| visit(actor, state))
    };
    ACTOR.set(Some(actor));
    let another = || Err("this component runs another actor".into());
    seen.unwrap_or_else(another).map_err(to_text)
}
