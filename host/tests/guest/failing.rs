//! Calls that fail for a reason: who hears it, and that the actor goes on.

use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, RpcReplyPort, call_t};
use ractor_host::directory::{MAX_REASON_BYTES, NoReply, Reply, reply_port};
use ractor_host::guest::Module;
use ractor_host::{CallError, FailCall, call};

use crate::support::{ENGINE, Running, SCRIPT, component, load, options, pid_bytes, start, start_module};

const IMPORTS: &str = r#"
  (import "ractor:actor/messaging@0.1.0" "fail-call" (func $fail_call (param i64 i32 i32)))
  (import "ractor:actor/requests@0.1.0" "call" (func $request (param i64 i64 i32 i32 i32 i32 i32 i64 i32)))
"#;

/// The function of `calls`, which does what the first letter of the variant says. The outcome is at 16.
const CALLS: &str = r#"
  (data (i32.const 384) "fail")
  (func $outcome (param $kind i32) (param $at i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store8 (i32.const 20) (local.get $kind))
    (i32.store (i32.const 24) (local.get $at))
    (i32.store (i32.const 28) (local.get $length))
    (i32.const 16))
  (func (export "ractor:actor/calls@0.1.0#handle-call")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (param $reply_to i64)
    (result i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u (local.get $variant)))
    ;; d: later
    (if (i32.eq (local.get $letter) (i32.const 0x64)) (then
      (global.set $open_call (local.get $reply_to))
      (return (call $outcome (i32.const 1) (i32.const 0) (i32.const 0)))))
    ;; f: failed, with the arguments as the reason
    (if (i32.eq (local.get $letter) (i32.const 0x66)) (then
      (return (call $outcome (i32.const 2) (local.get $args) (local.get $length)))))
    ;; g: failed, with much of the memory as the reason
    (if (i32.eq (local.get $letter) (i32.const 0x67)) (then
      (return (call $outcome (i32.const 2) (i32.const 1024) (i32.const 60000)))))
    ;; n: fail now, and say later
    (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then
      (call $fail_call (local.get $reply_to) (local.get $args) (local.get $length))
      (return (call $outcome (i32.const 1) (i32.const 0) (i32.const 0)))))
    ;; p: call the pid in the arguments with the rest of them: the reply, the reason, or the byte that names the error
    (if (i32.eq (local.get $letter) (i32.const 0x70)) (then
      (call $request
        (i64.load (local.get $args)) (i64.load offset=8 (local.get $args))
        (i32.const 384) (i32.const 4)
        (i32.add (local.get $args) (i32.const 16)) (i32.sub (local.get $length) (i32.const 16))
        (i32.const 0) (i64.const 0) (i32.const 64))
      (if (i32.eqz (i32.load8_u (i32.const 64)))
        (then (return (call $outcome (i32.const 0) (i32.load (i32.const 68)) (i32.load (i32.const 72))))))
      (if (i32.eq (i32.load8_u (i32.const 68)) (i32.const 8))
        (then (return (call $outcome (i32.const 0) (i32.load (i32.const 72)) (i32.load (i32.const 76))))))
      (return (call $outcome (i32.const 0) (i32.const 68) (i32.const 1)))))
    ;; r: reply and fail
    (if (i32.eq (local.get $letter) (i32.const 0x72)) (then
      (call $reply (local.get $reply_to) (local.get $args) (local.get $length) (i32.const 64))
      (call $fail_call (local.get $reply_to) (local.get $args) (local.get $length))
      (return (call $outcome (i32.const 2) (local.get $args) (local.get $length)))))
    ;; t: fail twice, and a call that was never made
    (if (i32.eq (local.get $letter) (i32.const 0x74)) (then
      (call $fail_call (local.get $reply_to) (local.get $args) (local.get $length))
      (call $fail_call (i64.const 4096) (local.get $args) (local.get $length))
      (return (call $outcome (i32.const 2) (i32.const 384) (i32.const 4)))))
    ;; z: fail the call that was put off
    (if (i32.eq (local.get $letter) (i32.const 0x7a)) (then
      (call $fail_call (global.get $open_call) (local.get $args) (local.get $length))))
    (call $outcome (i32.const 0) (local.get $args) (local.get $length)))
)
"#;

async fn module() -> Module {
    let core = SCRIPT.replacen("(import", &format!("{IMPORTS}(import"), 1);
    let core = core.trim_end().strip_suffix(')').unwrap().to_owned() + CALLS;
    let more = "import ractor:actor/requests@0.1.0; export ractor:actor/calls@0.1.0;";
    load(&ENGINE, &component(&core, "", more)).await.unwrap()
}

async fn failing() -> Running {
    start_module(&module().await, options()).await.unwrap()
}

/// Calls as one who hears reasons.
fn hear(actor: &ActorCell, variant: &str, args: &[u8]) -> Reply<Vec<u8>> {
    let (port, reply) = reply_port(None);
    actor
        .send_serialized(SerializedMessage::Call {
            variant: variant.to_owned(),
            args: args.to_vec(),
            reply: port,
            metadata: None,
        })
        .unwrap();
    reply
}

