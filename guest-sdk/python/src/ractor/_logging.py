"""Python's own logging, and what a program prints, in the log of the node."""

from __future__ import annotations

import io
import logging
from ._host import Host, Level

TRACE = 5
"""The level below `logging.DEBUG`: `log.log(ractor.TRACE, ...)`."""

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def level_of(number: int) -> Level:
    """The node's level for one of Python's."""
    if number < logging.DEBUG:
        return "trace"
    if number < logging.INFO:
        return "debug"
    if number < logging.WARNING:
        return "info"
    return "warn" if number < logging.ERROR else "error"


class NodeHandler(logging.Handler):
    """Hands log records to the node, with the name of their logger, and what `extra=` says as fields."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Hands one over."""
        try:
            fields = [(key, str(value)) for key, value in vars(record).items() if key not in _STANDARD]
            self._host.log(level_of(record.levelno), record.name, self.format(record), fields)
        except Exception:
            self.handleError(record)


class LogStream(io.TextIOBase):
    """A stream whose lines go to the log of the node."""

    def __init__(self, host: Host, level: Level, target: str) -> None:
        super().__init__()
        self._host = host
        self._level = level
        self._target = target
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Logs each line that is whole."""
        if not isinstance(text, str):
            raise TypeError(f"a str is expected, not {type(text).__name__}")
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._log(line)
        return len(text)

    def flush(self) -> None:
        """Logs a line that isn't whole."""
        rest, self._rest = self._rest, ""
        if rest:
            self._log(rest)

    def _log(self, line: str) -> None:
        if line:
            self._host.log(self._level, self._target, line, [])
