"""Every type of docs/types.md, both ways, against the bytes that all languages write."""

import functools
import math
import time
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import pytest

from ractor import DeclarationError, DecodeError, EncodeError, Json, JsonText, Wire, char, f32, f64
from ractor import i8, i16, i32, i64, i128, u8, u16, u32, u64, u128
from ractor._codec import codec_of, pack, unpack, unpacker

from .kitchen import kitchen_pb2


@dataclass
class Order:
    id: str
    quantity: u64
    items: list[str]
    note: str | None = None


class Price(TypedDict):
    name: str
    cents: int


GOLDEN: list[tuple[Any, str, Any, str]] = [
    (u8, "u8", 0, "00"),
    (u8, "u8", 255, "ff"),
    (u16, "u16", 0x0102, "0102"),
    (u32, "u32", 2**32 - 1, "ffffffff"),
    (u64, "u64", 1, "0000000000000001"),
    (u64, "u64", 2**64 - 1, "ff" * 8),
    (u128, "u128", 2**128 - 1, "ff" * 16),
    (i8, "i8", -128, "80"),
    (i16, "i16", -2, "fffe"),
    (i32, "i32", -(2**31), "80000000"),
    (i64, "i64", -1, "ff" * 8),
    (i128, "i128", -(2**127), "80" + "00" * 15),
    (i128, "i128", 2**127 - 1, "7f" + "ff" * 15),
    (f32, "f32", 1.5, "3fc00000"),
    (f64, "f64", -0.0, "8000000000000000"),
    (f64, "f64", math.inf, "7ff0000000000000"),
    (float, "f64", 1.0, "3ff0000000000000"),
    (bool, "bool", True, "01"),
    (bool, "bool", False, "00"),
    (char, "char", "a", "00000061"),
    (char, "char", "\U0001f980", "0001f980"),
    (str, "string", "", ""),
    (str, "string", "Grüße \U0001f980", "4772c3bcc39f6520f09fa680"),
    (bytes, "bytes", b"", ""),
    (bytes, "bytes", b"\0\xff", "00ff"),
    (None, "unit", None, ""),
    (list[u8], "bytes", [1, 255], "01ff"),
    (list[u16], "list<u16>", [1, 65535], "0001ffff"),
    (list[u32], "list<u32>", [], ""),
    (list[u64], "list<u64>", [2**64 - 1], "ff" * 8),
    (list[i8], "list<i8>", [-1, 1], "ff01"),
    (list[i64], "list<i64>", [-2], "ff" * 7 + "fe"),
    (list[i128], "list<i128>", [-1, 1], "ff" * 16 + "00" * 15 + "01"),
    (list[u128], "list<u128>", [2**128 - 1], "ff" * 16),
    (list[f32], "list<f32>", [1.5, -math.inf], "3fc00000ff800000"),
    (list[f64], "list<f64>", [1.0, -0.0], "3ff00000000000008000000000000000"),
    (list[bool], "list<bool>", [True, False], "0100"),
    (list[char], "list<char>", ["a", "\U0001f980"], "000000610001f980"),
    (Annotated[bytes, Wire("pot<shop.Order>")], "pot<shop.Order>", b"pot", "706f74"),
    (Annotated[bytes, Wire("opaque<Key>")], "opaque<Key>", b"\1", "01"),
    (Json[list[str]], "json<Value>", ["ü"], b'["\xc3\xbc"]'.hex()),
    (Annotated[dict[str, int], JsonText("Prices")], "json<Prices>", {"a": 1}, b'{"a":1}'.hex()),
    (Price, "json<Price>", {"name": "tea", "cents": 2**70}, b'{"name":"tea","cents":1180591620717411303424}'.hex()),
    (
        Order,
        "json<Order>",
        Order("a", 2**64 - 1, ["x"]),
        b'{"id":"a","quantity":18446744073709551615,"items":["x"],"note":null}'.hex(),
    ),
    (
        kitchen_pb2.Order,
        "protobuf<kitchen.Order>",
        kitchen_pb2.Order(id="a", quantity=300, items=["x"], blob=b"\1"),
        "0c0a016110ac021a0178220101",
    ),
]


