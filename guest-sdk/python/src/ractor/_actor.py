"""The base of all actors."""

from __future__ import annotations

import copy
from typing import Any

from . import _state
from .errors import StateError
from .events import Event


class Actor:
    """Base of all actors. Methods with `@cast` and `@call` are its messages, annotated fields its state:

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

    `pre_start`, with one argument or none, starts it. An exception that it raises is why the actor never lives. It can't be `async`.

    A field with a value in the class begins with a copy of that value.
    """

    def __new__(cls, *_: Any, **__: Any) -> Any:
        actor = super().__new__(cls)
        for name, value in _defaults(cls).items():
            setattr(actor, name, copy.deepcopy(value))
        return actor

    def post_start(self) -> Any:
        """Runs once the actor is started and reachable, before its first message. It may be `async`."""

    def post_stop(self) -> None:
        """Runs when the actor ends in an orderly way: after a stop, but not after a failure or a kill. It can't be `async`."""

    def on_event(self, event: Event) -> Any:
        """Is told of children, and of actors and groups that this actor monitors. It may be `async`."""

    def post_reload(self) -> None:
        """Runs in new code once it has the state, before its first message. An exception keeps the old code. It can't be `async`."""

    def snapshot(self) -> bytes:
        """The state, for the code that comes next or for a checkpoint. By default the declared fields, as code in every language
        reads them (docs/types.md, "State"). It may not send anything.

        Raises:
            StateError: An attribute isn't declared, or isn't of its type. The actor keeps its code.
        """
        return _state.dump(self)

    def restore(self, state: bytes, from_version: int) -> None:
        """Takes over a state. By default the declared fields, after `migrate` if the state has another version.

        Raises:
            StateError: A field is missing, unknown, or of another type. The actor keeps its old code.
        """
        fields = _state.read(state)
        version = getattr(type(self), "__ractor_state_version__", 0)
        if from_version != version:
            fields = dict(self.migrate(fields, from_version))
        for attribute, value in _state.load(type(self), fields).items():
            setattr(self, attribute, value)

    def migrate(self, fields: dict[str, dict[str, Any]], from_version: int) -> dict[str, dict[str, Any]]:
        """Makes the fields of this version from those of another one, which may also be newer. Each field is its `type` and its
        `value` in JSON, e.g. `{"count": {"type": "u64", "value": "5"}}`.

        Raises:
            StateError: By default, always.
        """
        raise StateError(f"{type(self).__name__} doesn't know version {from_version} of its state; define `migrate` to take it over")


def _defaults(actor: type[Any]) -> dict[str, Any]:
    """The fields that have a value in the class, looked up once for each class."""
    found: dict[str, Any] | None = actor.__dict__.get("__ractor_defaults__")
    if found is None:
        found = _state.defaults_of(actor)
        actor.__ractor_defaults__ = found
    return found
