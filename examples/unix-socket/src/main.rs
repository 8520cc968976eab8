//! Two nodes that talk over a Unix socket: any connected stream of bytes will do, if it is a [`ClusterBidiStream`].
//!
//! ```console
//! $ cargo run -p unix-socket -- serve /tmp/nodes.sock &
//! $ cargo run -p unix-socket -- greet /tmp/nodes.sock Ada
//! ```

mod greeter;

use anyhow::{Context, Result, bail};
use ractor::{Actor, ActorRef, call_t, pg};
use ractor_host::{BoxRead, BoxWrite, ClusterBidiStream, NodeServer, NodeServerMessage};
use tokio::net::{UnixListener, UnixStream};

use self::greeter::{GROUP, Greeter, GreeterMessage, until_ready};

/// The transport. The cookie is checked on it as on TCP, but who may open the socket is up to the file's permissions.
struct Unix(UnixStream);

impl ClusterBidiStream for Unix {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = self.0.into_split();
        (Box::new(read), Box::new(write))
    }

    fn peer_label(&self) -> Option<String> {
        let credentials = self.0.peer_cred().ok()?;
        Some(format!("unix:pid {}", credentials.pid()?))
    }
}

/// A node with its ordinary listener on a loopback port that nobody is told of.
async fn node(name: &str) -> Result<ActorRef<NodeServerMessage>> {
    let server = NodeServer::new(0, "a shared secret".into(), name.into(), "localhost".into(), None, None)
        .with_listen_addr([127, 0, 0, 1].into());
    Ok(Actor::spawn(None, server, ()).await?.0)
}

async fn serve(path: &str) -> Result<()> {
    let (greeter, _) = Actor::spawn(None, Greeter, ()).await?;
    pg::join(GROUP.into(), vec![greeter.get_cell()]);
    let server = node("server").await?;
    let listener = UnixListener::bind(path).with_context(|| format!("listening on {path}"))?;
    println!("serving on {path}");
    loop {
        let (stream, _) = listener.accept().await?;
        let stream = Box::new(Unix(stream));
        server.cast(NodeServerMessage::ConnectionOpenedExternal {
            stream,
            is_server: true,
        })?;
    }
}

async fn greet(path: &str, name: &str) -> Result<()> {
    let server = node("client").await?;
    let ready = until_ready(&server)?;
    let stream = UnixStream::connect(path)
        .await
        .with_context(|| format!("connecting to {path}"))?;
    ractor_host::client_connect_external(&server, Box::new(Unix(stream))).await?;
    println!("connected to {}", ready.await?);

    let greeter = pg::get_members(&GROUP.into())
        .pop()
        .context("the other node has no greeter")?;
    let greeter = ActorRef::<GreeterMessage>::from(greeter);
    println!("{}", call_t!(greeter, GreeterMessage::Greet, 5_000, name.into())?);
    server.stop_and_wait(None, None).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", path] => serve(path).await,
        ["greet", path, name] => greet(path, name).await,
        _ => bail!("usage: unix-socket serve PATH | unix-socket greet PATH NAME"),
    }
}