@pytest.mark.parametrize(("annotation", "name", "value", "data"), GOLDEN, ids=[f"{name}: {str(value)[:20]!r}" for _, name, value, _ in GOLDEN])
def test_a_value_has_the_bytes_that_every_language_writes(annotation: Any, name: str, value: Any, data: str) -> None:
    codec = codec_of(annotation)
    assert codec.type == name
    assert codec.encode(value).hex() == data
    decoded = codec.decode(bytes.fromhex(data))
    assert decoded == value
    assert type(decoded) is type(value)
    assert str(decoded) == str(value), "the sign of zero, too"


@pytest.mark.parametrize("annotation", [f32, f64, list[f32], list[f64]])
def test_a_nan_stays_one(annotation: Any) -> None:
    codec = codec_of(annotation)
    value = codec.decode(codec.encode([math.nan] if "list" in codec.type else math.nan))
    assert math.isnan(value[0] if isinstance(value, list) else value)


UNFIT: list[tuple[Any, Any]] = [
    (u8, 256),
    (u8, -1),
    (u8, 1.0),
    (u8, True),
    (u8, "1"),
    (u64, 2**64),
    (i128, 2**127),
    (f32, 1e300),
    (f64, "1"),
    (f64, True),
    (bool, 1),
    (char, "ab"),
    (char, ""),
    (char, "\ud800"),
    (str, "\ud800"),
    (str, b"a"),
    (bytes, "a"),
    (bytes, 3),
    (None, 0),
    (list[u8], [256]),
    (list[u8], 3),
    (list[u16], [1.5]),
    (list[u16], "ab"),
    (list[f32], [1e300]),
    (list[i128], [2**127]),
    (list[bool], [1]),
    (list[char], ["ab", ""]),
    (list[char], ["\udfff"]),
    (Order, "a"),
    (Order, Order("a", -1, [])),
    (Order, Order("a", 1, ["x", 2])),  # type: ignore[list-item]
    (Price, {"name": "tea"}),
    (Json[f64], math.nan),
    (Json[list[str]], ["\ud800"]),
    (kitchen_pb2.Order, Order("a", 1, [])),
]


@pytest.mark.parametrize(("annotation", "value"), UNFIT)
def test_a_value_that_its_type_cannot_hold_is_not_sent(annotation: Any, value: Any) -> None:
    with pytest.raises(EncodeError):
        codec_of(annotation).encode(value)


BROKEN: list[tuple[Any, str]] = [
    (u8, ""),
    (u8, "0000"),
    (u64, "00" * 7),
    (f32, "00" * 5),
    (bool, "02"),
    (char, "0000d800"),
    (char, "00110000"),
    (str, "ff"),
    (str, "eda080"),
    (None, "00"),
    (list[u16], "000000"),
    (list[u128], "00" * 17),
    (list[bool], "0102"),
    (list[char], "0000d800"),
    (list[char], "000000"),
    (Order, b"{".hex()),
    (Order, "ff"),
    (Order, b'{"id":"a"}'.hex()),
    (Order, b'{"id":"a","quantity":1,"items":[],"more":1}'.hex()),
    (Order, b'{"id":"a","quantity":1.5,"items":[]}'.hex()),
    (Order, b'{"id":"a","id":"b","quantity":1,"items":[]}'.hex()),
    (Json[f64], b"NaN".hex()),
    (Json[f64], b"1e999".hex()),
    (Json[list[str]], (b"[" * 100_000).hex()),
    (kitchen_pb2.Order, ""),
    (kitchen_pb2.Order, "03" + "0a0161" + "00"),
    (kitchen_pb2.Order, "020a05"),
    (kitchen_pb2.Order, "ff" * 11),
]


@pytest.mark.parametrize(("annotation", "data"), BROKEN)
def test_bytes_that_are_no_value_are_refused(annotation: Any, data: str) -> None:
    with pytest.raises(DecodeError):
        codec_of(annotation).decode(bytes.fromhex(data))


