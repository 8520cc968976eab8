//! What the actors of a node in another process are called here.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, call_t, cast, pg, registry};
use ractor_cluster::{RactorClusterMessage, client_connect};

use crate::support::{Node, alone, free_port, in_time, remote_member};

/// The group of all members.
const GROUP: &str = "members";
/// The test that runs in the other process, as the test harness calls it.
const OTHER_PROCESS: &str = "names::the_member_in_the_other_process";
/// The environment variable that tells it on which port the node of this process listens.
const PORT: &str = "DROP_IN_PORT";

/// What a [`Member`] understands.
#[derive(RactorClusterMessage)]
enum MemberMessage {
    /// From the member of this name.
    Hello(String),
    #[rpc]
    Name(RpcReplyPort<String>),
    /// Of each who said hello, whether a member has the name that they gave.
    #[rpc]
    Found(RpcReplyPort<Vec<bool>>),
}

/// An actor of a group that knows the others by their names.
struct Member;

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Member {
    type Msg = MemberMessage;
    type State = Vec<bool>;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<MemberMessage>, (): ()) -> Result<Vec<bool>, ActorProcessingErr> {
        pg::join(GROUP.to_owned(), vec![me.get_cell()]);
        Ok(Vec::new())
    }

    async fn handle(
        &self,
        me: ActorRef<MemberMessage>,
        message: MemberMessage,
        found: &mut Vec<bool>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            MemberMessage::Hello(from) => found.push(member(&from).is_some()),
            MemberMessage::Name(reply) => reply.send(me.get_name().unwrap_or_default())?,
            MemberMessage::Found(reply) => reply.send(found.clone())?,
        }
        Ok(())
    }
}

/// The member of this name, on whichever node it is.
fn member(name: &str) -> Option<ActorCell> {
    let members = pg::get_members(&GROUP.to_owned());
    members
        .into_iter()
        .find(|member| member.get_name().as_deref() == Some(name))
}

/// What the member says of those who said hello to it, once somebody has.
async fn found(member: &ActorRef<MemberMessage>) -> Vec<bool> {
    in_time("a hello", async {
        loop {
            let found = call_t!(member, MemberMessage::Found, 5_000).unwrap();
            if !found.is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_remote_member_has_the_name_that_it_has_at_home() {
    let _alone = alone().await;
    let port = free_port();
    let node = Node::start_on(port, "here", "cookie").await;
    let (own, own_ends) = Actor::spawn(Some("here".to_owned()), Member, ()).await.unwrap();
    let mut other = OtherProcess::start(port);

    let remote = remote_member(GROUP).await;
    assert_eq!(remote.get_name().as_deref(), Some("there"));
    assert_eq!(member("there"), Some(remote.clone()));
    assert!(
        registry::where_is("there").is_none(),
        "names are registered at home alone"
    );
    let remote: ActorRef<MemberMessage> = remote.into();
    assert_eq!(call_t!(remote, MemberMessage::Name, 5_000).unwrap(), "there");
    remote.cast(MemberMessage::Hello("here".to_owned())).unwrap();
    assert_eq!(found(&remote).await, [true]);
    assert_eq!(found(&own).await, [true]);

    other.end();
    in_time("the end of the member", async {
        while member("there").is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(registry::where_is("here"), Some(own.get_cell()));
    own.stop(None);
    own_ends.await.unwrap();
    node.stop().await;
}

/// Another process with a member named `there`.
struct OtherProcess(Child);

impl OtherProcess {
    fn start(port: u16) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([OTHER_PROCESS, "--exact", "--ignored", "--nocapture"]);
        let command = command.env(PORT, port.to_string()).stdin(Stdio::piped());
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    fn end(&mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        // After a test that failed. Of one that passed there is nothing left to kill.
        drop((self.0.kill(), self.0.wait()));
    }
}

/// What the other process runs, until its input ends.
#[tokio::test]
#[ignore = "another test runs it, in a process of its own"]
async fn the_member_in_the_other_process() {
    let Ok(port) = std::env::var(PORT) else { return };
    let node = Node::start("there").await;
    let (own, own_ends) = Actor::spawn(Some("there".to_owned()), Member, ()).await.unwrap();
    client_connect(&node.server, format!("127.0.0.1:{port}")).await.unwrap();
    let remote: ActorRef<MemberMessage> = remote_member(GROUP).await.into();
    cast!(remote, MemberMessage::Hello("there".to_owned())).unwrap();
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
    own.stop(None);
    own_ends.await.unwrap();
    node.stop().await;
}
