//! The kitchen in Rust: an actor that uses all of its SDK. `tests/tests/languages` drives it, and its twins in other languages.

mod family;
mod messages;
mod others;
mod state;

use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use ractor::concurrency::{Duration, sleep};
use ractor::reload::Reload;
use ractor::{
    Actor, ActorProcessingErr, ActorRef, FailCall as _, Json, Protobuf, RpcReplyPort, SupervisionEvent, config, node,
    pg, trace,
};

pub use crate::messages::{KitchenMsg, Order, in_json};
pub use crate::state::{Kept, State};

/// The time after which a call of `FailLater` fails.
const FAIL_LATER: Duration = Duration::from_millis(10);
/// The time between the steps of `Steps`.
const STEP: Duration = Duration::from_millis(30);

/// See the crate.
#[derive(Debug, Default)]
pub struct Kitchen;

impl Reload for Kitchen {}

impl Actor for Kitchen {
    type Msg = KitchenMsg;
    type State = State;
    type Arguments = String;

    async fn pre_start(&self, _: ActorRef<KitchenMsg>, note: String) -> Result<State, ActorProcessingErr> {
        if let Some(text) = note.strip_prefix("fail:") {
            return Err(text.into());
        }
        assert_ne!(note, "panic", "the start was told to panic");
        Ok(State {
            program: note.clone(),
            kept: Kept {
                note,
                ..Kept::default()
            },
            ..State::default()
        })
    }

    async fn post_start(&self, _: ActorRef<KitchenMsg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        fail_if(state, "fail-post")
    }

    async fn handle(
        &self,
        myself: ActorRef<KitchenMsg>,
        message: KitchenMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(message) = echo(message)? else { return Ok(()) };
        let Some(message) = look(&myself, message, state)? else {
            return Ok(());
        };
        let Some(message) = reply_later(&myself, message, state)? else {
            return Ok(());
        };
        let Some(message) = family::handle(&myself, message, state).await? else {
            return Ok(());
        };
        let Some(message) = others::handle(&myself, message, state).await? else {
            return Ok(());
        };
        work(&myself, message, state).await
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<KitchenMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        fail_if(state, "fail-event")?;
        state.events.push(family::describe(&event));
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<KitchenMsg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        fail_if(state, "fail-stop")
    }
}

fn fail_if(state: &State, program: &str) -> Result<(), ActorProcessingErr> {
    if state.program == program {
        return Err(format!("told to {program}").into());
    }
    Ok(())
}

/// A message that wasn't the affair of one part, for the next.
type Rest = Result<Option<KitchenMsg>, ActorProcessingErr>;