def test_json_has_what_dataclasses_are_made_of() -> None:
    class Size(Enum):
        SMALL = "s"
        LARGE = "l"

    @dataclass
    class Leaf:
        size: Size
        kind: Literal["oak", "elm"]
        pair: tuple[int, str]
        more: dict[str, float]
        any: Any
        maybe: u8 | None = None

    codec = codec_of(Leaf)
    leaf = Leaf(Size.LARGE, "elm", (1, "x"), {"a": 1.5}, [None, {"b": True}], 7)
    assert codec.decode(codec.encode(leaf)) == leaf
    with pytest.raises(DecodeError, match="Leaf.size"):
        codec.decode(codec.encode(leaf).replace(b'"l"', b'"x"'))


@pytest.mark.parametrize(
    ("annotation", "advice"),
    [
        (int, "u64"),
        (dict, "Json"),
        (dict[str, int], "Json"),
        (str | None, "Json"),
        (list[str], "Json"),
        (list[list[u8]], "Json"),
        (set, "doesn't travel"),
        (Json[set[str]], "no form in JSON"),
        (Json[bytes], "base64"),
        (Annotated[str, Wire("u7")], "u7"),
    ],
)
def test_a_type_that_does_not_travel_is_refused_with_advice(annotation: Any, advice: str) -> None:
    with pytest.raises(DeclarationError, match=advice):
        codec_of(annotation)


def test_arguments_are_lengths_and_bytes() -> None:
    names, codecs = ["n", "text"], [codec_of(u64), codec_of(str)]
    data = pack(names, codecs, [1, "ab"])
    assert data.hex() == "0000000000000008" + "0000000000000001" + "0000000000000002" + "6162"
    assert unpack(names, codecs, data) == [1, "ab"]
    for broken, told in [
        (b"", r"argument n \(u64\) is missing"),
        (data[:4], r"argument n \(u64\) is missing in part"),
        (data[:12], r"argument n \(u64\) is cut off"),
        (data[:16], r"argument text \(string\) is missing"),
        (data[:-1], r"argument text \(string\) is cut off"),
        (data + b"\0", "1 bytes are left over"),
        (b"\xff" * 8, r"argument n \(u64\) is cut off"),
        (data[:-1] + b"\xff", r"argument text \(string\): it is no UTF-8"),
    ]:
        with pytest.raises(DecodeError, match=told):
            unpack(names, codecs, broken)
    with pytest.raises(EncodeError, match="argument text"):
        pack(names, codecs, [1, 2])


def test_a_list_of_a_million_is_converted_as_a_whole() -> None:
    """By element it takes most of a second. Compared with what a loop takes, so that a slow machine doesn't matter."""
    values = [float(number) for number in range(1_000_000)]
    codec = codec_of(list[f64])
    begin = time.process_time()
    assert codec.decode(codec.encode(values)) == values
    whole = time.process_time() - begin
    one = codec_of(f64)
    begin = time.process_time()
    for value in values[:200_000]:
        one.decode(one.encode(value))
    by_element = (time.process_time() - begin) * 5
    assert whole < by_element / 2, f"{whole:.3f} s as a whole, {by_element:.3f} s by element"


def test_numbers_that_are_read_at_once_are_refused_as_each_of_them_is() -> None:
    names, codecs = ["first", "second"], [codec_of(u16), codec_of(f64)]
    fast, slow = unpacker(names, codecs), functools.partial(unpack, names, codecs)
    whole = pack(names, codecs, (7, 0.5))
    assert fast(whole) == slow(whole) == [7, 0.5]
    # The two lengths changed places: the size of all is right.
    swapped = whole[10:18] + bytes(8) + whole[:8] + bytes(2)
    for data in (whole[:-1], whole + b"\0", b"", whole[:8], swapped, bytes(len(whole))):
        with pytest.raises(DecodeError) as refused:
            fast(data)
        with pytest.raises(DecodeError) as expected:
            slow(data)
        assert str(refused.value) == str(expected.value)
