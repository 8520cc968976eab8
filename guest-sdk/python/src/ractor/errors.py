"""What can go wrong, as exceptions. `kind` of each is the word that every language has for it."""

from __future__ import annotations

from typing import ClassVar


class RactorError(Exception):
    """Anything that the node refuses or that another actor doesn't do."""

    kind: ClassVar[str] = "error"


class SendError(RactorError):
    """A message was not accepted, or a call has no reply. Its subclasses say why."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text or (type(self).__doc__ or self.kind).split("\n")[0])


class UnknownActor(SendError):
    """The actor ended, or its node is gone."""

    kind = "unknown-actor"


class Stopped(SendError):
    """The actor is stopping and accepts no more messages."""

    kind = "stopped"


class TooLarge(SendError):
    """The message, or its reply, is larger than the node's limit."""

    kind = "too-large"


class CallTimeout(SendError, TimeoutError):
    """The call got no reply in time."""

    kind = "timeout"


class NoReply(SendError):
    """The actor dropped the call without a reply."""

    kind = "no-reply"


class WouldDeadlock(SendError):
    """The call is to this actor, or to one that waits for this actor's reply."""

    kind = "would-deadlock"


class Overloaded(SendError):
    """The actor, or its node, takes messages too slowly; try again later."""

    kind = "overloaded"


class Denied(SendError):
    """node.toml doesn't allow this actor to send to that one."""

    kind = "denied"


class CallFailed(SendError):
    """The other actor failed the call, and lives on. `reason` says why, in its own words."""

    kind = "failed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyCalls(SendError):
    """This actor, or its family, waits for as many replies as it may."""

    kind = "too-many"


SEND_ERRORS: dict[str, type[SendError]] = {
    error.kind: error
    for error in (
        UnknownActor,
        Stopped,
        TooLarge,
        CallTimeout,
        NoReply,
        WouldDeadlock,
        Overloaded,
        Denied,
        CallFailed,
        TooManyCalls,
    )
}
"""Each error of a message by its kind."""


class NotFound(RactorError, LookupError):
    """No actor has this name, on this node or on those that it is connected to."""

    kind = "not-found"


class ReplyError(RactorError):
    """A reply was not delivered. `reason` is `unknown-call`, `too-late` or `too-large`."""

    kind = "reply"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the reply was not delivered: {reason}")
        self.reason = reason


class TimerError(RactorError):
    """A timer was not started. `reason` is `too-many`, `too-large` or `denied`."""

    kind = "timer"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the timer was not started: {reason}")
        self.reason = reason


class MonitorError(RactorError):
    """An actor is not monitored. `reason` is `unknown-actor` or `too-many`."""

    kind = "monitor"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the actor is not monitored: {reason}")
        self.reason = reason


class SpawnError(RactorError):
    """A child was not started. `reason` is `denied`, `unknown-module`, `name-taken`, `too-many` or `failed`; `text` is why it failed."""

    kind = "spawn"

    def __init__(self, reason: str, text: str | None = None) -> None:
        super().__init__(f"the child was not started: {reason}" + (f": {text}" if text else ""))
        self.reason = reason
        self.text = text


class Failure(Exception):
    """Raise this to fail with exactly this text and without a stack in the log.

    In the handler of a call it fails the call, and the actor lives on. Everywhere else it fails the actor.
    """


class ExitNow(BaseException):
    """What `exit` raises where the node can't end the code at once, which is in tests. Don't catch it."""


class DecodeError(ValueError):
    """Bytes that aren't a value of the type that was expected."""


class EncodeError(ValueError):
    """A value that its declared type can't hold."""


class DeclarationError(TypeError):
    """An actor, a message or a field that is declared in a way that can't work. The text says what to write instead."""


class StateError(ValueError):
    """A state that this actor can't give or take over. The text names the field."""
