"""The end of a build: the memory of the component becomes what its instances share the most of."""

from __future__ import annotations

import gc
import sys

from . import _actor, _component
from ._compact import compact
from ._immortal import note
from ._limits import imports_are_over
from ._warm import move_together, warm_up


def settle(file: str) -> None:
    """Settles the memory of the component, after all else that is done while it is built.

    Args:
        file: Where the places of all objects are written to: see `_immortal`.
    """
    actor = _component._runtime.declared.actor if _component._runtime else None
    if actor is not None:
        # Each instance would look through the class for them.
        _actor._defaults(actor)
        imports_are_over()
    # What is frozen isn't listed.
    gc.unfreeze()
    warm_up()
    compact()
    move_together(actor)
    # Moved functions begin as they were compiled.
    warm_up()
    note(file)
    # What follows is remembered where the search for objects was, whose names no instance has to drop then.
    getattr(sys, "_clear_internal_caches", lambda: None)()
    warm_up()
    gc.collect()
    compact()
    gc.freeze()
