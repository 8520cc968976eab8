//! The derives work, and without a warning, whatever surrounds the enum: its fields, its module, its visibility.
#![deny(warnings)]
#![deny(
    elided_lifetimes_in_paths,
    missing_docs,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused_qualifications,
    unused_results
)]
#![deny(clippy::pedantic)]
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "a test fails by panicking")]

use ractor::Message;
use ractor::message::SerializedMessage;
use ractor_host_derive::{RactorClusterMessage, RactorMessage};

/// Sends a message through its bytes.
fn travel<M: Message>(message: M) -> M {
    assert!(M::serializable());
    M::deserialize(message.serialize().expect("it serializes")).expect("it deserializes")
}

/// Fields with the names of what a careless expansion would use.
mod names_of_fields {
    use super::{RactorClusterMessage, travel};

    #[derive(RactorClusterMessage, Debug, PartialEq)]
    enum Fields {
        Cast {
            variant: u8,
            args: u16,
            metadata: u32,
            bytes: Vec<u8>,
            data: String,
            ptr: u64,
            self_: bool,
            message: (),
        },
        Raw {
            r#type: u8,
            r#match: u16,
        },
    }

    #[derive(RactorClusterMessage, Debug)]
    enum Calls {
        #[rpc]
        Call {
            tx: u8,
            rx: u8,
            port: ractor::RpcReplyPort<u8>,
            reply: u8,
            timeout: u8,
            result: u8,
        },
    }

    #[test]
    fn any_name_will_do() {
        let fields = || Fields::Cast {
            variant: 1,
            args: 2,
            metadata: 3,
            bytes: vec![4],
            data: "5".to_owned(),
            ptr: 6,
            self_: true,
            message: (),
        };
        assert_eq!(travel(fields()), fields());
        assert_eq!(
            travel(Fields::Raw { r#type: 1, r#match: 2 }),
            Fields::Raw { r#type: 1, r#match: 2 }
        );
    }

    #[tokio::test]
    async fn also_beside_a_reply_port() {
        let (port, answer) = ractor::concurrency::oneshot();
        let Calls::Call {
            tx,
            rx,
            port,
            reply,
            timeout,
            result,
        } = travel(Calls::Call {
            tx: 1,
            rx: 2,
            port: port.into(),
            reply: 3,
            timeout: 4,
            result: 5,
        });
        port.send(tx + rx + reply + timeout + result).expect("somebody waits");
        assert_eq!(answer.await, Ok(15));
    }
}

/// The names of the prelude and of the primitives are taken by others, without any prelude at all.
#[no_implicit_prelude]
mod shadowed_names {
    use ::ractor;
    use ::ractor_host_derive::RactorClusterMessage;
    use ::std::clone::Clone;
    use ::std::fmt::Debug;

    /// A trait with the names of common methods, for every type.
    #[expect(
        clippy::wrong_self_convention,
        reason = "by value it comes before the methods of the types"
    )]
    trait Hijack: ::std::marker::Sized {
        fn len(self) -> &'static str {
            "hijacked"
        }
        fn get(self) -> &'static str {
            Self::len(self)
        }
        fn to_vec(self) -> &'static str {
            Self::get(self)
        }
        fn ok(self) -> &'static str {
            Self::to_vec(self)
        }
        fn send(self) -> &'static str {
            Self::ok(self)
        }
        fn is_empty(self) -> &'static str {
            Self::send(self)
        }
    }
    impl<T> Hijack for T {}

    #[derive(Debug, Clone, Copy)]
    struct Result;
    #[derive(Debug, Clone, Copy)]
    struct Option;
    struct String;
    struct Vec;
    #[expect(non_camel_case_types, reason = "it hides the primitive")]
    struct u64;
    #[expect(non_camel_case_types, reason = "it hides the primitive")]
    struct usize;
    #[expect(non_snake_case, reason = "it hides the variant")]
    const fn Ok() {}
    #[expect(non_upper_case_globals, reason = "a pattern of that name would match it")]
    const variant: u8 = 1;
    mod core {}
    mod std {}

    #[derive(RactorClusterMessage, Debug)]
    pub(super) enum Shadowed {
        Number(::core::primitive::u64, ::std::string::String),
        #[rpc]
        Get(u8, ractor::RpcReplyPort<::std::vec::Vec<u8>>),
    }

    #[test]
    fn nothing_is_confused() {
        Ok();
        let (_, _, _, _, _, _) = (Result, Option, String, Vec, u64, usize);
        ::std::assert_eq!(Hijack::is_empty(variant), "hijacked");
        let text = <::std::string::String as ::std::convert::From<&str>>::from("x");
        ::std::assert!(::std::matches!(
            super::travel(Shadowed::Number(1, text)),
            Shadowed::Number(1, _)
        ));
    }

    pub(super) async fn nor_with_a_call() {
        let (port, answer) = ::ractor::concurrency::oneshot();
        let message = super::travel(Shadowed::Get(7, ::std::convert::From::from(port)));
        let Shadowed::Get(7, port) = message else {
            ::std::panic!("another message")
        };
        ::std::mem::drop(ractor::RpcReplyPort::send(port, ::std::vec![8]));
        ::std::assert_eq!(answer.await, ::std::result::Result::Ok(::std::vec![8]));
    }
}

