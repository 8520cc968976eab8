//! An actor that sends HTTP requests with `wasi:http`, and says what came of them: `200 …` with the body, or the error code.
//! It is a guest alone, and nothing when it is compiled natively.
#![cfg(target_family = "wasm")]

mod request;

use ractor::module::{self, Child};
use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort, cast};

use request::{Ask, Pending, Shown};

/// See the crate.
#[derive(Debug, Default)]
pub struct Fetch;

/// What [`Fetch`] understands.
#[derive(RactorClusterMessage)]
pub enum FetchMsg {
    /// Gets a URL.
    #[rpc]
    Get(String, RpcReplyPort<String>),
    /// Gets a URL, and waits no longer than this many milliseconds for each step.
    #[rpc]
    GetWithin(String, u64, RpcReplyPort<String>),
    /// Gets a URL with a header of this many bytes.
    #[rpc]
    GetWithHeader(String, u64, RpcReplyPort<String>),
    /// Posts text to a URL.
    #[rpc]
    Post(String, String, RpcReplyPort<String>),
    /// Posts this many bytes to a URL.
    #[rpc]
    Upload(String, u64, RpcReplyPort<String>),
    /// Connects through a URL, with the method for it.
    #[rpc]
    Tunnel(String, RpcReplyPort<String>),
    /// Begins to get a URL this many times, and keeps what began. Replies with how many did, and why others didn't.
    #[rpc]
    Begin(String, u64, RpcReplyPort<String>),
    /// Begins and gives up, this many times one after the other. Replies with how many began.
    #[rpc]
    GiveUp(String, u64, RpcReplyPort<String>),
    /// Drops what it has begun.
    #[rpc]
    Forget(RpcReplyPort<()>),
    /// Gets a URL, whatever comes of it.
    Visit(String),
    /// Starts a child that gets a URL.
    #[rpc]
    Send(String, RpcReplyPort<()>),
    /// Kills that child.
    #[rpc]
    KillChild(RpcReplyPort<()>),
    /// Makes headers of this many bytes until it can't.
    Hoard(u64),
    /// Traps.
    Trap,
    /// Stops.
    Stop,
}

/// What it has begun.
#[derive(Default)]
pub struct Begun {
    requests: Vec<Pending>,
    child: Option<ActorRef<FetchMsg>>,
}

impl Actor for Fetch {
    type Msg = FetchMsg;
    type State = Begun;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<FetchMsg>, (): ()) -> Result<Begun, ActorProcessingErr> {
        Ok(Begun::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<FetchMsg>,
        message: FetchMsg,
        begun: &mut Begun,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            FetchMsg::Get(url, reply) => reply.send(Ask::get(&url).answer())?,
            FetchMsg::GetWithin(url, ms, reply) => reply.send(Ask::get(&url).within(ms).answer())?,
            FetchMsg::GetWithHeader(url, bytes, reply) => reply.send(Ask::get(&url).header(bytes).answer())?,
            FetchMsg::Post(url, text, reply) => reply.send(Ask::post(&url, text.into_bytes()).answer())?,
            FetchMsg::Upload(url, bytes, reply) => reply.send(Ask::post(&url, zeroes(bytes)).answer())?,
            FetchMsg::Tunnel(url, reply) => reply.send(Ask::connect(&url).answer())?,
            FetchMsg::Begin(url, times, reply) => reply.send(begin(&url, times, &mut begun.requests))?,
            FetchMsg::GiveUp(url, times, reply) => {
                let begin = |_: &u64| begin(&url, 1, &mut Vec::new()).starts_with('1');
                reply.send((0..times).filter(begin).count().to_string())?;
            }
            FetchMsg::Forget(reply) => {
                begun.requests.clear();
                reply.send(())?;
            }
            FetchMsg::Visit(url) => drop(Ask::get(&url).answer()),
            FetchMsg::Send(url, reply) => {
                let child: ActorRef<FetchMsg> = module::spawn(&myself, Child::of("fetch").arguments(())).await?;
                cast!(child, FetchMsg::Visit(url))?;
                begun.child = Some(child);
                reply.send(())?;
            }
            FetchMsg::KillChild(reply) => {
                if let Some(child) = begun.child.take() {
                    child.kill();
                }
                reply.send(())?;
            }
            FetchMsg::Hoard(bytes) => request::hoard(bytes),
            FetchMsg::Trap => std::process::abort(),
            FetchMsg::Stop => myself.stop(None),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<FetchMsg>,
        _: ractor::SupervisionEvent,
        _: &mut Begun,
    ) -> Result<(), ActorProcessingErr> {
        // A child may end; the actor goes on.
        Ok(())
    }
}

fn zeroes(bytes: u64) -> Vec<u8> {
    vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)]
}

fn begin(url: &str, times: u64, requests: &mut Vec<Pending>) -> String {
    let mut refused = None;
    let mut begun = 0;
    for _ in 0..times {
        match Ask::get(url).begin() {
            Ok(pending) => {
                requests.push(pending);
                begun += 1;
            }
            Err(code) => refused = Some(code),
        }
    }
    match refused {
        Some(Shown(code)) => format!("{begun}, then {code}"),
        None => begun.to_string(),
    }
}

ractor::export!(Fetch);
