//! The parts of the guest's side that need no host: formats, ports, the executor, explanations.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Debug;
use std::future::poll_fn;
use std::task::Poll;

use super::describe::{ArgumentDescription, MessageDescription, type_name};
use super::message::{Message, SerializedMessage};
use super::port::RpcReplyPort;
use super::requests::FailCall;
use super::rpc::{CallResult, reply_or_error};
use super::runtime::executor::block_on;
use super::runtime::undecodable::{Kind, Shape, Variant, explain};
use super::serialization::{BytesConvertable, DecodeError};
use super::{MessagingErr, RactorErr};

/// The bytes are those of the real ractor, and both read what the other wrote.
fn check_format<T>(value: &T)
where
    T: BytesConvertable + ractor::BytesConvertable + Clone + PartialEq + Debug,
{
    let ours = <T as BytesConvertable>::into_bytes(value.clone());
    let theirs = <T as ractor::BytesConvertable>::into_bytes(value.clone());
    assert_eq!(ours, theirs, "{value:?}");
    assert_eq!(T::try_from_bytes(theirs).as_ref(), Ok(value));
    assert_eq!(&<T as ractor::BytesConvertable>::from_bytes(ours), value);
}

macro_rules! check_numbers {
    ($($ty:ty),*) => {$(
        for number in [<$ty>::MIN, <$ty>::MAX, 0 as $ty, 1 as $ty, 77 as $ty] {
            check_format(&number);
        }
        check_format(&Vec::<$ty>::new());
        check_format(&vec![<$ty>::MIN, <$ty>::MAX, 77 as $ty]);
    )*};
}

#[test]
fn values_have_the_bytes_of_ractor() {
    check_numbers!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);
    check_format(&());
    for text in ["", "a", "größer 🦀"] {
        check_format(&text.to_owned());
        check_format(&text.chars().collect::<Vec<char>>());
    }
    for character in ['\0', 'ß', char::MAX] {
        check_format(&character);
    }
    check_format(&true);
    check_format(&false);
    check_format(&vec![true, false, true]);
}

