"""Values as JSON by their Python types, and the JSON Schema of such types.

Nothing is guessed: what a type doesn't say is an error, both ways. So a state or a message means the same to every language.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from .errors import DeclarationError, DecodeError, EncodeError
from .types import JsonText, Wire

Convert = Callable[[Any, str], Any]
"""Converts a value; the text is the path to it, for errors."""

EXACT = 2**53 - 1
"""The largest integer that every language reads exactly from JSON."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """How the values of one type become JSON values and come back, and the JSON Schema that says so."""

    dump: Convert
    load: Convert
    schema: dict[str, Any]


def parse(data: bytes, parse_float: Callable[[str], float] | None = None) -> Any:
    """The JSON value of a text. An object with a key that is there twice is an error, and by default a number beyond the doubles."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_constant, parse_float=parse_float or _float)
    except UnicodeDecodeError as error:
        raise DecodeError(f"it is no UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise DecodeError("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise DecodeError(f"it is no JSON: {error}") from None


def write(value: Any) -> bytes:
    """The text of a JSON value."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise EncodeError("a string has half of a surrogate pair") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(str(error)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DecodeError(f"the key {twice!r} is there twice")
    return found


def _constant(name: str) -> NoReturn:
    raise DecodeError(f"{name} is no JSON")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise DecodeError(f"{text} is larger than any double")
    return value


def text_of(value: Any) -> str:
    """A value as an error shows it: short."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def alike(value: Any, at: str, depth: int = 0) -> Any:
    """The value itself, if it is one that every language reads alike.

    Raises:
        EncodeError: It isn't; the text says where.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise EncodeError(f"{at}: a string with half of a surrogate pair")
        return value
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise EncodeError(f"{at}: {value} is no JSON number")
        if abs(value) > EXACT and value == int(value):
            raise EncodeError(f"{at}: {value} is beyond 2^53, so not every language reads it exactly; use a string")
        return value
    if depth > 100:
        raise EncodeError(f"{at}: nested more than 100 deep")
    if isinstance(value, list | tuple):
        return [alike(item, f"{at}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        result: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise EncodeError(f"{at}: the key {key!r} is no string")
            alike(key, f"{at}: a key", depth + 1)
            result[key] = alike(item, f"{at}.{key}", depth + 1)
        return result
    raise EncodeError(f"{at}: {text_of(value)} has no form in JSON")


def shape_of(annotation: Any) -> Shape:
    """The shape of a type.

    Raises:
        DeclarationError: The type has no form in JSON.
    """
    return _Shapes().of(annotation)


class _Shapes:
    """Shapes of types that may contain each other and themselves."""

    def __init__(self) -> None:
        self.known: dict[Any, Shape] = {}
        self.definitions: dict[str, Any] = {}

    def of(self, annotation: Any) -> Shape:
        shape = self.inner(annotation)
        if self.definitions:
            return dataclasses.replace(shape, schema={**shape.schema, "$defs": self.definitions})
        return shape

    def inner(self, annotation: Any) -> Shape:
        if get_origin(annotation) is typing.Annotated:
            return self.annotated(annotation)
        if annotation in _PLAIN:
            return _PLAIN[annotation]
        if annotation is Any or annotation is object:
            return Shape(_as_it_is, _as_it_is, {})
        if annotation is dict:
            return self.inner(dict[str, Any])
        if annotation is list:
            return self.inner(list[Any])
        if isinstance(annotation, type) and not get_origin(annotation):
            if dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation):
                return self.record(annotation)
            if issubclass(annotation, enum.Enum):
                return self.enumeration(annotation)
        return self.generic(annotation)

    def annotated(self, annotation: Any) -> Shape:
        base, *marks = get_args(annotation)
        for mark in marks:
            if isinstance(mark, Wire) and mark.type in _NUMBERS:
                return _NUMBERS[mark.type]
            if isinstance(mark, Wire) and mark.type == "char":
                return Shape(_char, _char, {"type": "string", "minLength": 1, "maxLength": 1})
            if isinstance(mark, Wire):
                raise DeclarationError(f"`{mark.type}` has no form in JSON")
        return self.inner(base)

    def generic(self, annotation: Any) -> Shape:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in (list, Sequence, typing.Sequence):
            return self.array(self.inner(arguments[0]))
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            return self.row([self.inner(argument) for argument in arguments])
        if origin in (dict, Mapping):
            if arguments[0] is not str:
                raise DeclarationError("the keys of a JSON object are `str`")
            return self.object(self.inner(arguments[1]))
        if origin is Literal:
            return self.literal(arguments)
        if origin is Union or origin is types.UnionType:
            return self.union([self.inner(argument) for argument in arguments])
        if origin in (typing.Required, typing.NotRequired):
            return self.inner(arguments[0])
        hint = "; use a `str` in base64, or `list[u8]`" if annotation is bytes else ""
        raise DeclarationError(f"{_name(annotation)} has no form in JSON{hint}")

    def array(self, item: Shape) -> Shape:
        def dump(value: Any, at: str) -> Any:
            if not isinstance(value, list | tuple):
                raise EncodeError(f"{at}: {text_of(value)} is no list")
            return [item.dump(each, f"{at}[{index}]") for index, each in enumerate(value)]

        def load(value: Any, at: str) -> Any:
            return [item.load(each, f"{at}[{index}]") for index, each in enumerate(_expect(value, list, "array", at))]

        return Shape(dump, load, {"type": "array", "items": item.schema})

    def row(self, items: list[Shape]) -> Shape:
        def each(value: Any, at: str, which: Callable[[Shape], Convert]) -> list[Any]:
            if len(value) != len(items):
                raise DecodeError(f"{at}: {len(value)} items where {len(items)} are expected")
            return [which(item)(each, f"{at}[{index}]") for index, (item, each) in enumerate(zip(items, value, strict=True))]

        def dump(value: Any, at: str) -> Any:
            return each(value, at, lambda item: item.dump)

        def load(value: Any, at: str) -> Any:
            return tuple(each(_expect(value, list, "array", at), at, lambda item: item.load))

        schemas = [item.schema for item in items]
        return Shape(dump, load, {"type": "array", "prefixItems": schemas, "minItems": len(items), "maxItems": len(items)})

    def object(self, item: Shape) -> Shape:
        def dump(value: Any, at: str) -> Any:
            if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
                raise EncodeError(f"{at}: {text_of(value)} is no dict with keys of `str`")
            return {key: item.dump(each, f"{at}.{key}") for key, each in value.items()}

        def load(value: Any, at: str) -> Any:
            return {key: item.load(each, f"{at}.{key}") for key, each in _expect(value, dict, "object", at).items()}

        return Shape(dump, load, {"type": "object", "additionalProperties": item.schema})

    def literal(self, values: tuple[Any, ...]) -> Shape:
        def check(value: Any, at: str) -> Any:
            if not any(value == known and type(value) is type(known) for known in values):
                raise DecodeError(f"{at}: {text_of(value)} is none of {', '.join(map(repr, values))}")
            return value

        return Shape(check, check, {"enum": list(values)})

    def union(self, cases: list[Shape]) -> Shape:
        def first(which: Callable[[Shape], Convert], value: Any, at: str) -> Any:
            reasons = []
            for case in cases:
                try:
                    return which(case)(value, at)
                except (DecodeError, EncodeError) as error:
                    reasons.append(str(error))
            raise DecodeError("; ".join(dict.fromkeys(reasons)))

        return Shape(
            lambda value, at: first(lambda case: case.dump, value, at),
            lambda value, at: first(lambda case: case.load, value, at),
            {"anyOf": [case.schema for case in cases]},
        )

    def enumeration(self, kind: type[enum.Enum]) -> Shape:
        values = [member.value for member in kind]

        def dump(value: Any, at: str) -> Any:
            if not isinstance(value, kind):
                raise EncodeError(f"{at}: {text_of(value)} is no {kind.__name__}")
            return value.value

        def load(value: Any, at: str) -> Any:
            try:
                return kind(value)
            except ValueError:
                raise DecodeError(f"{at}: {text_of(value)} is no {kind.__name__}") from None

        return Shape(dump, load, {"enum": values})

    def record(self, kind: Any) -> Shape:
        """A dataclass or a TypedDict: an object with these keys and no others."""
        if kind in self.known:
            return self.known[kind]
        fields: dict[str, Shape] = {}
        required: set[str] = set()
        is_dict = typing.is_typeddict(kind)
        properties: dict[str, Any] = {}
        definition = {"type": "object", "properties": properties, "additionalProperties": False}

        def dump(value: Any, at: str) -> Any:
            if is_dict:
                if not isinstance(value, dict) or not set(value) <= set(fields) or not required <= set(value):
                    raise EncodeError(f"{at}: {text_of(value)} is no {kind.__name__}")
                return {key: fields[key].dump(each, f"{at}.{key}") for key, each in value.items()}
            if not isinstance(value, kind):
                raise EncodeError(f"{at}: {text_of(value)} is no {kind.__name__}")
            return {name: shape.dump(getattr(value, name), f"{at}.{name}") for name, shape in fields.items()}

        def load(value: Any, at: str) -> Any:
            found = _expect(value, dict, "object", at)
            for name in required:
                if name not in found:
                    raise DecodeError(f"{at}: the key {name!r} is missing")
            for name in found:
                if name not in fields:
                    raise DecodeError(f"{at}: the key {name!r} is unknown")
            loaded = {key: fields[key].load(each, f"{at}.{key}") for key, each in found.items()}
            return loaded if is_dict else kind(**loaded)

        shape = Shape(dump, load, {"$ref": f"#/$defs/{kind.__name__}"})
        self.known[kind] = shape
        self.definitions[kind.__name__] = definition
        hints = get_type_hints(kind, include_extras=True)
        if is_dict:
            required |= set(kind.__required_keys__)
            names = list(hints)
        else:
            parts = [part for part in dataclasses.fields(kind) if part.init]
            names = [part.name for part in parts]
            missing = dataclasses.MISSING
            required |= {part.name for part in parts if part.default is missing and part.default_factory is missing}
        for name in names:
            fields[name] = self.inner(hints[name])
            properties[name] = fields[name].schema
        definition["required"] = [name for name in names if name in required]
        return shape


def _as_it_is(value: Any, at: str) -> Any:
    return value


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _expect(value: Any, kind: type[Any], name: str, at: str) -> Any:
    if not isinstance(value, kind):
        raise DecodeError(f"{at}: {text_of(value)} is no {name}")
    return value


def _char(value: Any, at: str) -> Any:
    if not isinstance(value, str) or len(value) != 1:
        raise DecodeError(f"{at}: {text_of(value)} is no single character")
    return value


def _plain(kind: type[Any], name: str) -> Shape:
    def check(value: Any, at: str) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise DecodeError(f"{at}: {text_of(value)} is no {name}")
        return value

    return Shape(check, check, {"type": name})


def _floats() -> Shape:
    def check(value: Any, at: str) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise DecodeError(f"{at}: {text_of(value)} is no number")
        return float(value)

    return Shape(check, check, {"type": "number"})


def _integers(bits: int, signed: bool) -> Shape:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def check(value: Any, at: str) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise DecodeError(f"{at}: {text_of(value)} is no {'i' if signed else 'u'}{bits}")
        return value

    return Shape(check, check, {"type": "integer", "minimum": least, "maximum": most})


_NUMBERS = {f"{sign}{bits}": _integers(bits, sign == "i") for sign in "ui" for bits in (8, 16, 32, 64, 128)}
_NUMBERS |= {"f32": _floats(), "f64": _floats()}
_PLAIN: dict[Any, Shape] = {
    str: _plain(str, "string"),
    int: _plain(int, "integer"),
    bool: _plain(bool, "boolean"),
    float: _floats(),
    type(None): _plain(type(None), "null"),
    None: _plain(type(None), "null"),
}
