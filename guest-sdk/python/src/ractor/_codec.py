"""How values become bytes and come back: one codec for each type of a message."""

from __future__ import annotations

import dataclasses
import re
import struct
import sys
import types
import typing
from array import array
from collections.abc import Callable, Sequence
from math import inf
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from . import _json, _protobuf
from .errors import DeclarationError, DecodeError, EncodeError
from .types import JsonText, NotKept, Wire

_LENGTH = struct.Struct(">Q")
_SWAP = sys.byteorder == "little"


@dataclasses.dataclass(frozen=True)
class Schema:
    """The definition of a type that has a name, for contracts."""

    name: str
    format: str
    bytes: bytes


@dataclasses.dataclass(frozen=True)
class Codec:
    """One type of the wire. `encode` raises `EncodeError`, `decode` raises `DecodeError`."""

    type: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    schema: Schema | None = None


_INTEGER = re.compile(r"([ui])(8|16|32|64|128)")
_CODES = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f", "f64": "d"}
_NAMED = re.compile(r"(pot|opaque)<[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*>")


def codec_of(annotation: Any) -> Codec:
    """The codec of a type as an annotation says it.

    Raises:
        DeclarationError: It doesn't travel in messages.
    """
    if annotation is None:
        annotation = type(None)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if annotation is int:
        raise DeclarationError("`int` says no width; write e.g. `u64` or `i64` of ractor")
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return _annotated(annotation)
    if origin in (list, Sequence, typing.Sequence):
        return _list(get_args(annotation)[0])
    if origin is None and isinstance(annotation, type):
        if _protobuf.is_message(annotation):
            return _protobuf_codec(annotation)
        if dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation):
            return _json_codec(annotation, annotation.__name__)
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    if annotation is dict or origin is dict or origin is Union or origin is types.UnionType:
        raise DeclarationError(f"`{name}` doesn't travel as it is; write `Json[...]` around it")
    raise DeclarationError(
        f"`{name}` doesn't travel in messages; use u8 ... i128, f32, f64, bool, char, str, bytes, None, a list of numbers, "
        "a protobuf message, a dataclass, a TypedDict, or Json[...]"
    )


def _annotated(annotation: Any) -> Codec:
    base, *marks = get_args(annotation)
    for mark in marks:
        if isinstance(mark, JsonText):
            # `Json[u64]` has two marks.
            for other in marks:
                base = base if other is mark else Annotated[base, other]
            return _json_codec(base, mark.name or _json_name(base))
    for mark in marks:
        if isinstance(mark, Wire):
            if mark.type in _SCALARS:
                return _SCALARS[mark.type]
            if base is bytes and _NAMED.fullmatch(mark.type):
                return Codec(mark.type, _encode_bytes, bytes)
            raise DeclarationError(f"`{mark.type}` is no type of messages, or not one of `{base}`")
        if isinstance(mark, NotKept):
            raise DeclarationError("`Transient` is for the fields of an actor, and no type of messages")
    return codec_of(base)


def _json_name(base: Any) -> str:
    if isinstance(base, type) and not get_origin(base) and (dataclasses.is_dataclass(base) or typing.is_typeddict(base)):
        return base.__name__
    return "Value"


def _fail(value: Any, name: str) -> NoReturn:
    raise EncodeError(f"{_json.text_of(value)} is no {name}") from None


def _exactly(data: bytes, size: int, name: str) -> bytes:
    if len(data) != size:
        raise DecodeError(f"{len(data)} bytes are no {name}")
    return data


# Scalars.


def _integer(bits: int, signed: bool) -> Codec:
    name, size = f"{'i' if signed else 'u'}{bits}", bits // 8

    def encode(value: Any) -> bytes:
        try:
            if value is not True and value is not False:
                return int.to_bytes(value, size, "big", signed=signed)
        except (OverflowError, TypeError):
            pass
        _fail(value, name)

    def decode(data: bytes) -> int:
        if len(data) != size:
            raise DecodeError(f"{len(data)} bytes are no {name}")
        return int.from_bytes(data, "big", signed=signed)

    return Codec(name, encode, decode)


def _float(name: str, layout: struct.Struct) -> Codec:
    def encode(value: Any) -> bytes:
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return layout.pack(value)
            except OverflowError:
                pass
        _fail(value, name)

    def decode(data: bytes) -> float:
        value: float = layout.unpack(_exactly(data, layout.size, name))[0]
        return value

    return Codec(name, encode, decode)