/// The format `pot` instead of ractor's own.
#[cfg(feature = "blanket_serde")]
#[test]
fn every_type_of_serde_has_the_bytes_that_ractor_gives_it() {
    for value in [None, Some(vec!["a".to_owned(), "größer 🦀".to_owned()])] {
        check_format(&value);
        check_format(&(1_u8, value, -1_i128));
    }
    let refused = Option::<u64>::try_from_bytes(5_u64.to_be_bytes().to_vec());
    assert!(matches!(refused, Err(DecodeError::Pot(_))), "{refused:?}");
    assert_eq!(type_name::<Vec<String>>(), "pot<Vec-String>");
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
fn wrong_bytes_are_an_error_that_says_why() {
    fn error<T: BytesConvertable + Debug>(bytes: &[u8]) -> String {
        T::try_from_bytes(bytes.to_vec()).unwrap_err().to_string()
    }
    assert_eq!(error::<u64>(&[]), "0 bytes, expected 8");
    assert_eq!(error::<u64>(&[0; 9]), "9 bytes, expected 8");
    assert_eq!(error::<()>(&[0]), "1 bytes, expected 0");
    assert_eq!(error::<bool>(&[2]), "2 is not a bool, expected 0 or 1");
    assert_eq!(error::<bool>(&[]), "0 bytes, expected 1");
    assert_eq!(error::<char>(&[0, 0, 0xd8, 0]), "0xd800 is not a character");
    assert_eq!(error::<String>(b"ab\xff"), "not UTF-8: byte 2 is wrong");
    assert_eq!(error::<Vec<u32>>(&[0; 6]), "6 bytes, expected a multiple of 4");
    assert_eq!(error::<Vec<char>>(&[0xff; 4]), "0xffffffff is not a character");
    assert_eq!(error::<Vec<bool>>(&[0, 1, 3]), "3 is not a bool, expected 0 or 1");
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
#[should_panic(expected = "2 bytes, expected 4")]
fn the_infallible_form_panics_with_the_same_text() {
    i32::from_bytes(vec![0, 0]);
}

#[test]
fn a_type_of_ones_own_needs_only_the_two_methods_of_ractor() {
    #[derive(Debug, PartialEq)]
    struct Pair(u8, u8);
    impl BytesConvertable for Pair {
        fn into_bytes(self) -> Vec<u8> {
            vec![self.0, self.1]
        }
        fn from_bytes(bytes: Vec<u8>) -> Self {
            let [first, second] = bytes.try_into().unwrap();
            Self(first, second)
        }
    }
    assert_eq!(Pair::try_from_bytes(vec![1, 2]), Ok(Pair(1, 2)));
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
fn a_value_is_a_cast_without_a_tag() {
    let Ok(SerializedMessage::Cast { variant, args, .. }) = 7_u16.serialize() else {
        unreachable!("a value is a cast");
    };
    assert_eq!((variant.as_str(), args.as_slice()), ("", [0, 7].as_slice()));
    let cast = |args: &[u8]| SerializedMessage::Cast {
        variant: String::new(),
        args: args.to_vec(),
        metadata: None,
    };
    assert_eq!(u16::deserialize(cast(&[0, 7])), Ok(7));
    assert!(u16::deserialize(cast(&[7])).is_err());
}

#[test]
fn a_reply_goes_through_every_conversion_back_to_the_caller() {
    let (port, slot) = RpcReplyPort::<u64>::local(None);
    let bytes = port.map_reply(|bytes: Vec<u8>| u64::try_from_bytes(bytes).ok());
    let typed = bytes.map_reply(|number: u64| Some(number.into_bytes()));
    typed.send(42).unwrap();
    assert_eq!(slot.take(), Some(Ok(42)));
}

#[test]
fn a_reply_that_does_not_convert_reaches_nobody() {
    let (port, slot) = RpcReplyPort::<u64>::local(None);
    let bytes = port.map_reply(|bytes: Vec<u8>| u64::try_from_bytes(bytes).ok());
    assert!(matches!(bytes.send(vec![1]), Err(MessagingErr::ChannelClosed)));
    assert_eq!(slot.take(), None);
}

#[test]
fn a_reason_goes_through_every_conversion_back_to_the_caller() {
    let (port, slot) = RpcReplyPort::<u64>::local(None);
    let bytes = port.map_reply(|bytes: Vec<u8>| u64::try_from_bytes(bytes).ok());
    let typed = bytes.map_reply(|number: u64| Some(number.into_bytes()));
    typed.fail("no such row");
    assert_eq!(slot.take(), Some(Err("no such row".to_owned())));
}

#[test]
fn a_converted_port_keeps_its_timeout() {
    let timeout = std::time::Duration::from_millis(5);
    let (port, _slot) = RpcReplyPort::<u64>::local(Some(timeout));
    assert_eq!(port.map_reply(|_: ()| None).get_timeout(), Some(timeout));
}

#[test]
fn an_error_that_hands_a_message_back_can_leave_a_handler() {
    fn leaves<E: std::error::Error + Send + Sync + 'static>() {}
    leaves::<RactorErr<RpcReplyPort<u64>>>();
}

#[test]
fn a_call_results_in_a_reply_or_an_error() {
    let of = reply_or_error::<(), u64>;
    assert_eq!(of(Ok(CallResult::Success(1))).unwrap(), 1);
    assert!(matches!(of(Ok(CallResult::Timeout)), Err(RactorErr::Timeout)));
    assert!(matches!(
        of(Ok(CallResult::SenderError)),
        Err(RactorErr::Messaging(MessagingErr::ChannelClosed))
    ));
    let refused = of(Err(MessagingErr::SendErr(()))).unwrap_err();
    assert!(refused.has_message());
    assert_eq!(refused.try_get_message(), Some(()));
}

#[test]
fn a_future_that_wakes_itself_is_polled_again() {
    let mut polls = 0;
    let done = block_on(poll_fn(|context| {
        polls += 1;
        if polls < 3 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready("done")
    }));
    assert_eq!((done, polls), ("done", 3));
}

#[test]
#[should_panic(expected = "awaits something that can never complete")]
fn a_future_that_nobody_wakes_is_explained() {
    block_on(std::future::pending::<()>());
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
fn an_unknown_or_malformed_message_is_explained() {
    const MESSAGES: &[MessageDescription] = &[
        MessageDescription {
            name: "Add",
            documentation: "",
            arguments: &[ArgumentDescription {
                name: "",
                ty: type_name::<u64>,
            }],
            reply: None,
        },
        MessageDescription {
            name: "Get",
            documentation: "",
            arguments: &[],
            reply: Some(type_name::<u64>),
        },
    ];
    let explain = |kind, tag| explain(MESSAGES, kind, Variant::of(tag, MESSAGES), Shape::of(&[0; 3]));
    assert_eq!(
        explain(Kind::Cast, "Ad"),
        "there is no `Ad`, this actor understands Add, Get"
    );
    assert_eq!(
        explain(Kind::Cast, "Add"),
        "argument 1 of `Add`, u64, is cut off; it takes (u64)"
    );
    assert_eq!(explain(Kind::Cast, "Get"), "`Get` is a call, but came as a cast");
    assert_eq!(explain(Kind::Call, "Add"), "`Add` is a cast, but came as a call");
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
fn each_type_has_its_name_in_the_grammar() {
    let names = [
        type_name::<()>(),
        type_name::<u8>(),
        type_name::<i128>(),
        type_name::<f32>(),
        type_name::<bool>(),
        type_name::<char>(),
        type_name::<String>(),
        type_name::<Vec<u8>>(),
        type_name::<Vec<i8>>(),
        type_name::<Vec<f64>>(),
        type_name::<Vec<bool>>(),
        type_name::<Vec<char>>(),
    ];
    let expected = [
        "unit",
        "u8",
        "i128",
        "f32",
        "bool",
        "char",
        "string",
        "bytes",
        "list<i8>",
        "list<f64>",
        "list<bool>",
        "list<char>",
    ];
    assert_eq!(names, expected);
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
fn a_decode_error_can_be_matched() {
    assert_eq!(
        u64::try_from_bytes(vec![1]),
        Err(DecodeError::Length { found: 1, expected: 8 })
    );
}

#[cfg(not(feature = "blanket_serde"))]
#[test]
fn wrong_arguments_are_explained_as_far_as_their_shape_tells() {
    const MESSAGES: &[MessageDescription] = &[MessageDescription {
        name: "Put",
        documentation: "",
        arguments: &[
            ArgumentDescription {
                name: "",
                ty: type_name::<u64>,
            },
            ArgumentDescription {
                name: "text",
                ty: type_name::<String>,
            },
        ],
        reply: Some(type_name::<u64>),
    }];
    let explain = |args: &[&[u8]], rest: &[u8]| {
        let mut bytes: Vec<u8> = args
            .iter()
            .flat_map(|arg| [&(arg.len() as u64).to_be_bytes()[..], arg].concat())
            .collect();
        bytes.extend(rest);
        explain(MESSAGES, Kind::Call, Variant::of("Put", MESSAGES), Shape::of(&bytes))
    };
    assert_eq!(
        explain(&[&[1]], &[]),
        "`Put` takes 2 arguments, (u64, text: string), but came with 1"
    );
    assert_eq!(
        explain(&[&[1], &[2], &[3]], &[]),
        "`Put` takes 2 arguments, (u64, text: string), but came with 3"
    );
    assert_eq!(
        explain(&[&[1]], &u64::MAX.to_be_bytes()),
        "argument 2 of `Put`, text: string, is cut off; it takes (u64, text: string)"
    );
    assert_eq!(
        explain(&[&[1], &[2]], &[]),
        "the 18 bytes of arguments of `Put` don't decode as (u64, text: string)"
    );
}
