//! Messages to a guest, and from it.

use std::time::Duration;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{ActorRef, Message, RpcReplyPort, call_t, cast, pg};
use ractor_host::guest::GuestOptions;

use crate::support::{Native, ask, options, pid_bytes, start};

#[tokio::test]
async fn a_call_is_answered_with_what_the_guest_returns() {
    let guest = start(options()).await;
    assert_eq!(guest.call("echo", b"hello").await, Some(b"hello".to_vec()));
    assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
}

#[tokio::test]
async fn an_answer_can_come_later() {
    let guest = start(options()).await;
    let mut open = guest.ask("defer", b"");
    assert_eq!(guest.call("echo", b"1").await, Some(b"1".to_vec()));
    assert!(open.try_recv().is_err());
    guest.cast("answer", b"late");
    assert_eq!(open.await, Ok(b"late".to_vec()));
}

#[tokio::test]
async fn the_first_of_two_answers_counts() {
    let guest = start(options()).await;
    assert_eq!(guest.call("both", b"first").await, Some(b"first".to_vec()));
    assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
}

#[tokio::test]
async fn metadata_is_there_for_the_message_it_came_with() {
    let guest = start(options()).await;
    let reply = ask(&guest.cell, "metadata", b"", Some(b"trace-1"));
    assert_eq!(reply.await, Ok(b"trace-1".to_vec()));
    assert_eq!(guest.call("metadata", b"").await, Some(Vec::new()));
}

#[tokio::test]
async fn a_guest_reaches_native_actors_through_a_group() {
    let mut native = Native::start(None).await;
    pg::join("to-native".to_owned(), vec![native.cell.clone()]);
    let guest = start(options()).await;
    guest.cast("cast", b"to-native");
    assert_eq!(native.next().await, "echo:to-native");
    let reply = guest.call("call", b"to-native").await;
    assert_eq!(reply, Some(b"native to-native".to_vec()));
}

#[tokio::test]
async fn a_guest_reaches_another_guest_through_a_group() {
    let target = start(GuestOptions {
        groups: vec!["to-guest".to_owned()],
        ..options()
    })
    .await;
    let guest = start(options()).await;
    let reply = guest.call("call", b"to-guest").await;
    assert_eq!(reply, Some(b"to-guest".to_vec()));
    assert_eq!(guest.call("local", b"to-guest").await, Some(vec![1]));
    target.cast("leave", b"to-guest");
    target.call("echo", b"").await.unwrap();
    assert_eq!(pg::get_members(&"to-guest".to_owned()), Vec::new());
}

#[tokio::test]
async fn a_guest_joins_a_group_and_hears_its_casts() {
    let target = start(options()).await;
    let mut open = target.ask("defer", b"");
    target.cast("join", b"joiners");
    target.call("echo", b"").await.unwrap();
    let members = pg::get_members(&"joiners".to_owned());
    assert_eq!(members, std::slice::from_ref(&target.cell));
    // The cast `echo` is no letter that the script knows, so it changes nothing; `answer` would.
    let guest = start(options()).await;
    guest.cast("cast", b"joiners");
    assert_eq!(guest.call("call", b"joiners").await, Some(b"joiners".to_vec()));
    assert!(open.try_recv().is_err());
}

#[tokio::test]
async fn a_call_that_can_not_be_answered_is_an_error_at_once() {
    // The cases of `send-error`, in the order of the WIT.
    const UNKNOWN_ACTOR: u8 = 0;
    const NO_REPLY: u8 = 4;
    const WOULD_DEADLOCK: u8 = 5;

    let guest = start(options()).await;
    let myself = guest.call("identity", b"").await.unwrap();
    assert_eq!(myself, pid_bytes(0, guest.cell.get_id().pid()));
    assert_eq!(guest.call("pid", &myself).await, Some(vec![WOULD_DEADLOCK]));

    let nobody = [
        pid_bytes(0, 1 << 40),
        pid_bytes(0, 1 << 52),
        pid_bytes(9, 0),
        pid_bytes(1 << 52, 1 << 52),
    ];
    for pid in nobody {
        assert_eq!(guest.call("pid", &pid).await, Some(vec![UNKNOWN_ACTOR]), "{pid:?}");
    }

    let other = start(options()).await;
    let pid = pid_bytes(0, other.cell.get_id().pid());
    assert_eq!(guest.call("pid", &pid).await, Some(Vec::new()));
    other.cast("trap", b"");
    other.guest.ended.await.unwrap();
    assert_eq!(guest.call("pid", &pid).await, Some(vec![UNKNOWN_ACTOR]));

    let native = Native::start(None).await;
    let silence = [&*pid_bytes(0, native.cell.get_id().pid()), b"silence"].concat();
    assert_eq!(guest.call("pid", &silence).await, Some(vec![NO_REPLY]));
}

#[tokio::test]
async fn a_guest_knows_who_and_where_it_is() {
    let native = Native::start(Some("known-native")).await;
    let guest = start(GuestOptions {
        name: Some("known-guest".to_owned()),
        ..options()
    })
    .await;
    assert_eq!(guest.call("name", b"").await, Some(b"known-guest".to_vec()));
    assert_eq!(guest.call("home", b"").await, Some(b"test@localhost".to_vec()));
    let expected = pid_bytes(0, native.cell.get_id().pid());
    assert_eq!(guest.call("registry", b"known-native").await, Some(expected));
    let expected = pid_bytes(0, guest.cell.get_id().pid());
    assert_eq!(guest.call("registry", b"known-guest").await, Some(expected));
    assert_eq!(guest.call("registry", b"nobody").await, Some(Vec::new()));
}

/// A message type as the derive macro would make it.
enum Script {
    Echo(String, RpcReplyPort<String>),
    Stop(String),
}

impl Message for Script {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(match self {
            Self::Echo(text, port) => {
                let (sender, receiver) = tokio::sync::oneshot::channel();
                let timeout = port.get_timeout().unwrap_or(Duration::from_secs(1));
                tokio::spawn(async move {
                    if let Ok(bytes) = receiver.await {
                        drop(port.send(String::from_utf8(bytes).unwrap()));
                    }
                });
                SerializedMessage::Call {
                    variant: "echo".to_owned(),
                    args: text.into_bytes(),
                    reply: (sender, timeout).into(),
                    metadata: None,
                }
            }
            Self::Stop(reason) => SerializedMessage::Cast {
                variant: "stop".to_owned(),
                args: reason.into_bytes(),
                metadata: None,
            },
        })
    }
}

#[tokio::test]
async fn native_code_uses_a_typed_reference_as_for_any_actor() {
    let mut guest = start(options()).await;
    let typed = ActorRef::<Script>::from(guest.cell.clone());
    let reply = call_t!(typed, Script::Echo, 5_000, "typed".to_owned()).unwrap();
    assert_eq!(reply, "typed");
    cast!(typed, Script::Stop("asked to".to_owned())).unwrap();
    assert_eq!(guest.supervisor.end().await, "ended: asked to");
    assert!(cast!(typed, Script::Stop(String::new())).is_err());
}