#[tokio::test]
async fn shadowed_names_do_not_confuse_a_call() {
    shadowed_names::nor_with_a_call().await;
}

/// Variants and type parameters with names of the expansion's own surroundings.
mod names_of_variants {
    use super::{RactorClusterMessage, travel};
    use ractor::RpcReplyPort;

    #[derive(RactorClusterMessage, Debug)]
    enum Variants {
        Ok,
        Err(String),
        Some {},
        None(),
        Self_,
        String(String),
        #[rpc]
        Result(RpcReplyPort<Vec<u8>>),
    }

    #[derive(RactorClusterMessage, Debug, PartialEq)]
    enum Parameter<Vec, String> {
        A(Vec),
        B { string: String, vec: Vec },
    }

    #[test]
    fn any_name_will_do() {
        assert!(matches!(travel(Variants::Ok), Variants::Ok));
        assert!(matches!(travel(Variants::Some {}), Variants::Some {}));
        assert!(matches!(travel(Variants::None()), Variants::None()));
        assert!(matches!(travel(Variants::Self_), Variants::Self_));
        assert!(matches!(travel(Variants::Err("e".to_owned())), Variants::Err(e) if e == "e"));
        assert!(matches!(travel(Variants::String("s".to_owned())), Variants::String(s) if s == "s"));
        assert_eq!(travel(Parameter::<u8, u16>::A(1)), Parameter::A(1));
        assert_eq!(
            travel(Parameter::<u8, u16>::B { string: 1, vec: 2 }),
            Parameter::B { string: 1, vec: 2 }
        );
    }

    #[tokio::test]
    async fn also_for_a_call() {
        let (port, _answer) = ractor::concurrency::oneshot();
        assert!(matches!(travel(Variants::Result(port.into())), Variants::Result(_)));
    }
}

/// Enums in functions, in macros, without variants, with defaults and without a bound.
mod places {
    use super::{Message, RactorClusterMessage, RactorMessage, SerializedMessage, travel};
    use ractor::{BytesConvertable, RpcReplyPort};

    #[derive(RactorClusterMessage, Debug, PartialEq)]
    enum Unbounded<T, U = String> {
        One(T),
        Many { many: Vec<T>, one: U },
    }

    #[derive(RactorClusterMessage)]
    enum Asks<T, U> {
        #[rpc]
        Ask(RpcReplyPort<T>, U),
    }

    #[derive(RactorMessage)]
    struct Local<T>(T);

    #[derive(RactorClusterMessage)]
    enum Never {}

    /// Its bytes are the variant and the arguments of the message inside: a message that contains its own kind.
    #[derive(Debug, PartialEq)]
    struct Boxed<T: Send + 'static>(Box<Nested<T>>);

    impl<T: BytesConvertable + Send + 'static> BytesConvertable for Boxed<T> {
        fn into_bytes(self) -> Vec<u8> {
            let Ok(SerializedMessage::Cast { variant, args, .. }) = self.0.serialize() else {
                return Vec::new();
            };
            [variant.into_bytes(), args].concat()
        }

