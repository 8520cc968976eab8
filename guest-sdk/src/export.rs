//! `export!`: how it is written. What it comes to is each world's own: `__export!`.

/// Makes a component of an actor when compiled for WebAssembly: `ractor::export!(Counter);`, once in the crate. Natively it
/// only checks what can be checked there.
///
/// The actor must be [`Default`], its start arguments [`BytesConvertable`](crate::BytesConvertable), and its message type derived with
/// `RactorClusterMessage`. The component carries the version of the crate. What its contract says of the messages comes from their
/// enum: names of fields, types, and doc comments. Doc comments in front of the actor say what the actor is for:
///
/// ```ignore
/// ractor::export! {
///     /// Counts what it is told to.
///     Counter, start = count, reload, state_version = 2
/// }
/// ```
///
/// These may follow the actor, in any order:
///
/// - `reload` makes the code replaceable while the actor lives: see `reload::Reload`, with the feature `reload`.
/// - `awaits` lets handlers await calls and sleeps without the actor standing still, and side by side: see [`Actor`](crate::Actor). It
///   makes a component some kilobytes larger and each message a little dearer; without it the actor stands still while one is awaited,
///   and what its handlers await is awaited one after the other. Natively handlers await as ractor's do.
/// - `state_version = 2` says which version of its state the actor has: a number that is counted up whenever what an earlier version
///   of the code kept can't be taken over as it is. It is 0 if it isn't said.
/// - `start = count` names the start argument.
/// - `protobuf = include_bytes!(…)` adds the definitions of messages of protobuf, so that `ractor-host call` writes and shows them as
///   JSON: a serialized `FileDescriptorSet`, as prost-build's `file_descriptor_set_path` writes it. It may be there several times.
#[macro_export]
macro_rules! export {
    ($(#[doc = $documentation:expr])* $actor:ty $(, $($options:tt)*)?) => {
        $crate::__export_options! {
            { $($($options)*)? }
            [$actor] [$($documentation),*] [0] [""] [] [] []
        }
    };
}

/// Takes one option after the other, each in its place, and hands all to `__export!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_options {
    (
        {} [$actor:ty] [$($documentation:expr),*] [$version:expr] [$start:expr] [$($protobuf:expr),*]
        [$($reload:tt)?] [$($awaits:tt)?]
    ) => {
        $crate::__export! {
            actor = [$actor], documentation = [$($documentation),*], state_version = [$version],
            start = [$start], protobuf = [$($protobuf),*], reload = [$($reload)?],
            awaits = [$($awaits)?]
        }
    };
    (
        { reload $(, $($options:tt)*)? }
        $actor:tt $documentation:tt $version:tt $start:tt $protobuf:tt $reload:tt $awaits:tt
    ) => {
        $crate::__export_options! {
            { $($($options)*)? } $actor $documentation $version $start $protobuf [reload] $awaits
        }
    };
    (
        { awaits $(, $($options:tt)*)? }
        $actor:tt $documentation:tt $version:tt $start:tt $protobuf:tt $reload:tt $awaits:tt
    ) => {
        $crate::__export_options! {
            { $($($options)*)? } $actor $documentation $version $start $protobuf $reload [awaits]
        }
    };
    (
        { state_version = $version:expr $(, $($options:tt)*)? }
        $actor:tt $documentation:tt $before:tt $start:tt $protobuf:tt $reload:tt $awaits:tt
    ) => {
        $crate::__export_options! {
            { $($($options)*)? } $actor $documentation [$version] $start $protobuf $reload $awaits
        }
    };
    (
        { start = $start:ident $(, $($options:tt)*)? }
        $actor:tt $documentation:tt $version:tt $before:tt $protobuf:tt $reload:tt $awaits:tt
    ) => {
        $crate::__export_options! {
            { $($($options)*)? } $actor $documentation $version [::core::stringify!($start)] $protobuf $reload $awaits
        }
    };
    (
        { protobuf = $file:expr $(, $($options:tt)*)? }
        $actor:tt $documentation:tt $version:tt $start:tt [$($protobuf:expr),*] $reload:tt $awaits:tt
    ) => {
        $crate::__export_options! {
            { $($($options)*)? } $actor $documentation $version $start [$($protobuf,)* $file] $reload $awaits
        }
    };
    (
        { $($unknown:tt)+ }
        $actor:tt $documentation:tt $version:tt $start:tt $protobuf:tt $reload:tt $awaits:tt
    ) => {
        ::core::compile_error!(::core::concat!(
            "`export!` doesn't know `",
            ::core::stringify!($($unknown)+),
            "`: what can follow the actor is `awaits`, `reload`, `state_version = NUMBER`, `start = NAME` and `protobuf = BYTES`"
        ));
    };
}