/// Replies with what came.
fn echo(message: KitchenMsg) -> Rest {
    match message {
        KitchenMsg::EchoU8 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoU16 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoU32 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoU64 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoU128 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoI8 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoI16 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoI32 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoI64 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoI128 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoF32 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoF64 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoBool { value, reply } => reply.send(value)?,
        KitchenMsg::EchoChar { value, reply } => reply.send(value)?,
        KitchenMsg::EchoString { value, reply } => reply.send(value)?,
        KitchenMsg::EchoBytes { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListU16 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListU64 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListI64 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListI128 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListF32 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListF64 { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListBool { value, reply } => reply.send(value)?,
        KitchenMsg::EchoListChar { value, reply } => reply.send(value)?,
        KitchenMsg::EchoProto {
            value: Protobuf(mut order),
            reply,
        } => {
            order.quantity += 1;
            reply.send(Protobuf(order))?;
        }
        KitchenMsg::EchoJson {
            value: Json(mut order),
            reply,
        } => {
            order.quantity += 1;
            reply.send(Json(order))?;
        }
        KitchenMsg::Two { number, text, reply } => reply.send(format!("{number}:{text}"))?,
        other => return Ok(Some(other)),
    }
    Ok(None)
}

/// Reads and writes the state, and what is around the actor.
fn look(myself: &ActorRef<KitchenMsg>, message: KitchenMsg, state: &mut State) -> Rest {
    let kept = &mut state.kept;
    match message {
        KitchenMsg::Add { n } => kept.count = kept.count.wrapping_add(n),
        KitchenMsg::AddBig { n } => kept.big = kept.big.wrapping_add(n),
        KitchenMsg::Mark { n } => kept.marks.push(n),
        KitchenMsg::SetNote { text } => kept.note = text,
        KitchenMsg::Nothing { reply } => reply.send(())?,
        KitchenMsg::Get { reply } => reply.send(kept.count)?,
        KitchenMsg::GetBig { reply } => reply.send(kept.big)?,
        KitchenMsg::GetMarks { reply } => reply.send(kept.marks.clone())?,
        KitchenMsg::GetNote { reply } => reply.send(kept.note.clone())?,
        KitchenMsg::Events { reply } => reply.send(state.events.join(";"))?,
        KitchenMsg::Members { group, reply } => reply.send(u32::try_from(pg::get_members(&group).len())?)?,
        KitchenMsg::Config { key, reply } => reply.send(config::value(key.as_str()).unwrap_or_default())?,
        KitchenMsg::Now { reply } => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            reply.send(u64::try_from(now.as_millis())?)?;
        }
        KitchenMsg::Trace { reply } => reply.send(trace::current().map(|span| span.parent).unwrap_or_default())?,
        KitchenMsg::NameAndNode { reply } => {
            let name = myself.get_name().unwrap_or_default();
            reply.send(format!("{name}@{}", node::name()))?;
        }
        // What the hash maps of the standard library are seeded with.
        KitchenMsg::Random { reply } => {
            reply.send(std::hash::RandomState::new().build_hasher().finish())?;
        }
        other => return Ok(Some(other)),
    }
    Ok(None)
}

/// Keeps calls, and answers or fails them.
fn reply_later(myself: &ActorRef<KitchenMsg>, message: KitchenMsg, state: &mut State) -> Rest {
    match message {
        KitchenMsg::Later { ms, text, reply } => {
            let number = state.keep_for_later(reply);
            myself.send_after(Duration::from_millis(ms), move || KitchenMsg::LaterIsNow {
                number,
                text,
            });
        }
        KitchenMsg::FailLater { text, reply } => {
            let number = state.keep_for_later(reply);
            myself.send_after(FAIL_LATER, move || KitchenMsg::FailNow { number, text });
        }
        KitchenMsg::LaterIsNow { number, text } => {
            if let Some(reply) = state.due(number) {
                reply.send(text)?;
            }
        }
        KitchenMsg::FailNow { number, text } => {
            if let Some(reply) = state.due(number) {
                reply.fail(text);
            }
        }
        KitchenMsg::Keep { reply } => state.waiting.push(reply),
        KitchenMsg::Release { text } => {
            for reply in state.waiting.drain(..) {
                // Whoever has given up needs none.
                let _gone = reply.send(text.clone());
            }
        }
        KitchenMsg::DropIt { reply } => drop(reply),
        KitchenMsg::FailIt { text, reply } | KitchenMsg::Throw { text, reply } => reply.fail(text),
        other => return Ok(Some(other)),
    }
    Ok(None)
}

impl State {
    fn keep_for_later(&mut self, reply: RpcReplyPort<String>) -> u64 {
        self.next += 1;
        self.later.push((self.next, reply));
        self.next
    }

    fn due(&mut self, number: u64) -> Option<RpcReplyPort<String>> {
        let at = self.later.iter().position(|(kept, _)| *kept == number)?;
        Some(self.later.swap_remove(at).1)
    }
}

/// Fails, logs, sleeps, recurses, allocates.
#[expect(clippy::panic, reason = "a kitchen fails in every way there is")]
async fn work(myself: &ActorRef<KitchenMsg>, message: KitchenMsg, state: &mut State) -> Result<(), ActorProcessingErr> {
    match message {
        KitchenMsg::ThrowCast { text } => return Err(text.into()),
        KitchenMsg::Trap | KitchenMsg::TrapCall { .. } => panic!("the kitchen was told to panic"),
        KitchenMsg::Log { level, text } => match level.as_str() {
            "trace" => tracing::trace!("{text}"),
            "debug" => tracing::debug!("{text}"),
            "info" => tracing::info!("{text}"),
            "warn" => tracing::warn!("{text}"),
            _ => tracing::error!("{text}"),
        },
        KitchenMsg::Print { text } => writeln!(std::io::stdout(), "{text}")?,
        KitchenMsg::After { ms, n } => {
            myself.send_after(Duration::from_millis(ms), move || KitchenMsg::Mark { n });
        }
        KitchenMsg::Every { ms, n } => {
            let period = Duration::from_millis(ms);
            state
                .timers
                .push(myself.send_interval(period, move || KitchenMsg::Mark { n }));
        }
        KitchenMsg::CancelTimers => state.timers.drain(..).for_each(|timer| timer.abort()),
        KitchenMsg::StopSelf { reason } => myself.stop(Some(reason)),
        KitchenMsg::ExitNow { reason } => ractor::exit(reason),
        KitchenMsg::Recurse { depth, reply } => reply.send(recurse(depth))?,
        KitchenMsg::Allocate { bytes, reply } => {
            let memory = vec![1_u8; usize::try_from(bytes)?];
            reply.send(std::hint::black_box(memory).len() as u64)?;
        }
        KitchenMsg::Sleep { ms, reply } => {
            sleep(Duration::from_millis(ms)).await;
            reply.send(ms)?;
        }
        KitchenMsg::Steps { text, reply } => {
            state.kept.marks.push(1);
            sleep(STEP).await;
            state.kept.marks.push(2);
            reply.send(text)?;
        }
        other => return Err(format!("nothing handles {other:?}").into()),
    }
    Ok(())
}

/// Calls itself that many times, or until the stack is used up.
fn recurse(depth: u32) -> u32 {
    match std::hint::black_box(depth) {
        0 => 0,
        u32::MAX => std::hint::black_box(recurse(u32::MAX)).wrapping_add(1),
        _ => std::hint::black_box(recurse(depth - 1)) + 1,
    }
}

ractor::export! {
    /// An actor that uses all of its SDK.
    Kitchen, start = note, awaits, reload, state_version = 1
}