def _encode_bool(value: Any) -> bytes:
    if value is True:
        return b"\1"
    if value is False:
        return b"\0"
    _fail(value, "bool")


def _decode_bool(data: bytes) -> bool:
    if _exactly(data, 1, "bool")[0] > 1:
        raise DecodeError(f"{data[0]} is no bool")
    return data == b"\1"


def _encode_char(value: Any) -> bytes:
    try:
        if isinstance(value, str) and len(value) == 1:
            return value.encode("utf-32-be")
    except UnicodeEncodeError:
        pass
    _fail(value, "char")


def _decode_char(data: bytes) -> str:
    try:
        return _exactly(data, 4, "char").decode("utf-32-be")
    except UnicodeDecodeError:
        raise DecodeError(f"{int.from_bytes(data, 'big'):#x} is no code point") from None


def _encode_str(value: Any) -> bytes:
    try:
        return str.encode(value)
    except (TypeError, UnicodeEncodeError):
        _fail(value, "str")


def _decode_str(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"it is no UTF-8: {error.reason} at byte {error.start}") from None


def _encode_bytes(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    _fail(value, "bytes")


def _encode_none(value: Any) -> bytes:
    if value is not None:
        _fail(value, "None")
    return b""


def _decode_none(data: bytes) -> None:
    _exactly(data, 0, "None")


_SCALARS = {f"{sign}{bits}": _integer(bits, sign == "i") for sign in "ui" for bits in (8, 16, 32, 64, 128)}
_SCALARS |= {
    "f32": _float("f32", struct.Struct(">f")),
    "f64": _float("f64", struct.Struct(">d")),
    "bool": Codec("bool", _encode_bool, _decode_bool),
    "char": Codec("char", _encode_char, _decode_char),
}
_PLAIN: dict[Any, Codec] = {
    str: Codec("string", _encode_str, _decode_str),
    bytes: Codec("bytes", _encode_bytes, bytes),
    bool: _SCALARS["bool"],
    float: _SCALARS["f64"],
    type(None): Codec("unit", _encode_none, _decode_none),
}


# Lists: as a whole and not element by element, because a list of a million would take most of a second.


def _list(element: Any) -> Codec:
    inner = codec_of(element)
    if inner.type == "u8":
        return Codec("bytes", _encode_byte_list, list)
    name = f"list<{inner.type}>"
    if inner.type in _CODES:
        return _array_list(name, _CODES[inner.type])
    if inner.type == "bool":
        return Codec(name, _encode_bools, _decode_bools)
    if inner.type == "char":
        return Codec(name, _encode_chars, _decode_chars)
    if _INTEGER.fullmatch(inner.type):
        return _wide_list(name, inner)
    raise DeclarationError(f"a list of `{inner.type}` doesn't travel as it is; write `Json[list[...]]`")


def _array_list(name: str, code: str) -> Codec:
    size = array(code).itemsize

    def encode(values: Any) -> bytes:
        if isinstance(values, str | bytes):
            _fail(values, name)
        try:
            packed = array(code, values)
        except (TypeError, OverflowError, ValueError) as error:
            raise EncodeError(f"a {name} has an element that is none: {error}") from None
        if code == "f" and (inf in packed or -inf in packed) and not (inf in values or -inf in values):
            raise EncodeError(f"a {name} has an element that is too large")
        if _SWAP:
            packed.byteswap()
        return packed.tobytes()

    def decode(data: bytes) -> list[Any]:
        if len(data) % size:
            raise DecodeError(f"{len(data)} bytes are no {name}")
        packed: array[Any] = array(code)
        packed.frombytes(data)
        if _SWAP:
            packed.byteswap()
        return packed.tolist()

    return Codec(name, encode, decode)


def _wide_list(name: str, inner: Codec) -> Codec:
    def encode(values: Any) -> bytes:
        if isinstance(values, str | bytes):
            _fail(values, name)
        return b"".join(map(inner.encode, values))

    def decode(data: bytes) -> list[Any]:
        if len(data) % 16:
            raise DecodeError(f"{len(data)} bytes are no {name}")
        return [inner.decode(data[at : at + 16]) for at in range(0, len(data), 16)]

    return Codec(name, encode, decode)


def _encode_byte_list(values: Any) -> bytes:
    try:
        return bytes(values) if not isinstance(values, int) else _fail(values, "list[u8]")
    except (TypeError, ValueError):
        _fail(values, "list[u8]")


def _encode_bools(values: Any) -> bytes:
    if not all(value is True or value is False for value in values):
        _fail(values, "list<bool>")
    return bytes(values)


def _decode_bools(data: bytes) -> list[bool]:
    if data and max(data) > 1:
        raise DecodeError(f"{max(data)} is no bool")
    return list(map(bool, data))


def _encode_chars(values: Any) -> bytes:
    try:
        if all(map((1).__eq__, map(len, values))):
            return "".join(values).encode("utf-32-be")
    except (TypeError, UnicodeEncodeError):
        pass
    _fail(values, "list<char>")


def _decode_chars(data: bytes) -> list[str]:
    if len(data) % 4:
        raise DecodeError(f"{len(data)} bytes are no list<char>")
    try:
        return list(data.decode("utf-32-be"))
    except UnicodeDecodeError as error:
        raise DecodeError(f"element {error.start // 4} is no code point") from None


# Types with a name.


def _protobuf_codec(message: Any) -> Codec:
    name = _protobuf.name_of(message)
    schema = Schema(name, "protobuf", _protobuf.file_set_of(message))

    def encode(value: Any) -> bytes:
        if not isinstance(value, message):
            _fail(value, name)
        return _protobuf.encode(value)

    return Codec(f"protobuf<{name}>", encode, lambda data: _protobuf.decode(message, data), schema)


def _json_codec(base: Any, name: str) -> Codec:
    shape = _json.shape_of(base)
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise DeclarationError(f"{name!r} is no name of a type; use letters, digits, `_` and `-`")
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **shape.schema}
    schema = Schema(name, "json-schema", _json.write(described)) if name != "Value" else None

    def encode(value: Any) -> bytes:
        try:
            return _json.write(shape.dump(value, name))
        except DecodeError as error:
            raise EncodeError(str(error)) from None

    def decode(data: bytes) -> Any:
        try:
            return shape.load(_json.parse(data), name)
        except EncodeError as error:
            raise DecodeError(str(error)) from None

    return Codec(f"json<{name}>", encode, decode, schema)


