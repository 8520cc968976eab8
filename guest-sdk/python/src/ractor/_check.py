"""A look at a module before a component is made of it: it takes a moment, and making one takes ten seconds.

Run as a program of its own, with the module and its folder as arguments, so that nothing of the module is left behind.
"""

from __future__ import annotations

import sys

from ._export import exported
from ._trace import stack_of
from .errors import DeclarationError


def main(module: str, folder: str) -> int:
    """Imports the module. Gives the exit code; what is wrong with it is on stderr."""
    sys.path.insert(0, folder)
    try:
        __import__(module)
    except DeclarationError as error:
        print(error, file=sys.stderr)
        return 1
    except (Exception, SystemExit) as error:
        print(stack_of(error), file=sys.stderr)
        return 1
    names = [actor.__name__ for actor in exported]
    if not names:
        print(f"no class of {module} has @export", file=sys.stderr)
    elif len(names) > 1:
        print(f"a component is one actor, and {' and '.join(names)} have @export", file=sys.stderr)
    return 0 if len(names) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
