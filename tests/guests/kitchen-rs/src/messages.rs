//! What a kitchen understands.

use ractor::{Json, Protobuf, RactorClusterMessage, RpcReplyPort};
use serde::{Deserialize, Serialize};

/// `kitchen.Order`, of `kitchen.proto`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Order {
    /// What the guest is called by.
    #[prost(string, tag = "1")]
    pub id: String,
    /// How many of each.
    #[prost(uint64, tag = "2")]
    pub quantity: u64,
    /// What is ordered.
    #[prost(string, repeated, tag = "3")]
    pub items: Vec<String>,
    /// Anything else.
    #[prost(bytes = "vec", tag = "4")]
    pub blob: Vec<u8>,
}

impl prost::Name for Order {
    const NAME: &'static str = "Order";
    const PACKAGE: &'static str = "kitchen";
}

/// The same in JSON.
pub mod in_json {
    use super::{Deserialize, Serialize};

    /// An order.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Order {
        /// What the guest is called by.
        pub id: String,
        /// How many of each.
        pub quantity: u64,
        /// What is ordered.
        pub items: Vec<String>,
    }
}

/// What a [`Kitchen`](crate::Kitchen) understands.
#[derive(Debug, RactorClusterMessage)]
#[expect(missing_docs, reason = "most names say what the messages do")]
pub enum KitchenMsg {
    /// Adds to the count.
    Add {
        n: u64,
    },
    /// Adds to the big number.
    AddBig {
        n: i128,
    },
    Mark {
        n: u64,
    },
    SetNote {
        text: String,
    },
    /// Fails with this text.
    ThrowCast {
        text: String,
    },
    /// Panics.
    Trap,
    Log {
        level: String,
        text: String,
    },
    Print {
        text: String,
    },
    /// Marks a number after a while.
    After {
        ms: u64,
        n: u64,
    },
    /// Marks a number again and again.
    Every {
        ms: u64,
        n: u64,
    },
    CancelTimers,
    Join {
        group: String,
    },
    Leave {
        group: String,
    },
    MonitorGroup {
        group: String,
    },
    MonitorActor {
        name: String,
    },
    Forget {
        name: String,
    },
    StopSelf {
        reason: String,
    },
    ExitNow {
        reason: String,
    },
    CastOther {
        name: String,
        n: u64,
    },
    /// Answers every call that is kept.
    Release {
        text: String,
    },
    /// What comes back to a `Later` when its time has come.
    LaterIsNow {
        number: u64,
        text: String,
    },
    /// What comes back to a `FailLater`.
    FailNow {
        number: u64,
        text: String,
    },

