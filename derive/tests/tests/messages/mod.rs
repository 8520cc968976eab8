//! Message enums for the tests: the very same bodies, once with the stock derive and once with ours.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(unreachable_pub, reason = "a module of test binaries, which have no outside")]

use ractor::BytesConvertable;
use ractor::message::SerializedMessage;

/// A user's type whose bytes are a text with a newline after each name. Its `from_bytes` panics on anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl BytesConvertable for Names {
    fn into_bytes(self) -> Vec<u8> {
        self.0
            .into_iter()
            .flat_map(|name| [name, "\n".to_owned()])
            .collect::<String>()
            .into_bytes()
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8(bytes).expect("names are text");
        assert!(text.is_empty() || text.ends_with('\n'), "the last name is cut off");
        Self(text.lines().map(str::to_owned).collect())
    }
}

/// A user's generic type: its content's bytes after a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked<T>(pub T);

impl<T: BytesConvertable> BytesConvertable for Marked<T> {
    fn into_bytes(self) -> Vec<u8> {
        [vec![7], self.0.into_bytes()].concat()
    }

    fn from_bytes(mut bytes: Vec<u8>) -> Self {
        assert_eq!(bytes.remove(0), 7, "the mark is missing");
        Self(T::from_bytes(bytes))
    }
}

/// A user's type with a length in its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<const N: usize>(pub [u8; N]);

impl<const N: usize> BytesConvertable for Block<N> {
    fn into_bytes(self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes.try_into().expect("a block has its size"))
    }
}

macro_rules! messages {
    ($module:ident, $derive:path) => {
        pub mod $module {
            use super::{Block, Marked, Names};
            use ractor::{BytesConvertable, RpcReplyPort};

            #[derive($derive)]
            pub enum Rich {
                Stop,
                Nothing {},
                Number(u64),
                Numbers(u8, i16, u32, i64, u128),
                Floats {
                    single: f32,
                    double: f64,
                    many: Vec<f64>,
                },
                Text(String),
                Letters {
                    first: char,
                    rest: Vec<char>,
                    yes: bool,
                    flags: Vec<bool>,
                },
                Lists(Vec<u8>, Vec<i8>, Vec<u16>, Vec<i32>, Vec<u64>, Vec<i128>),
                Empty((), std::string::String, ()),
                Own(Names, Marked<u32>, Block<3>),
                r#Raw {
                    r#type: u8,
                },
                #[rpc]
                Get(RpcReplyPort<u64>),
                #[rpc]
                First(ractor::RpcReplyPort<String>, u8, String),
                #[rpc]
                Middle(Vec<u8>, ::ractor::RpcReplyPort<Vec<u8>>, Marked<String>),
                #[rpc]
                Named {
                    names: Names,
                    reply: RpcReplyPort<Names>,
                    count: u32,
                },
                #[rpc]
                Done {
                    reply: RpcReplyPort<()>,
                },
            }

            #[derive($derive)]
            pub enum Generic<T: BytesConvertable + Send + 'static, U, const N: usize>
            where
                U: BytesConvertable + Send + 'static,
                Vec<T>: BytesConvertable,
            {
                One(T),
                Many(Vec<T>, Block<N>),
                #[rpc]
                Ask(U, RpcReplyPort<Vec<T>>),
                #[rpc]
                Change {
                    reply: RpcReplyPort<Marked<U>>,
                    to: Marked<T>,
                },
            }
        }
    };
}

messages!(stock, ractor_cluster::RactorClusterMessage);
messages!(ours, ractor_host_derive::RactorClusterMessage);

/// What of a serialized message goes over the wire, and whether it is a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    pub variant: String,
    pub arguments: Vec<u8>,
    pub is_call: bool,
}

impl Wire {
    pub fn of(message: impl ractor::Message) -> Self {
        match message.serialize().expect("every message serializes") {
            SerializedMessage::Cast {
                variant,
                args,
                metadata: None,
            } => Self {
                variant,
                arguments: args,
                is_call: false,
            },
            SerializedMessage::Call {
                variant,
                args,
                metadata: None,
                ..
            } => Self {
                variant,
                arguments: args,
                is_call: true,
            },
            other => panic!("neither a cast nor a call, or with metadata: {other:?}"),
        }
    }

    /// The message as it comes from the wire, with a reply port that nobody listens to.
    pub fn received(self) -> SerializedMessage {
        let Self {
            variant,
            arguments: args,
            is_call,
        } = self;
        if is_call {
            let (reply, _) = ractor::concurrency::oneshot();
            SerializedMessage::Call {
                variant,
                args,
                reply: reply.into(),
                metadata: None,
            }
        } else {
            SerializedMessage::Cast {
                variant,
                args,
                metadata: None,
            }
        }
    }
}

/// A port that nobody listens to.
pub fn port<T>() -> ractor::RpcReplyPort<T> {
    ractor::concurrency::oneshot().0.into()
}
