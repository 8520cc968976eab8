"""Portable state: the declared fields of an actor as JSON that code in every language reads, or refuses.

docs/types.md of the project defines the form; `tests/portable-state` has examples of every corner.
"""

from __future__ import annotations

import base64
import binascii
import copy
import math
import re
import struct
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from . import _json, _protobuf
from ._codec import Codec, codec_of
from .errors import DeclarationError, DecodeError, EncodeError, StateError
from .types import NotKept, u64

_DIGITS = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_INTEGER = re.compile(r"([ui])(8|16|32|64|128)")
_KEYS = re.compile(r"[ui](8|16|32|64|128)|bool|char|string|bytes")
_SINGLE = struct.Struct(">f")


@dataclass(frozen=True)
class Kept:
    """How the values of one type become JSON values of a state and come back."""

    type: str
    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]


@dataclass(frozen=True)
class Field:
    """One field of an actor's state."""

    attribute: str
    """What Python calls it."""
    name: str
    """What the state calls it."""
    kept: Kept
    default: tuple[Any, ...]
    """Its default value, or nothing."""


def kept_of(annotation: Any) -> Kept:
    """The form in a state of a type.

    Raises:
        DeclarationError: It has none.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Union or origin is types.UnionType:
        return _option(annotation, arguments)
    if origin is list:
        inner = kept_of(arguments[0])
        if inner.type == "u8":
            raise DeclarationError("a `list[u8]` is `bytes` in a state; declare it so")
        return _list(inner)
    if origin is dict:
        return _map(kept_of(arguments[0]), kept_of(arguments[1]))
    if annotation is dict:
        raise DeclarationError("`dict` doesn't say of what; write e.g. `dict[str, u64]`, or `Json[dict[str, int]]`")
    kind = origin or annotation
    if hasattr(kind, "__ractor_kept__"):
        number, make = kind.__ractor_kept__(arguments)
        return _number(number, make)
    codec = codec_of(annotation)
    return _by_codec(codec, annotation)


def _by_codec(codec: Codec, annotation: Any) -> Kept:
    integer = _INTEGER.fullmatch(codec.type)
    if integer:
        return _integer(codec, wide=int(integer[2]) > 32)
    if codec.type in ("f32", "f64"):
        return _float(codec.type)
    if codec.type in ("bool", "char", "string", "unit"):
        return Kept(codec.type, _checked(codec), _checked(codec))
    if codec.type.startswith("json<"):
        return _json_value(codec)
    if codec.type.startswith("protobuf<"):
        return Kept(codec.type, lambda value: _to_base64(value.SerializeToString()), lambda value: _protobuf.parse(annotation, _from_base64(value)))
    return Kept(codec.type, lambda value: _to_base64(codec.encode(value)), lambda value: codec.decode(_from_base64(value)))


def _checked(codec: Codec) -> Callable[[Any], Any]:
    """Gives a value back if it is one of its type."""

    def check(value: Any) -> Any:
        codec.encode(value)
        return value

    return check


def _integer(codec: Codec, wide: bool) -> Kept:
    def dump(value: Any) -> Any:
        codec.encode(value)
        return str(int(value)) if wide else int(value)

    def load(value: Any) -> Any:
        if wide:
            if not isinstance(value, str) or not _DIGITS.fullmatch(value) or value == "-0":
                raise DecodeError(f"{_json.text_of(value)} are no digits of a {codec.type}")
            value = int(value) if len(value) <= 40 else 1 << 200
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        codec.encode(value)
        return value

    return Kept(codec.type, dump, load)


def _number(number: Callable[[Any], int], make: Callable[[int], Any]) -> Kept:
    """What the node keeps under a number, which stays the same while the code changes."""
    inner = kept_of(u64)

    def dump(value: Any) -> Any:
        try:
            return inner.dump(number(value))
        except AttributeError:
            raise EncodeError(f"{_json.text_of(value)} has no number") from None

    return Kept(inner.type, dump, lambda value: make(inner.load(value)))


_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


def _float(name: str) -> Kept:
    def dump(value: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise EncodeError(f"{_json.text_of(value)} is no {name}")
        value = float(value)
        if name == "f32":
            try:
                value = _SINGLE.unpack(_SINGLE.pack(value))[0]
            except OverflowError:
                raise EncodeError(f"{value} is no f32") from None
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return "-0" if value == 0 and math.copysign(1, value) < 0 else value

    def load(value: Any) -> Any:
        if isinstance(value, str) and value in _WORDS:
            return _WORDS[value]
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise DecodeError(f"{_json.text_of(value)} is no {name}")
        try:
            number = float(value) + 0.0
            if math.isinf(number):
                raise OverflowError
            single = _SINGLE.unpack(_SINGLE.pack(number))[0] if name == "f32" else number
        except OverflowError:
            raise DecodeError(f"{_json.text_of(value)} is too large for {name}") from None
        if single != number:
            raise DecodeError(f"{_json.text_of(value)} is no {name} but another double")
        return number

    return Kept(name, dump, load)


def _json_value(codec: Codec) -> Kept:
    def dump(value: Any) -> Any:
        return _json.alike(_json.parse(codec.encode(value)), codec.type)

    def load(value: Any) -> Any:
        return codec.decode(_json.write(_json.alike(value, codec.type)))

    return Kept(codec.type, dump, load)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise DecodeError(f"{_json.text_of(value)} is no base64")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError(f"{_json.text_of(value)} is no base64") from None
    if _to_base64(data) != value:
        raise DecodeError(f"{_json.text_of(value)} is base64 with bits that belong to no byte")
    return data


def _option(annotation: Any, arguments: tuple[Any, ...]) -> Kept:
    some = [argument for argument in arguments if argument is not type(None)]
    if len(some) != 1 or len(arguments) != 2:
        raise DeclarationError(f"`{annotation}` has no form in a state; a union is `T | None`")
    inner = kept_of(some[0])
    if inner.type == "unit" or inner.type.startswith("option<"):
        raise DeclarationError(f"`{annotation}` can't tell no value from one that is None")

    def load(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 1:
            raise DecodeError(f"{_json.text_of(value)} is neither null nor an array of one value")
        loaded = inner.load(value[0])
        if loaded is None:
            raise DecodeError("in Python, a value that is None can't be told from no value")
        return loaded

    return Kept(f"option<{inner.type}>", lambda value: None if value is None else [inner.dump(value)], load)


def _list(inner: Kept) -> Kept:
    def dump(value: Any) -> Any:
        if not isinstance(value, list):
            raise EncodeError(f"{_json.text_of(value)} is no list")
        return [inner.dump(item) for item in value]

    def load(value: Any) -> Any:
        if not isinstance(value, list):
            raise DecodeError(f"{_json.text_of(value)} is no array")
        return [inner.load(item) for item in value]

    return Kept(f"list<{inner.type}>", dump, load)


def _map(key: Kept, item: Kept) -> Kept:
    if not _KEYS.fullmatch(key.type):
        raise DeclarationError(f"the key of a dict in a state is an integer, bool, char, str or bytes, and no {key.type}")

    def dump(value: Any) -> Any:
        if not isinstance(value, dict):
            raise EncodeError(f"{_json.text_of(value)} is no dict")
        pairs = [[key.dump(name), item.dump(each)] for name, each in value.items()]
        return sorted(pairs, key=lambda pair: _key_text(pair[0]))

    def load(value: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            raise DecodeError(f"{_json.text_of(value)} is no array of arrays of two values")
        found = {key.load(name): item.load(each) for name, each in value}
        if len(found) != len(value):
            raise DecodeError("a key is there twice")
        return found

    return Kept(f"map<{key.type}, {item.type}>", dump, load)


def _key_text(key: Any) -> str:
    return key if isinstance(key, str) else _json.write(key).decode()


# The state of an actor.


def name_of(attribute: str) -> str:
    """What a state calls a field: its words in small letters, joined by `_`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+", attribute)
    return "_".join(word.lower() for word in words)