#[track_caller]
fn reason(outcome: Result<Vec<u8>, NoReply>) -> String {
    match outcome {
        Err(NoReply::Failed(reason)) => reason.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_failed_call_tells_its_caller_why_and_the_actor_goes_on() {
    let guest = failing().await;
    for variant in ["fail", "now"] {
        assert_eq!(reason(hear(&guest.cell, variant, b"no such row").await), "no such row");
    }
    let open = hear(&guest.cell, "defer", b"");
    assert_eq!(hear(&guest.cell, "zap", b"too late").await, Ok(b"too late".to_vec()));
    assert_eq!(reason(open.await), "too late");
    // Whoever hears no reasons hears what it always did.
    assert_eq!(guest.call("fail", b"unheard").await, None);
    assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
    // It was never restarted: the call that was put off is still known.
    let open = hear(&guest.cell, "defer", b"");
    guest.cast("answer", b"at last");
    assert_eq!(open.await, Ok(b"at last".to_vec()));
    let mut supervisor = guest.supervisor;
    assert_eq!(supervisor.next().await, "started");
    assert!(supervisor.is_quiet());
}

#[tokio::test]
async fn a_guest_hears_why_its_call_failed() {
    let (guest, other) = (failing().await, failing().await);
    let to = |pid: u64, rest: &[u8]| [&*pid_bytes(0, pid), rest].concat();
    let other_pid = other.cell.get_id().pid();
    let heard = guest.call("p", &to(other_pid, "größer".as_bytes())).await;
    assert_eq!(heard, Some("größer".into()));
    // The actors of this interface's older sister have no word for it: 4 is `no-reply`.
    let elder = start(options()).await;
    assert_eq!(elder.call("pid", &to(other_pid, b"")).await, Some(Vec::new()));
    let native = Actor::spawn(None, Picky, ()).await.unwrap().0;
    let heard = guest.call("p", &to(native.get_id().pid(), b"x")).await;
    assert_eq!(heard, Some(b"fail is not to my taste".to_vec()));
    // A call to itself is one in a circle.
    let heard = guest.call("p", &to(guest.cell.get_id().pid(), b"x")).await;
    assert_eq!(heard, Some(vec![5]));
}

#[tokio::test]
async fn a_reason_is_one_short_line_whatever_a_guest_says() {
    let guest = failing().await;
    let control = "two\nlines \u{1b}[2J \0".as_bytes();
    assert_eq!(
        reason(hear(&guest.cell, "fail", control).await),
        "two\\nlines \\u{1b}[2J \\u{0}"
    );
    let long = reason(hear(&guest.cell, "fail", &"ü".repeat(30_000).into_bytes()).await);
    assert!(
        long.len() <= MAX_REASON_BYTES && long.ends_with("(cut off)"),
        "{}",
        long.len()
    );
    // 60 000 zeros, each of which is escaped.
    let zeros = reason(hear(&guest.cell, "giant", b"").await);
    assert!(
        zeros.len() <= MAX_REASON_BYTES && zeros.starts_with("\\u{0}"),
        "{}",
        zeros.len()
    );
    assert_eq!(reason(hear(&guest.cell, "fail", b"").await), "");
    assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
}

#[tokio::test]
async fn of_a_reply_and_reasons_the_first_counts() {
    let guest = failing().await;
    assert_eq!(hear(&guest.cell, "reply", b"first").await, Ok(b"first".to_vec()));
    assert_eq!(
        reason(hear(&guest.cell, "twice", b"the first reason").await),
        "the first reason"
    );
    assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
}

#[tokio::test]
async fn a_call_whose_caller_has_gone_fails_for_nobody() {
    let guest = failing().await;
    drop(hear(&guest.cell, "defer", b""));
    assert_eq!(
        hear(&guest.cell, "zap", b"nobody waits").await,
        Ok(b"nobody waits".to_vec())
    );
    drop(hear(&guest.cell, "fail", b"gone"));
    assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
}

/// Fails every call that is not to its taste.
struct Picky;

enum Taste {
    Sweet(RpcReplyPort<Vec<u8>>),
    Other(String, RpcReplyPort<Vec<u8>>),
    Keep(RpcReplyPort<Vec<u8>>),
}

impl Message for Taste {
    fn serializable() -> bool {
        true
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, ractor::message::BoxedDowncastErr> {
        match message {
            SerializedMessage::Call { variant, reply, .. } => Ok(Self::Other(variant, reply)),
            _ => Err(ractor::message::BoxedDowncastErr),
        }
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Picky {
    type Msg = Taste;
    type State = Vec<RpcReplyPort<Vec<u8>>>;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Taste>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        Ok(Vec::new())
    }

    async fn handle(&self, _: ActorRef<Taste>, taste: Taste, kept: &mut Self::State) -> Result<(), ActorProcessingErr> {
        match taste {
            Taste::Sweet(reply) => reply.send(b"sweet".to_vec())?,
            Taste::Other(what, reply) => reply.fail(format_args!("{what} is not to my taste")),
            Taste::Keep(reply) => kept.push(reply),
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_native_actor_fails_a_call_and_goes_on() {
    let (actor, ended) = Actor::spawn(None, Picky, ()).await.unwrap();
    let sour = || call(&actor, |reply| Taste::Other("sour".to_owned(), reply), None);
    assert_eq!(
        sour().await,
        Err(CallError::Failed("sour is not to my taste".to_owned()))
    );
    assert_eq!(call(&actor, Taste::Sweet, None).await, Ok(b"sweet".to_vec()));
    let brief = Some(Duration::from_millis(20));
    assert_eq!(call(&actor, Taste::Keep, brief).await, Err(CallError::Timeout));
    // ractor's own macro has no word for a reason, and for what it gets instead it has had one all along.
    let stock = call_t!(actor, Taste::Other, 20_000, "salty".to_owned());
    assert!(matches!(
        stock,
        Err(ractor::RactorErr::Messaging(ractor::MessagingErr::ChannelClosed))
    ));
    assert_eq!(call(&actor, Taste::Sweet, None).await, Ok(b"sweet".to_vec()));
    actor.stop(None);
    ended.await.unwrap();
    assert_eq!(sour().await, Err(CallError::Stopped));
}
