"""Messages of google.protobuf. The package need not be installed unless an actor uses one."""

from __future__ import annotations

import sys
from typing import Any

from .errors import DecodeError

_MOST_BYTES_OF_A_LENGTH = 10


def is_message(kind: type[Any]) -> bool:
    """Whether this is a class of generated messages."""
    return hasattr(kind, "DESCRIPTOR") and hasattr(kind, "SerializeToString")


def name_of(kind: Any) -> str:
    """Its full name, e.g. `shop.Order`."""
    return str(kind.DESCRIPTOR.full_name)


def file_set_of(kind: Any) -> bytes:
    """The `google.protobuf.FileDescriptorSet` with the file that defines it and those that this needs, the needed ones first."""
    seen: set[str] = set()
    files: list[bytes] = []

    def add(file: Any) -> None:
        if file.name in seen:
            return
        seen.add(file.name)
        for needed in file.dependencies:
            add(needed)
        files.append(bytes(file.serialized_pb))

    add(kind.DESCRIPTOR.file)
    # Field 1 of the set, a length-delimited one, for each file.
    return b"".join(b"\x0a" + varint(len(file)) + file for file in files)


def encode(message: Any) -> bytes:
    """The length as a varint, then the message."""
    data: bytes = message.SerializeToString()
    return varint(len(data)) + data


def decode(kind: Any, data: bytes) -> Any:
    """The message of these bytes."""
    length, at = _read_varint(data)
    if length != len(data) - at:
        raise DecodeError(f"{len(data) - at} bytes where {length} are announced")
    return parse(kind, data[at:])


def parse(kind: Any, data: bytes) -> Any:
    """The message of bytes without a length in front."""
    error = sys.modules["google.protobuf.message"].DecodeError
    try:
        return kind.FromString(data)
    except (error, UnicodeDecodeError) as failure:
        raise DecodeError(f"it is no {name_of(kind)}: {failure}") from None


def varint(value: int) -> bytes:
    """A number in seven bits a byte, the lowest first; the highest bit says that more follow."""
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _read_varint(data: bytes) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[:_MOST_BYTES_OF_A_LENGTH]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, index + 1
    raise DecodeError("the length in front is cut off")