def defaults_of(actor: type[Any]) -> dict[str, Any]:
    """The fields that have a value in the class."""
    hints = _annotations(actor).items()
    return {name: getattr(actor, name) for name, annotation in hints if hasattr(actor, name) and not _is_class_variable(annotation)}


def _is_class_variable(annotation: Any) -> bool:
    return get_origin(annotation) is ClassVar or annotation is ClassVar


def _annotations(actor: type[Any]) -> dict[str, Any]:
    return get_type_hints(actor, include_extras=True)


def transient_of(actor: type[Any]) -> set[str]:
    """The fields that are declared to be no part of the state."""
    return {name for name, annotation in _annotations(actor).items() if _is_transient(annotation)}


def fields_of(actor: type[Any]) -> list[Field]:
    """The fields of an actor's state: those that it and its bases declare.

    Raises:
        DeclarationError: One has a type without a form in a state.
    """
    fields = []
    for attribute, annotation in _annotations(actor).items():
        if _is_class_variable(annotation) or _is_transient(annotation):
            continue
        try:
            kept = kept_of(annotation)
        except DeclarationError as error:
            raise DeclarationError(f"the field {attribute} of {actor.__name__}: {error}. Or declare it `Transient[...]`") from None
        default = (getattr(actor, attribute),) if hasattr(actor, attribute) else ()
        fields.append(Field(attribute, name_of(attribute), kept, default))
    return fields


