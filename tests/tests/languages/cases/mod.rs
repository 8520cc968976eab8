//! What is asked of each language.

mod arguments;
mod awaits;
mod family;
mod outgoing;
mod replies;
mod surroundings;
mod types;

use crate::kitchen::{Caller, EVERYBODY, GUEST, Kitchen, NATIVE};

/// A behaviour.
pub(crate) struct Case {
    /// Its group in the matrix.
    pub(crate) group: &'static str,
    /// Its name: a part of that of its actor.
    pub(crate) name: &'static str,
    /// What its users see, as the matrix says it.
    pub(crate) says: &'static str,
    /// Who calls the kitchen.
    pub(crate) callers: &'static [Caller],
    /// What the kitchen is started with.
    pub(crate) argument: &'static str,
    /// What it may have more than others, as node.toml says it.
    pub(crate) limits: &'static str,
    /// How many Rust kitchens are there for it to end.
    pub(crate) mortals: u32,
    pub(crate) run: fn(&Kitchen<'_>),
}

impl Case {
    /// The name of the kitchen of one caller.
    pub(crate) fn actor(&self, caller: Caller) -> String {
        format!("{}-{caller:?}", self.name).to_lowercase()
    }
}

const fn case(
    group: &'static str,
    name: &'static str,
    says: &'static str,
    callers: &'static [Caller],
    run: fn(&Kitchen<'_>),
) -> Case {
    Case {
        group,
        name,
        says,
        callers,
        argument: "",
        limits: "",
        mortals: 0,
        run,
    }
}

const fn with_mortals(mut case: Case, mortals: u32, argument: &'static str) -> Case {
    case.mortals = mortals;
    case.argument = argument;
    case
}

const fn with_memory(mut case: Case) -> Case {
    case.limits = "[actors.limits]\nmemory_bytes = \"256MiB\"\n";
    case
}

/// All of them, in the order of the matrix.
pub(crate) const CASES: &[Case] = &[
    case(
        "types",
        "unsigned",
        "`u8` … `u128`, up to the largest",
        EVERYBODY,
        types::unsigned,
    ),
    case(
        "types",
        "signed",
        "`i8` … `i128`, smallest and largest",
        EVERYBODY,
        types::signed,
    ),
    case(
        "types",
        "floats",
        "`f32`, `f64`: NaN, infinities, -0",
        EVERYBODY,
        types::floats,
    ),
    case(
        "types",
        "texts",
        "`bool`, `char`, `string`, `bytes`: empty, beyond the basic plane",
        EVERYBODY,
        types::texts,
    ),
    case(
        "types",
        "lists",
        "lists of numbers, `bool` and `char`, also empty",
        EVERYBODY,
        types::lists,
    ),
    case(
        "types",
        "long-list",
        "a list of 100 000 numbers",
        NATIVE,
        types::long_list,
    ),
    case(
        "types",
        "protobuf",
        "protobuf by the language's library",
        EVERYBODY,
        types::protobuf,
    ),
    case("types", "json", "JSON", EVERYBODY, types::json),
    case(
        "types",
        "contract",
        "`describe` says what is declared",
        NATIVE,
        surroundings::contract,
    ),
    case(
        "arguments",
        "missing",
        "a call with too few arguments fails",
        EVERYBODY,
        arguments::missing,
    ),
    case(
        "arguments",
        "extra",
        "a call with too many arguments fails",
        EVERYBODY,
        arguments::extra,
    ),
    case(
        "arguments",
        "cut-off",
        "a call whose arguments are cut off fails",
        EVERYBODY,
        arguments::cut_off,
    ),
    case(
        "arguments",
        "unknown",
        "a call of an unknown message fails",
        EVERYBODY,
        arguments::unknown,
    ),
    case(
        "arguments",
        "bad-value",
        "bad UTF-8, surrogates and odd lengths are refused",
        EVERYBODY,
        arguments::bad_values,
    ),
    case(
        "arguments",
        "dropped-cast",
        "a cast that doesn't decode is dropped",
        EVERYBODY,
        arguments::dropped_casts,
    ),
    case("replies", "now", "a reply at once", EVERYBODY, replies::now),
    case("replies", "later", "a reply from a timer", EVERYBODY, replies::later),
    case(
        "replies",
        "kept",
        "a reply that another message releases",
        NATIVE,
        replies::kept,
    ),
    case(
        "replies",
        "no-reply",
        "a dropped call: its caller hears it at once",
        EVERYBODY,
        replies::dropped,
    ),
    case(
        "replies",
        "failed",
        "a call fails for a reason, and the actor lives",
        EVERYBODY,
        replies::failed,
    ),
    case(
        "replies",
        "failed-later",
        "the same from a timer",
        EVERYBODY,
        replies::failed_later,
    ),
    case(
        "replies",
        "thrown",
        "an exception in a call fails the call alone",
        EVERYBODY,
        replies::thrown,
    ),
    case(
        "failures",
        "thrown-cast",
        "an exception in a cast fails the actor",
        EVERYBODY,
        replies::thrown_cast,
    ),
    case("failures", "exit", "it fails itself at once", EVERYBODY, replies::exit),
    case("failures", "trap", "a trap in a cast", EVERYBODY, replies::trap),
    case(
        "failures",
        "trap-call",
        "a trap in a call",
        EVERYBODY,
        replies::trap_call,
    ),
    case(
        "failures",
        "recursion",
        "endless recursion ends the call, not the node",
        EVERYBODY,
        replies::recursion,
    ),
    case(
        "failures",
        "memory",
        "so does too much memory",
        EVERYBODY,
        replies::memory,
    ),
    case(
        "failures",
        "batch",
        "a failure in the middle of many casts loses that one alone",
        NATIVE,
        replies::batch,
    ),
    case(
        "failures",
        "start-fails",
        "an error in `pre_start`",
        GUEST,
        family::start_fails,
    ),
    case(
        "failures",
        "post-start-fails",
        "an error in `post_start`",
        GUEST,
        family::post_start_fails,
    ),
    case(
        "failures",
        "stop-fails",
        "an error in `post_stop`",
        GUEST,
        family::stop_fails,
    ),
    with_mortals(
        case(
            "failures",
            "event-fails",
            "an error in the handler of events",
            GUEST,
            family::event_fails,
        ),
        1,
        "fail-event",
    ),
    case(
        "calls",
        "call",
        "calls another: a reply, no reply, a reason, a timeout",
        GUEST,
        outgoing::blocking,
    ),
    case("calls", "call-away", "calls another node", GUEST, outgoing::away),
    case(
        "calls",
        "call-denied",
        "hears that it may not call",
        GUEST,
        outgoing::denied,
    ),
    case(
        "calls",
        "called-back",
        "is called by a guest of another node",
        GUEST,
        outgoing::called_from_away,
    ),
    case(
        "calls",
        "deadlock",
        "a circle of calls is no deadlock",
        GUEST,
        outgoing::deadlock,
    ),
    case("calls", "cast-other", "casts to another", GUEST, outgoing::casts),
    case("await", "sleep", "sleeps", EVERYBODY, awaits::sleep),
    case(
        "await",
        "order",
        "messages wait until a handler that awaits is done",
        NATIVE,
        awaits::order,
    ),
    case(
        "await",
        "ask",
        "awaits a call: a reply, no reply, a reason, a timeout",
        GUEST,
        awaits::ask,
    ),
    case(
        "await",
        "ask-deadlock",
        "a circle of awaited calls is no deadlock",
        GUEST,
        awaits::deadlock,
    ),
    case("await", "gather", "awaits many calls at once", GUEST, awaits::gather),
    case("await", "cancel", "gives an awaited call up", GUEST, awaits::cancel),
    case("await", "timeout", "the language's own timeout", GUEST, awaits::timeout),
    case(
        "others",
        "groups",
        "joins and leaves groups, counts members",
        GUEST,
        family::groups,
    ),
    case(
        "others",
        "watched-group",
        "monitors a group",
        GUEST,
        family::watched_group,
    ),
    case(
        "others",
        "names",
        "finds actors by name, also on other nodes",
        GUEST,
        family::names,
    ),
    case(
        "others",
        "addresses",
        "sends addresses of actors",
        GUEST,
        family::addresses,
    ),
    case(
        "others",
        "children",
        "starts, counts, stops and kills children",
        GUEST,
        family::children,
    ),
    case(
        "others",
        "refused-children",
        "hears why a child doesn't start",
        GUEST,
        family::refused_children,
    ),
    with_mortals(
        case(
            "others",
            "monitors",
            "monitors actors, and stops to",
            GUEST,
            family::monitors,
        ),
        2,
        "",
    ),
    with_mortals(
        case("others", "stop", "stops itself for a reason", GUEST, family::stops),
        1,
        "",
    ),
    case(
        "surroundings",
        "timers",
        "timers, once and again and again, and cancels them",
        GUEST,
        surroundings::timers,
    ),
    case(
        "surroundings",
        "config",
        "what node.toml says to it",
        GUEST,
        surroundings::config,
    ),
    case(
        "surroundings",
        "identity",
        "its own name and its node's",
        GUEST,
        surroundings::identity,
    ),
    case(
        "surroundings",
        "log",
        "logs through the language's logger, at each level",
        GUEST,
        surroundings::log,
    ),
    case(
        "surroundings",
        "stdout",
        "what it prints is in the log",
        GUEST,
        surroundings::stdout,
    ),
    case("surroundings", "clock", "the time of day", GUEST, surroundings::clock),
    case(
        "surroundings",
        "random",
        "random numbers that differ between instances",
        GUEST,
        surroundings::random,
    ),
    with_memory(case(
        "surroundings",
        "large",
        "a message of 14 MiB, with memory for it",
        NATIVE,
        surroundings::large,
    )),
    with_memory(case(
        "surroundings",
        "large-call",
        "a call of 14 MiB to another, with memory for it",
        GUEST,
        surroundings::large_call,
    )),
];
