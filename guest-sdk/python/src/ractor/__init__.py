"""Actors of a ractor-host node in Python.

    from ractor import Actor, call, cast, export, u64

    @export
    class Counter(Actor):
        count: u64

        def pre_start(self, start: u64) -> None:
            self.count = start

        @cast
        def add(self, n: u64) -> None:
            self.count += n

        @call
        def get(self) -> u64:
            return self.count

Another actor uses it as `counter = find("counter", Counter)`, `counter.add(5)` and `await counter.get()`. `python -m ractor build app`
makes a component of the module `app`; `ractor.testing` runs the same class in a test.
"""

from ._actor import Actor
from ._contract import Contract
from ._export import contract_of, export
from ._logging import TRACE
from ._messages import DEFAULT_TIMEOUT, BoundCall, BoundCast, Call, Cast, Timer, call, cast
from ._node import (
    TraceContext,
    address,
    children,
    config,
    config_entries,
    demonitor,
    demonitor_group,
    exit,
    find,
    join,
    kill_child,
    leave,
    local_members,
    members,
    metadata,
    monitor,
    monitor_group,
    myself,
    node_name,
    resolve,
    self_name,
    spawn,
    stop,
    stop_after,
    stop_child,
    supervisor,
    trace_context,
    where_is,
    which_groups,
)
from ._ref import Ref, pid, ref_of
from ._replies import Reply
from .errors import (
    CallFailed,
    CallTimeout,
    DeclarationError,
    DecodeError,
    Denied,
    EncodeError,
    Failure,
    MonitorError,
    NoReply,
    NotFound,
    Overloaded,
    RactorError,
    ReplyError,
    SendError,
    SpawnError,
    StateError,
    Stopped,
    TimerError,
    TooLarge,
    TooManyCalls,
    UnknownActor,
    WouldDeadlock,
)
from .events import ActorFailed, ActorStarted, ActorTerminated, Event, GroupChanged, Pid
from .types import (
    Json,
    JsonText,
    Transient,
    Wire,
    char,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    u8,
    u16,
    u32,
    u64,
    u128,
)

__version__ = "0.1.0"

__all__ = [
    "Actor",
    "ActorFailed",
    "ActorStarted",
    "ActorTerminated",
    "BoundCall",
    "BoundCast",
    "Call",
    "CallFailed",
    "CallTimeout",
    "Cast",
    "Contract",
    "DEFAULT_TIMEOUT",
    "DeclarationError",
    "DecodeError",
    "Denied",
    "EncodeError",
    "Event",
    "Failure",
    "GroupChanged",
    "Json",
    "JsonText",
    "MonitorError",
    "NoReply",
    "NotFound",
    "Overloaded",
    "Pid",
    "RactorError",
    "Ref",
    "Reply",
    "ReplyError",
    "SendError",
    "SpawnError",
    "StateError",
    "Stopped",
    "TRACE",
    "Timer",
    "TimerError",
    "TooLarge",
    "TooManyCalls",
    "Transient",
    "UnknownActor",
    "Wire",
    "WouldDeadlock",
    "address",
    "call",
    "cast",
    "char",
    "children",
    "config",
    "config_entries",
    "contract_of",
    "demonitor",
    "demonitor_group",
    "exit",
    "export",
    "f32",
    "f64",
    "find",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "join",
    "kill_child",
    "leave",
    "local_members",
    "members",
    "metadata",
    "monitor",
    "monitor_group",
    "myself",
    "node_name",
    "pid",
    "ref_of",
    "resolve",
    "self_name",
    "spawn",
    "stop",
    "stop_after",
    "stop_child",
    "supervisor",
    "trace_context",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "where_is",
    "which_groups",
]