def _is_transient(annotation: Any) -> bool:
    return get_origin(annotation) is typing.Annotated and any(isinstance(mark, NotKept) for mark in get_args(annotation)[1:])


def dump(actor: object) -> bytes:
    """The state of an actor.

    Raises:
        StateError: It has an attribute that isn't declared, or a value that isn't of its field's type.
    """
    kind = type(actor)
    fields = fields_of(kind)
    known = {field.attribute for field in fields} | transient_of(kind)
    for attribute, value in vars(actor).items():
        if attribute not in known:
            raise StateError(
                f"{kind.__name__}.{attribute} isn't declared, so no state has it: write `{attribute}: {_guess(value)}` "
                f"in the class {kind.__name__}, or `{attribute}: Transient[...]` if new code makes it anew"
            )
    state: dict[str, Any] = {}
    for field in fields:
        if not hasattr(actor, field.attribute):
            raise StateError(f"{kind.__name__}.{field.attribute} is declared and has no value")
        try:
            value = field.kept.dump(getattr(actor, field.attribute))
            state[field.name] = {"type": field.kept.type, "value": value}
        except (EncodeError, DecodeError) as error:
            raise StateError(f"the field {field.name} ({field.kept.type}): {error}") from None
    try:
        return _json.write({"ractor-state": 1, "fields": state})
    except EncodeError as error:
        raise StateError(str(error)) from None


def read(state: bytes) -> dict[str, dict[str, Any]]:
    """The fields of a state: of each its type and its JSON value.

    Raises:
        StateError: It is no portable state.
    """
    try:
        found = _json.parse(state, parse_float=float)
    except DecodeError as error:
        raise StateError(f"this is no portable state: {error}") from None
    if not isinstance(found, dict) or set(found) != {"ractor-state", "fields"}:
        raise StateError("this is no portable state: an object with the keys `ractor-state` and `fields` is expected")
    version, fields = found["ractor-state"], found["fields"]
    if isinstance(version, bool) or not isinstance(version, int | float) or version != 1:
        raise StateError(f"this is a portable state of the form {version!r}, and only form 1 is known")
    if not isinstance(fields, dict):
        raise StateError("this is no portable state: `fields` is no object")
    for name, field in fields.items():
        if not isinstance(field, dict) or set(field) != {"type", "value"} or not isinstance(field["type"], str):
            raise StateError(f"the field {name}: an object with the keys `type` and `value` is expected")
    return fields


def load(kind: type[Any], found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The values of an actor's fields, by attribute.

    Raises:
        StateError: A field is missing, unknown, of another type, or has a value that isn't of its type.
    """
    fields = fields_of(kind)
    values: dict[str, Any] = {}
    for field in fields:
        entry = found.get(field.name)
        if entry is None:
            if not field.default:
                raise StateError(f"the field {field.name} ({field.kept.type}) is missing, and {kind.__name__} has no default for it")
            values[field.attribute] = copy.deepcopy(field.default[0])
            continue
        if entry["type"] != field.kept.type:
            raise StateError(f"the field {field.name} is a {entry['type']} in the state, and {kind.__name__} declares {field.kept.type}")
        try:
            values[field.attribute] = field.kept.load(entry["value"])
        except (DecodeError, EncodeError) as error:
            raise StateError(f"the field {field.name} ({field.kept.type}): {error}") from None
    unknown = set(found) - {field.name for field in fields}
    if unknown:
        raise StateError(f"the field {min(unknown)} is in the state, and {kind.__name__} doesn't declare it")
    return values


def _guess(value: Any) -> str:
    """A type that a value may have been meant to have."""
    match value:
        case bool():
            return "bool"
        case int():
            return "u64" if value >= 0 else "i64"
        case float():
            return "f64"
        case str() | bytes():
            return type(value).__name__
        case list():
            return f"list[{_guess(value[0]) if value else 'u64'}]"
        case dict():
            key, item = next(iter(value.items()), ("", 0))
            return f"dict[{_guess(key)}, {_guess(item)}]"
        case _:
            return "..."
