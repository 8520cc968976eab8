//! The derives that make a Rust type a message of `ractor` actors.
//!
//! - [`RactorMessage`]: any struct or enum, for messages that never leave the process.
//! - [`RactorClusterMessage`]: an enum whose messages also travel as bytes: to another node, or into a WebAssembly
//!   guest.
//!
//! Both expand to `ractor::…` paths only, so a crate that derives them needs something named `ractor` in scope: the
//! `ractor` crate natively (with its `cluster` feature), the guest SDK on WebAssembly. The source stays the same.
//!
//! # How a message enum becomes bytes
//!
//! ```ignore
//! use ractor::message::SerializedMessage;
//! use ractor::{Message, RpcReplyPort};
//! use ractor_host_derive::RactorClusterMessage;
//!
//! #[derive(RactorClusterMessage)]
//! enum CounterMsg {
//!     Add(u64),
//!     Rename { name: String, loud: bool },
//!     #[rpc]
//!     AddAndGet(u64, RpcReplyPort<u64>),
//! }
//!
//! let Ok(SerializedMessage::Cast { variant, args, .. }) = CounterMsg::Add(5).serialize() else { panic!("a cast") };
//! assert_eq!(variant, "Add");
//! assert_eq!(args, [0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
//! ```
//!
//! - A variant is a *cast*: sent, and never answered. A variant marked `#[rpc]` is a *call*: it has exactly one field
//!   of type `RpcReplyPort<T>`, at any position, through which the receiver answers with a `T`.
//! - A message carries its variant's identifier as a string (`Add`), so variants can be added and reordered freely, and
//!   renamed only together with all peers. `#[wire(name = "Self")]` in front of a variant gives it another name there, such as one
//!   that is no identifier in Rust.
//! - The arguments are all fields except the reply port, in the order of the source, whether tuple or named. Each is its length in
//!   bytes as a big-endian `u64`, then its `BytesConvertable` bytes: `Add(5)` above. A variant without such fields has no bytes at
//!   all.
//! - A reply is the `BytesConvertable` bytes of its `T`, with no length in front.
//!
//! This is what `ractor_cluster` 0.16 writes and reads, byte for byte.
//!
//! # What decoding refuses
//!
//! Bytes from another node are not trusted. An unknown variant, a length that doesn't fit, and missing or trailing bytes are each
//! an `Err`, and the message is dropped. For the types that `ractor` itself makes `BytesConvertable` (numbers, `bool`, `char`,
//! `String`, `()`, and the `Vec`s of them) the bytes are checked *before* they are converted, since those conversions panic on
//! malformed input or ignore what is left over. Any other type's `from_bytes` may panic; the panic is caught and becomes the same
//! `Err`. A reply that doesn't decode drops the caller's reply port: the caller gets an error at once. (A `bool` is one byte,
//! whatever its value: every other than 1 is `false`, as in `ractor`.)
//!
//! In a guest a panic can't be caught. There each type decodes by its `try_from_bytes`, which the guest SDK adds to the trait:
//! for its own types that returns an error for all bytes that are no value (a `bool` is 0 or 1), for others it calls their
//! `from_bytes`.
//!
//! With `ractor`'s `blanket_serde` feature every `serde` type is `BytesConvertable` in another format; then all checks
//! are left to that format.
//!
//! # Generics
//!
//! An enum may have type parameters. The implementation then holds for every choice of them for which the field types
//! are `BytesConvertable`, the reply types moreover `Send`, and the enum itself `Send + 'static`. These bounds need not
//! be written on the enum.
//!
//! # For tools
//!
//! On WebAssembly [`RactorClusterMessage`] also implements `ractor::DescribeMessage`: the list of variants with their doc comments, the
//! names of their fields (those of a tuple have none), and the types of their arguments and replies in the grammar of docs/types.md.
//! An alias is the type that it stands for, and so is a parameter of a generic enum. A type in the format of `blanket_serde` is written
//! `pot<Order>`, any other type that isn't ractor's `opaque<Order>`.

