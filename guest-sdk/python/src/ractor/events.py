"""News of an actor's children, and of the actors and groups that it monitors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Pid(NamedTuple):
    """The address of an actor, as this node knows it. It means something else on another node: send `address(ref)` there."""

    node: int
    """The node; 0 is this one."""
    id: int
    """The actor's number on that node."""


@dataclass(frozen=True)
class ActorStarted:
    """A child came to life."""

    pid: Pid
    name: str | None


@dataclass(frozen=True)
class ActorTerminated:
    """An actor ended in an orderly way: it was stopped or killed."""

    pid: Pid
    name: str | None
    reason: str | None


@dataclass(frozen=True)
class ActorFailed:
    """An actor failed, and no restart brought it back."""

    pid: Pid
    name: str | None
    reason: str | None


@dataclass(frozen=True)
class GroupChanged:
    """Actors joined or left a group that this actor monitors."""

    group: str
    scope: str | None
    change: Literal["joined", "left"]
    actors: tuple[Pid, ...]


Event = ActorStarted | ActorTerminated | ActorFailed | GroupChanged
"""What `Actor.on_event` is given. Tell the cases apart with `match` or `isinstance`."""
