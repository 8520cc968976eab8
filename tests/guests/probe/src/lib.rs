//! An actor that tries what it is asked to try, allowed or not, and says what came of it: `ok: …`, or the kind of error.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use ractor::module::{self, Child, SpawnError};
use ractor::{
    Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RactorErr, RpcReplyPort, call_t, cast, config, pg,
    registry, time,
};

/// The longest wait of a probe for another's answer, in milliseconds.
const CALL_MS: u64 = 10_000;

/// See the crate.
#[derive(Debug, Default)]
pub struct Probe;

/// What [`Probe`] understands.
#[derive(RactorClusterMessage)]
pub enum ProbeMsg {
    /// Tries something with an argument, and replies with what came of it.
    #[rpc]
    Try(String, String, RpcReplyPort<String>),
    /// Takes a note, which is forgotten.
    Note(String),
}

impl Actor for Probe {
    type Msg = ProbeMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<ProbeMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<ProbeMsg>,
        message: ProbeMsg,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let ProbeMsg::Try(what, argument, reply) = message {
            let came = attempt(&myself, &what, &argument).await;
            reply.send(came)?;
        }
        Ok(())
    }
}

async fn attempt(myself: &ActorRef<ProbeMsg>, what: &str, argument: &str) -> String {
    match what {
        "read" => shown(fs::read_to_string(argument)),
        "list" => shown(list(argument)),
        "write" => shown(fs::write(argument, "written by a guest").map(|()| String::new())),
        "remove" => shown(fs::remove_file(argument).map(|()| String::new())),
        "variables" => {
            let names: Vec<String> = std::env::vars()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("ok: {}", names.join(" "))
        }
        "look up" => shown(look_up(argument)),
        "connect" => shown(connect(argument)),
        "listen" => shown(TcpListener::bind(argument).map(|_| String::new())),
        "datagram" => shown(datagram(argument)),
        "config" => format!("ok: {}", config::value(argument).unwrap_or_default()),
        "send" => send(argument),
        "send later" => send_later(argument),
        "call" => call(argument).await,
        "call the group" => call_group(argument).await,
        "spawn" => spawn(myself, argument).await,
        _ => format!("unknown: {what}"),
    }
}

fn shown(outcome: io::Result<String>) -> String {
    match outcome {
        Ok(text) => format!("ok: {text}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn list(path: &str) -> io::Result<String> {
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(entries.collect::<io::Result<Vec<_>>>()?.join(" "))
}

fn look_up(name: &str) -> io::Result<String> {
    let addresses = (name, 0).to_socket_addrs()?;
    Ok(addresses
        .map(|address| address.ip().to_string())
        .collect::<Vec<_>>()
        .join(" "))
}

/// Says hello to whoever is there, and hears what comes back.
fn connect(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"hello")?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned())
}

fn datagram(address: &str) -> io::Result<String> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.send_to(b"hello", address)?;
    let mut answer = [0; 64];
    let (length, _) = socket.recv_from(&mut answer)?;
    Ok(String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned())
}

fn named(name: &str) -> Option<ActorRef<ProbeMsg>> {
    registry::where_is(name).map(ActorRef::from)
}

fn send(name: &str) -> String {
    let Some(other) = named(name) else {
        return "nobody".to_owned();
    };
    match cast!(other, ProbeMsg::Note("from a guest".to_owned())) {
        Ok(()) => "ok: ".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn send_later(name: &str) -> String {
    let Some(other) = named(name) else {
        return "nobody".to_owned();
    };
    time::send_after(std::time::Duration::from_millis(1), other.get_cell(), || {
        ProbeMsg::Note("from a guest".to_owned())
    });
    "ok: ".to_owned()
}

async fn call(name: &str) -> String {
    let Some(other) = named(name) else {
        return "nobody".to_owned();
    };
    ask(&other).await
}

async fn call_group(group: &str) -> String {
    match pg::get_members(&group.to_owned()).into_iter().next() {
        Some(member) => ask(&member.into()).await,
        None => "nobody".to_owned(),
    }
}

async fn ask(other: &ActorRef<ProbeMsg>) -> String {
    let nothing = ("config".to_owned(), String::new());
    match call_t!(other, ProbeMsg::Try, CALL_MS, nothing.0, nothing.1) {
        Ok(answer) => answer,
        Err(RactorErr::Messaging(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

async fn spawn(myself: &ActorRef<ProbeMsg>, module: &str) -> String {
    let spawned: Result<ActorRef<ProbeMsg>, SpawnError> = module::spawn(myself, Child::of(module).arguments(())).await;
    match spawned {
        Ok(child) => ask(&child).await,
        Err(error) => error.to_string(),
    }
}

ractor::export!(Probe);