# The arguments of a message.


def pack(names: Sequence[str], codecs: Sequence[Codec], values: Sequence[Any]) -> bytes:
    """The arguments of a message: each as its length and its bytes."""
    parts = []
    for index, codec in enumerate(codecs):
        try:
            data = codec.encode(values[index])
        except EncodeError as error:
            raise EncodeError(f"argument {names[index]}: {error}") from None
        parts.append(_LENGTH.pack(len(data)))
        parts.append(data)
    return b"".join(parts)


def unpack(names: Sequence[str], codecs: Sequence[Codec], data: bytes) -> list[Any]:
    """The values of the arguments. Nothing may be missing or left over; an error names the argument."""
    values: list[Any] = []
    at, end = 0, len(data)
    for index, codec in enumerate(codecs):
        begin = at + 8
        if begin > end:
            raise DecodeError(f"argument {names[index]} ({codec.type}) is missing" + (" in part" if at < end else ""))
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > end:
            raise DecodeError(f"argument {names[index]} ({codec.type}) is cut off")
        try:
            values.append(codec.decode(data[begin:at]))
        except DecodeError as error:
            raise DecodeError(f"argument {names[index]} ({codec.type}): {error}") from None
    if at != end:
        raise DecodeError(f"{end - at} bytes are left over behind the arguments")
    return values


def layout_of(codecs: Sequence[Codec]) -> struct.Struct | None:
    """How arguments lie in a message, each behind its length; None if one of them isn't a number of machines."""
    codes = [_CODES.get(codec.type) for codec in codecs]
    if not codes or None in codes:
        return None
    return struct.Struct(">" + "".join(f"Q{code}" for code in codes))


def unpacker(names: Sequence[str], codecs: Sequence[Codec]) -> Callable[[bytes], list[Any]]:
    """`unpack` for one message: arguments that are numbers are read at once, which takes a fraction of the time."""

    def each(data: bytes) -> list[Any]:
        return unpack(names, codecs, data)

    layout = layout_of(codecs)
    if layout is None:
        return each
    sizes = tuple(struct.calcsize(f">{_CODES[codec.type]}") for codec in codecs)
    size = sizes[0]

    def numbers(data: bytes) -> list[Any]:
        if len(data) == layout.size:
            found = layout.unpack(data)
            if found[::2] == sizes:
                return list(found[1::2])
        return unpack(names, codecs, data)

    def number(data: bytes) -> list[Any]:
        if len(data) == layout.size:
            length, value = layout.unpack(data)
            if length == size:
                return [value]
        return unpack(names, codecs, data)

    return number if len(codecs) == 1 else numbers
