//! Message types: the derives and the macro for prost types, as in the published crate's README.

use std::time::Duration;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Message, RpcReplyPort};
use ractor_cluster::{BytesConvertable, RactorClusterMessage, RactorMessage};

use crate::support::in_time;

/// For actors that only this process talks to: any field will do.
#[derive(RactorMessage)]
enum LocalMessage {
    Cast(String, u64),
    Call(u8, i64, RpcReplyPort<Vec<String>>),
}

/// The same for a type with parameters that isn't an enum.
#[derive(RactorMessage)]
struct LocalEnvelope<T: Send + 'static>(T);

/// For actors that other nodes talk to.
#[derive(RactorClusterMessage)]
enum ClusterMessage {
    Cast(String, u64),
    #[rpc]
    Call(u8, i64, RpcReplyPort<Vec<u64>>),
    #[rpc]
    Named {
        reply: RpcReplyPort<Point>,
        by: Point,
    },
    Unit,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Point {
    #[prost(int32, tag = "1")]
    x: i32,
    #[prost(string, tag = "2")]
    label: String,
}

ractor_cluster::derive_serialization_for_prost_type! {Point}

#[test]
fn a_local_message_is_not_serializable() {
    assert!(!LocalMessage::serializable());
    assert!(!LocalEnvelope::<u8>::serializable());
    let (reply, _answer) = ractor::concurrency::oneshot();
    for message in [
        LocalMessage::Cast("text".into(), 1),
        LocalMessage::Call(1, -1, reply.into()),
    ] {
        let LocalEnvelope(message) = LocalEnvelope(message);
        match &message {
            LocalMessage::Cast(text, number) => assert_eq!((text.as_str(), *number), ("text", 1)),
            LocalMessage::Call(one, other, reply) => assert!((*one, *other) == (1, -1) && !reply.is_closed()),
        }
        assert!(message.serialize().is_err());
    }
}

#[test]
fn a_cluster_message_crosses_as_bytes() -> Result<(), BoxedDowncastErr> {
    assert!(ClusterMessage::serializable());

    let SerializedMessage::Cast { variant, args, .. } = ClusterMessage::Cast("text".into(), 7).serialize()? else {
        panic!("not a cast");
    };
    assert_eq!(variant, "Cast");
    let back = ClusterMessage::deserialize(SerializedMessage::Cast {
        variant,
        args,
        metadata: None,
    })?;
    assert!(matches!(back, ClusterMessage::Cast(text, 7) if text == "text"));

    let unit = ClusterMessage::deserialize(ClusterMessage::Unit.serialize()?)?;
    assert!(matches!(unit, ClusterMessage::Unit));
    Ok(())
}

#[tokio::test]
async fn a_reply_crosses_as_bytes() {
    let (reply, answer) = ractor::concurrency::oneshot();
    let call = ClusterMessage::Call(8, -9, reply.into()).serialize().ok().unwrap();
    assert!(matches!(&call, SerializedMessage::Call { variant, .. } if variant == "Call"));
    match ClusterMessage::deserialize(call).ok().unwrap() {
        ClusterMessage::Call(8, -9, reply) => reply.send(vec![1, 2, 3]).unwrap(),
        _ => panic!("not what was put in"),
    }
    assert_eq!(answer.await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn a_prost_type_is_an_argument_and_a_reply() {
    let point = |x| Point {
        x,
        label: "here".into(),
    };
    // Length-delimited, as the wire has it.
    assert_eq!(point(3).into_bytes(), b"\x08\x08\x03\x12\x04here");
    assert_eq!(Point::from_bytes(point(4).into_bytes()), point(4));

    let (reply, answer) = ractor::concurrency::oneshot();
    let call = ClusterMessage::Named {
        reply: reply.into(),
        by: point(5),
    };
    match ClusterMessage::deserialize(call.serialize().ok().unwrap())
        .ok()
        .unwrap()
    {
        ClusterMessage::Named { reply, by } => reply.send(by).unwrap(),
        _ => panic!("not what was put in"),
    }
    assert_eq!(answer.await.unwrap(), point(5));
}

/// The macro works inside functions too, for a type from elsewhere.
#[test]
fn a_prost_type_can_be_made_usable_where_it_is_used() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Inner {
        #[prost(bool, tag = "1")]
        on: bool,
    }
    ractor_cluster::derive_serialization_for_prost_type! {Inner}
    let inner = Inner { on: true };
    assert_eq!(Inner::from_bytes(inner.clone().into_bytes()), inner);
}

#[tokio::test]
async fn a_reply_after_the_time_limit_finds_its_port_closed() {
    let limit = Duration::from_millis(20);
    let (reply, mut answer) = ractor::concurrency::oneshot();
    let sent = ClusterMessage::Call(1, -1, (reply, limit).into()).serialize();
    let Ok(SerializedMessage::Call { reply, .. }) = sent else {
        panic!("not a call");
    };
    closes(&reply).await;
    assert!(reply.send(Vec::new()).is_err());
    in_time("the end of the call", async { (&mut answer).await.unwrap_err() }).await;

    let (reply, answer) = ractor::concurrency::oneshot();
    let received = ClusterMessage::deserialize(SerializedMessage::Call {
        variant: "Call".into(),
        args: call_arguments(),
        reply: (reply, limit).into(),
        metadata: None,
    });
    let Ok(ClusterMessage::Call(_, _, reply)) = received else {
        panic!("not a call");
    };
    closes(&reply).await;
    assert!(reply.send(vec![1]).is_err());
    in_time("the end of the call", answer).await.unwrap_err();
}

async fn closes<T>(port: &RpcReplyPort<T>) {
    in_time("the end of the port", async {
        while !port.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The arguments of a [`ClusterMessage::Call`].
fn call_arguments() -> Vec<u8> {
    let (reply, _answer) = ractor::concurrency::oneshot();
    match ClusterMessage::Call(1, -1, reply.into()).serialize() {
        Ok(SerializedMessage::Call { args, .. }) => args,
        _ => panic!("not a call"),
    }
}