mod bounds;
mod contract;
mod expand;
mod model;
mod parse;
mod portable;
mod tokens;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemImpl, parse_macro_input};

/// Makes a type a message for actors of the same process. It is never serialized.
#[proc_macro_derive(RactorMessage)]
pub fn ractor_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::local_message(&input).into()
}

/// Makes an enum a message that can also travel to other nodes and into guests. `#[rpc]` marks the variants that are
/// calls; they have exactly one `RpcReplyPort<T>` field. `#[wire(name = "…")]` is what a variant is called on the wire, if not by its
/// identifier.
///
/// `#[argument("name")]` names a field of a tuple in descriptions. Every other field, and every reply type, must be
/// `ractor::BytesConvertable`. See the crate's documentation for the bytes and for what is refused.
#[proc_macro_derive(RactorClusterMessage, attributes(rpc, argument, wire))]
pub fn ractor_cluster_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match parse::message_enum(&input) {
        Ok(message) => expand::cluster_message(&message).into(),
        Err(error) => {
            // With the impl in place, the compiler reports the one mistake and not every use of the type besides.
            let mut output = error.into_compile_error();
            output.extend(expand::local_message(&input));
            output.into()
        }
    }
}

/// Makes a struct a state that code in every language can take over: `ractor::reload::PortableState`, with the feature `reload`
/// of the guest SDK.
///
/// Each field is `ractor::reload::Portable`. `#[portable(default)]` or `#[portable(default = EXPRESSION)]` says what a field is that an
/// older state doesn't have, and `#[portable(name = "…")]` what it is called in the state.
#[proc_macro_derive(PortableState, attributes(portable))]
pub fn portable_state(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    portable::state(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes the public methods of an impl the messages of an actor: the short way to write one.
///
/// ```ignore
/// #[derive(Default, PortableState)]
/// pub struct Counter { count: u64 }
///
/// #[ractor::contract]
/// impl Counter {
///     pub fn pre_start(count: u64) -> Self { Self { count } }
///     pub fn add(&mut self, number: u64) { self.count += number }
///     pub fn get(&self) -> u64 { self.count }
/// }
/// ```
///
/// It writes the enum of the messages, here `CounterMsg` with `Add(u64)` and `Get(RpcReplyPort<u64>)`, and implements `Actor` for the
/// type, which is also the actor's state. So the type is `Default`; what is sent and what travels is the same as if all was
/// written by hand.
///
/// | a public method that | is |
/// |---|---|
/// | returns nothing, or `Result<(), E>` | a cast, whose error fails the actor |
/// | returns `T`, or `Result<T, E>` | a call. An error fails the call with that text, and the actor goes on |
/// | returns nothing, or `Result<(), E>`, and is marked `#[rpc]` | a call whose reply is `()` |
/// | takes an `RpcReplyPort<T>` | a call that it answers through the port, now or later. An error fails the actor |
///
/// `add_all` is the message `AddAll`. A method may be `async`. A parameter of the type `ActorRef<…>` gets the actor itself. The other
/// parameters travel, and their names and the doc comments are in the contract.
///
/// These aren't messages: `pre_start`, which makes the state from the start argument (without it, the state is the default one),
/// `post_start`, `post_stop`, and `handle_supervisor_evt`, which takes a `SupervisionEvent`. Methods without `pub` are the type's own.
#[proc_macro_attribute]
pub fn contract(arguments: TokenStream, input: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        let mistake = syn::Error::new(proc_macro2::Span::call_site(), "`#[contract]` takes no arguments");
        return mistake.into_compile_error().into();
    }
    let mut input = parse_macro_input!(input as ItemImpl);
    let written = contract::actor(&input).unwrap_or_else(syn::Error::into_compile_error);
    contract::remove_marks(&mut input);
    quote::quote! { #input #written }.into()
}