        fn from_bytes(bytes: Vec<u8>) -> Self {
            let (variant, arguments) = bytes.split_at("Leaf".len());
            let variant = String::from_utf8_lossy(variant).into_owned();
            let cast = SerializedMessage::Cast {
                variant,
                args: arguments.to_vec(),
                metadata: None,
            };
            Self(Box::new(Nested::deserialize(cast).expect("a message is inside")))
        }
    }

    #[derive(RactorClusterMessage, Debug, PartialEq)]
    enum Nested<T: Send + 'static> {
        Leaf(T),
        Node(Boxed<T>),
    }

    macro_rules! message {
        ($name:ident, $field:ty, $port:ty) => {
            #[derive(RactorClusterMessage)]
            enum $name {
                Cast($field),
                #[rpc]
                Call($field, $port),
            }
        };
    }
    message!(FromMacro, Vec<u16>, RpcReplyPort<u8>);

    #[tokio::test]
    async fn all_of_them_travel() {
        #[derive(RactorClusterMessage, Debug, PartialEq)]
        enum Inside {
            One(u8),
        }
        assert_eq!(travel(Inside::One(1)), Inside::One(1));
        assert_eq!(travel(Unbounded::<u8>::One(1)), Unbounded::One(1));
        let many = || Unbounded::Many {
            many: vec![1_u16],
            one: "x".to_owned(),
        };
        assert_eq!(travel(many()), many());
        let (port, _answer) = ractor::concurrency::oneshot::<String>();
        assert!(matches!(travel(Asks::Ask(port.into(), 1_u8)), Asks::Ask(_, 1)));
        assert!(!<Local<u8> as Message>::serializable());
        assert_eq!(Local(1).0, 1);
        assert!(<Never as Message>::serializable());
        assert!(matches!(travel(FromMacro::Cast(vec![1])), FromMacro::Cast(list) if list == [1]));
        let (port, _answer) = ractor::concurrency::oneshot();
        assert!(matches!(
            travel(FromMacro::Call(vec![1], port.into())),
            FromMacro::Call(..)
        ));
    }

    #[test]
    fn a_message_may_contain_its_own_kind() {
        let node = || Nested::Node(Boxed(Box::new(Nested::Node(Boxed(Box::new(Nested::Leaf(5_u8)))))));
        assert_eq!(travel(node()), node());
    }
}

/// A public message with a private type inside, whose impl then has a bound on the private type.
mod visibility {
    use ractor::BytesConvertable;
    use ractor_host_derive::RactorClusterMessage;

    #[derive(Debug)]
    struct Private<T>(T);

    impl<T: BytesConvertable> BytesConvertable for Private<T> {
        fn into_bytes(self) -> Vec<u8> {
            self.0.into_bytes()
        }

        fn from_bytes(bytes: Vec<u8>) -> Self {
            Self(T::from_bytes(bytes))
        }
    }

    #[derive(RactorClusterMessage, Debug)]
    #[expect(
        private_interfaces,
        unreachable_pub,
        reason = "the field itself is what the first of them is about"
    )]
    pub enum Public<T> {
        One(Private<T>),
    }

    #[test]
    fn the_compiler_complains_of_the_field_only() {
        let Public::One(Private(one)) = super::travel(Public::One(Private(1_u8)));
        assert_eq!(one, 1);
    }
}

/// `ractor` is whatever has that name where the enum is.
mod renamed {
    mod deeper {
        pub(super) use ::ractor as elsewhere;
    }
    use super::RactorClusterMessage;
    use deeper::elsewhere as ractor;

    #[derive(RactorClusterMessage)]
    enum Renamed {
        One(u8),
        #[rpc]
        Two(ractor::RpcReplyPort<u8>),
    }

    #[tokio::test]
    async fn the_name_in_scope_counts() {
        let (port, _answer) = ractor::concurrency::oneshot();
        assert!(matches!(super::travel(Renamed::One(1)), Renamed::One(1)));
        assert!(matches!(super::travel(Renamed::Two(port.into())), Renamed::Two(_)));
    }
}

#[test]
fn a_local_message_is_never_bytes() {
    #[derive(RactorMessage)]
    struct Local(u8);

    assert!(!Local::serializable());
    assert!(Local(1).serialize().is_err());
    let cast = SerializedMessage::Cast {
        variant: "Local".to_owned(),
        args: vec![1],
        metadata: None,
    };
    assert!(Local::deserialize(cast).is_err_and(|error| error == ractor::message::BoxedDowncastErr));
    assert_eq!(Local(1).0, 1);
}