    #[rpc]
    EchoU8 {
        value: u8,
        reply: RpcReplyPort<u8>,
    },
    #[rpc]
    EchoU16 {
        value: u16,
        reply: RpcReplyPort<u16>,
    },
    #[rpc]
    EchoU32 {
        value: u32,
        reply: RpcReplyPort<u32>,
    },
    #[rpc]
    EchoU64 {
        value: u64,
        reply: RpcReplyPort<u64>,
    },
    #[rpc]
    EchoU128 {
        value: u128,
        reply: RpcReplyPort<u128>,
    },
    #[rpc]
    EchoI8 {
        value: i8,
        reply: RpcReplyPort<i8>,
    },
    #[rpc]
    EchoI16 {
        value: i16,
        reply: RpcReplyPort<i16>,
    },
    #[rpc]
    EchoI32 {
        value: i32,
        reply: RpcReplyPort<i32>,
    },
    #[rpc]
    EchoI64 {
        value: i64,
        reply: RpcReplyPort<i64>,
    },
    #[rpc]
    EchoI128 {
        value: i128,
        reply: RpcReplyPort<i128>,
    },
    #[rpc]
    EchoF32 {
        value: f32,
        reply: RpcReplyPort<f32>,
    },
    #[rpc]
    EchoF64 {
        value: f64,
        reply: RpcReplyPort<f64>,
    },
    #[rpc]
    EchoBool {
        value: bool,
        reply: RpcReplyPort<bool>,
    },
    #[rpc]
    EchoChar {
        value: char,
        reply: RpcReplyPort<char>,
    },
    #[rpc]
    EchoString {
        value: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    EchoBytes {
        value: Vec<u8>,
        reply: RpcReplyPort<Vec<u8>>,
    },
    #[rpc]
    EchoListU16 {
        value: Vec<u16>,
        reply: RpcReplyPort<Vec<u16>>,
    },
    #[rpc]
    EchoListU64 {
        value: Vec<u64>,
        reply: RpcReplyPort<Vec<u64>>,
    },
    #[rpc]
    EchoListI64 {
        value: Vec<i64>,
        reply: RpcReplyPort<Vec<i64>>,
    },
    #[rpc]
    EchoListI128 {
        value: Vec<i128>,
        reply: RpcReplyPort<Vec<i128>>,
    },
    #[rpc]
    EchoListF32 {
        value: Vec<f32>,
        reply: RpcReplyPort<Vec<f32>>,
    },
    #[rpc]
    EchoListF64 {
        value: Vec<f64>,
        reply: RpcReplyPort<Vec<f64>>,
    },
    #[rpc]
    EchoListBool {
        value: Vec<bool>,
        reply: RpcReplyPort<Vec<bool>>,
    },
    #[rpc]
    EchoListChar {
        value: Vec<char>,
        reply: RpcReplyPort<Vec<char>>,
    },
    /// Orders one more.
    #[rpc]
    EchoProto {
        value: Protobuf<Order>,
        reply: RpcReplyPort<Protobuf<Order>>,
    },
    /// Orders one more.
    #[rpc]
    EchoJson {
        value: Json<in_json::Order>,
        reply: RpcReplyPort<Json<in_json::Order>>,
    },

    #[rpc]
    Two {
        number: u64,
        text: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Nothing {
        reply: RpcReplyPort<()>,
    },
    /// The count.
    #[rpc]
    Get {
        reply: RpcReplyPort<u64>,
    },
    #[rpc]
    GetBig {
        reply: RpcReplyPort<i128>,
    },
    #[rpc]
    GetMarks {
        reply: RpcReplyPort<Vec<u64>>,
    },
    #[rpc]
    GetNote {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Later {
        ms: u64,
        text: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Keep {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    DropIt {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    FailIt {
        text: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    FailLater {
        text: String,
        reply: RpcReplyPort<String>,
    },
    /// As `FailIt`: Rust throws nothing.
    #[rpc]
    Throw {
        text: String,
        reply: RpcReplyPort<String>,
    },
    /// Panics.
    #[rpc]
    TrapCall {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Recurse {
        depth: u32,
        reply: RpcReplyPort<u32>,
    },
    #[rpc]
    Allocate {
        bytes: u64,
        reply: RpcReplyPort<u64>,
    },

    /// Calls another kitchen.
    #[rpc]
    CallOther {
        name: String,
        what: String,
        ms: u64,
        reply: RpcReplyPort<String>,
    },
    /// The same.
    #[rpc]
    AskOther {
        name: String,
        what: String,
        ms: u64,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Ring {
        name: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    AskRing {
        name: String,
        reply: RpcReplyPort<String>,
    },
    /// The sum of that many counts of another, asked for at once.
    #[rpc]
    Gather {
        name: String,
        times: u32,
        reply: RpcReplyPort<u64>,
    },
    /// Gives up a call.
    #[rpc]
    Cancel {
        name: String,
        reply: RpcReplyPort<String>,
    },
    /// Awaits a call for a while.
    #[rpc]
    TimeoutAwait {
        name: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Sleep {
        ms: u64,
        reply: RpcReplyPort<u64>,
    },
    #[rpc]
    Steps {
        text: String,
        reply: RpcReplyPort<String>,
    },

    #[rpc]
    Members {
        group: String,
        reply: RpcReplyPort<u32>,
    },
    #[rpc]
    WhereIs {
        name: String,
        reply: RpcReplyPort<bool>,
    },
    /// What was heard of others.
    #[rpc]
    Events {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Spawn {
        module: String,
        name: String,
        argument: String,
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Children {
        reply: RpcReplyPort<u32>,
    },
    #[rpc]
    StopChild {
        name: String,
        reply: RpcReplyPort<bool>,
    },
    #[rpc]
    KillChild {
        name: String,
        reply: RpcReplyPort<bool>,
    },

    #[rpc]
    Config {
        key: String,
        reply: RpcReplyPort<String>,
    },
    /// The name of this actor and of its node.
    #[rpc]
    #[wire(name = "Self")]
    NameAndNode {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Now {
        reply: RpcReplyPort<u64>,
    },
    /// Replies with the `traceparent` of its span; empty if it has none.
    #[rpc]
    Trace {
        reply: RpcReplyPort<String>,
    },
    #[rpc]
    Random {
        reply: RpcReplyPort<u64>,
    },
    #[rpc]
    Address {
        name: String,
        reply: RpcReplyPort<Vec<u8>>,
    },
    #[rpc]
    CastAddress {
        address: Vec<u8>,
        n: u64,
        reply: RpcReplyPort<bool>,
    },
    /// Sends that many bytes to the actor of the config's `peer` and counts those that come back.
    #[rpc]
    Big {
        bytes: u64,
        reply: RpcReplyPort<u64>,
    },
}
