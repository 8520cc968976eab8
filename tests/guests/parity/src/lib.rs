//! An actor that uses every item which the table in `guest-sdk` calls the same in both worlds. This source is compiled
//! natively and as a guest, and [`behaviours`] are asked of both.

#[cfg(not(target_family = "wasm"))]
pub mod behaviours;
mod family;
mod groups;
mod sending;
mod timers;

use ractor::{
    Actor, ActorCell, ActorProcessingErr, ActorRef, FailCall as _, RactorClusterMessage, RpcReplyPort,
    SupervisionEvent, config, pg, registry,
};

/// The module that a parity actor starts children of: itself.
pub const MODULE: &str = "parity";

/// The group of those that others are to find by name wherever they are.
pub const KNOWN: &str = "parity-known";

/// Another name of `u64`: descriptors say what it stands for.
pub type Count = u64;

/// See the crate.
#[derive(Debug, Default)]
pub struct Parity;

/// What [`Parity`] understands.
#[derive(Debug, RactorClusterMessage)]
pub enum ParityMsg {
    /// Adds a note.
    Note(String),
    /// Replies with all notes, a line each.
    #[rpc]
    Notes(RpcReplyPort<String>),
    /// Replies with the number of notes.
    #[rpc]
    Count(RpcReplyPort<Count>),
    /// Runs a chapter, with an argument, and replies with what came of it.
    #[rpc]
    Run(String, String, RpcReplyPort<String>),
    /// Keeps the reply port.
    #[rpc]
    Later(RpcReplyPort<u64>),
    /// Answers the call that is kept. Notes if its caller has given up.
    Answer(u64),
    /// Drops the call that is kept.
    #[rpc]
    Drop(RpcReplyPort<()>),
    /// Fails this very call, with this reason.
    #[rpc]
    Refuse(String, RpcReplyPort<u64>),
    /// Fails the call that is kept, with this reason.
    RefuseKept(String),
    /// Stops with this reason.
    Stop(String),
    /// Fails with this reason, by an error.
    Fail(String),
    /// Fails with this reason, from anywhere.
    Exit(String),
}

/// What a parity actor remembers.
#[derive(Debug)]
pub struct Memory {
    notes: Vec<String>,
    kept: Option<RpcReplyPort<u64>>,
}

impl Actor for Parity {
    type Msg = ParityMsg;
    type State = Memory;
    type Arguments = String;

    async fn pre_start(&self, _: ActorRef<ParityMsg>, first: String) -> Result<Memory, ActorProcessingErr> {
        if first == "not today" {
            return Err(first.into());
        }
        Ok(Memory {
            notes: vec![first],
            kept: None,
        })
    }

    async fn post_start(&self, myself: ActorRef<ParityMsg>, memory: &mut Memory) -> Result<(), ActorProcessingErr> {
        memory
            .notes
            .push(format!("started {}", myself.get_name().unwrap_or_default()));
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<ParityMsg>,
        message: ParityMsg,
        memory: &mut Memory,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ParityMsg::Note(note) => memory.notes.push(note),
            ParityMsg::Notes(reply) => reply.send(memory.notes.join("\n"))?,
            ParityMsg::Count(reply) => reply.send(memory.notes.len() as Count)?,
            ParityMsg::Run(chapter, argument, reply) => {
                let span = tracing::info_span!("chapter", chapter, argument);
                let _entered = span.enter();
                tracing::debug!("begins");
                drop(_entered);
                let came = run(&myself, &chapter, &argument).await?;
                reply.send(came)?;
            }
            ParityMsg::Later(reply) => memory.kept = Some(reply),
            ParityMsg::Answer(number) => match memory.kept.take() {
                Some(reply) if reply.is_closed() => memory.notes.push("nobody waits".to_owned()),
                Some(reply) => reply.send(number)?,
                None => memory.notes.push("nothing kept".to_owned()),
            },
            ParityMsg::Drop(reply) => {
                memory.kept = None;
                reply.send(())?;
            }
            ParityMsg::Refuse(reason, reply) => reply.fail(reason),
            ParityMsg::RefuseKept(reason) => {
                if let Some(reply) = memory.kept.take() {
                    reply.fail(reason);
                }
            }
            ParityMsg::Stop(reason) => myself.stop(Some(reason)),
            ParityMsg::Fail(reason) => return Err(reason.into()),
            ParityMsg::Exit(reason) => ractor::exit(reason),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<ParityMsg>,
        event: SupervisionEvent,
        memory: &mut Memory,
    ) -> Result<(), ActorProcessingErr> {
        memory.notes.push(family::describe(&event));
        Ok(())
    }

    async fn post_stop(&self, myself: ActorRef<ParityMsg>, _: &mut Memory) -> Result<(), ActorProcessingErr> {
        // Whoever is in the group `last words of` and this actor's name hears that it ended in an orderly way.
        let group = format!("last words of {}", myself.get_name().unwrap_or_default());
        for listener in pg::get_members(&group) {
            listener.send_message(ParityMsg::Note("bye".to_owned()))?;
        }
        Ok(())
    }
}

async fn run(myself: &ActorRef<ParityMsg>, chapter: &str, argument: &str) -> Result<String, ActorProcessingErr> {
    Ok(match chapter {
        "name" => myself.get_name().unwrap_or_default(),
        "where is" => where_is(argument).map_or_else(String::new, |cell| cell.get_id().to_string()),
        "config" => config::value(argument).unwrap_or_default(),
        "configs" => format!("{:?}", config::entries()),
        "call" => sending::call(argument).await?,
        "derived" => sending::derived(argument).await?,
        "many" => sending::many(argument).await?,
        "refused" => sending::refused(argument).await?,
        "give up" => sending::give_up(argument).await?,
        "address" => sending::address(myself, argument).await,
        "join" => groups::join(myself, argument),
        "leave" => groups::leave(myself, argument),
        "groups" => groups::which(argument),
        "monitor group" => groups::monitor(myself, argument),
        "demonitor group" => groups::demonitor(myself, argument),
        "time" => timers::time(myself, argument).await,
        "exit after" => timers::exit_after(myself, argument),
        "sleep" => timers::sleep(argument).await,
        "spawn" => family::spawn(myself, argument).await,
        "children" => family::children(myself),
        "supervisor" => family::supervisor(myself),
        "stop child" => family::stop(argument),
        "kill child" => family::kill(argument),
        "stop children" => family::stop_children(myself),
        "monitor" => family::monitor(myself, argument),
        "unmonitor" => family::unmonitor(myself, argument),
        other => return Err(format!("no chapter `{other}`").into()),
    })
}

/// The actor of this name. ractor's registry has the actors of its own process only, so what a native finds on other nodes
/// it finds in groups.
fn where_is(name: &str) -> Option<ActorCell> {
    registry::where_is(name).or_else(|| {
        let mut known = pg::get_members(&KNOWN.to_owned()).into_iter();
        known.find(|member| member.get_name().as_deref() == Some(name))
    })
}

/// The actor of this name.
fn named(name: &str) -> Result<ActorRef<ParityMsg>, ActorProcessingErr> {
    where_is(name)
        .map(ActorRef::from)
        .ok_or_else(|| format!("nobody is called `{name}`").into())
}

ractor::export!(Parity, state_version = 3);
