"""Portable state, by the examples that all languages share, and what an actor's declarations make of it."""

import json
import math
import re
from typing import Annotated, Any, ClassVar, Optional

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from ractor import Actor, DeclarationError, Failure, Json, JsonText, Reply, StateError, Timer, Transient, Wire, call, cast, export
from ractor import f64, types, u8, u64
from ractor._codec import codec_of
from ractor.testing import Node

from .kitchen import REPOSITORY

EXAMPLES = REPOSITORY / "tests" / "portable-state"


def shop_order() -> Any:
    """The message of the examples: `message Order { string id = 1; }` in the package `shop`."""
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    message = file.message_type.add(name="Order")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="id", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


SHOP_ORDER = shop_order()


def annotation_of(name: str) -> Any:
    """The Python type of a type in the grammar of states."""
    plain = {"string": str, "bytes": bytes, "unit": None, "bool": bool}
    if name in plain:
        return plain[name]
    if hasattr(types, name):
        return getattr(types, name)
    kind, inner = re.fullmatch(r"(\w+)<(.*)>", name).groups()  # type: ignore[union-attr]
    match kind:
        case "list":
            return list[annotation_of(inner)]  # type: ignore[misc]
        case "option":
            return Optional[annotation_of(inner)]
        case "map":
            key, item = split(inner)
            return dict[annotation_of(key), annotation_of(item)]  # type: ignore[misc]
        case "json":
            return Annotated[Any, JsonText(inner)]
        case "protobuf":
            return SHOP_ORDER
        case _:
            return Annotated[bytes, Wire(name)]


def split(inner: str) -> tuple[str, str]:
    """The two types of a map."""
    depth = 0
    for at, char in enumerate(inner):
        depth += {"<": 1, ">": -1}.get(char, 0)
        if char == "," and depth == 0:
            return inner[:at], inner[at + 2 :]
    raise ValueError(inner)


def meaning(means: Any, annotation: Any, name: str) -> Any:
    """The Python value of a meaning in the examples."""
    if "json" in means:
        return means["json"]
    if "hex" in means:
        data = bytes.fromhex(means["hex"])
        return data if name.startswith(("protobuf", "pot", "opaque")) else codec_of(annotation).decode(data)
    kind, _, inner = name.rstrip(">").partition("<") if "<" in name else (name, "", "")
    inner = name[len(kind) + 1 : -1]
    if "list" in means:
        return [meaning(each, annotation_of(inner), inner) for each in means["list"]]
    if "none" in means:
        return None
    if "some" in means:
        return meaning(means["some"], annotation_of(inner), inner)
    key, item = split(inner)
    return {meaning(name, annotation_of(key), key): meaning(value, annotation_of(item), item) for name, value in means["map"]}


def actor_of(case: dict[str, Any]) -> type[Actor]:
    """A class that declares the fields of an example."""
    fields = {field["name"]: annotation_of(field["type"]) for field in case["declared"]}
    defaults = {
        field["name"]: meaning(field["default"], annotation_of(field["type"]), field["type"]) for field in case["declared"] if "default" in field
    }
    return type("Example", (Actor,), {"__annotations__": fields, **defaults})


def same(left: Any, right: Any) -> bool:
    """Equal, where each NaN is the same, and the sign of zero counts."""
    if isinstance(left, SHOP_ORDER):
        return bool(left.SerializeToString(deterministic=True) == right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left) or left == right
    if isinstance(left, float) and isinstance(right, float):
        return math.isnan(left) and math.isnan(right) or left == right and math.copysign(1, left) == math.copysign(1, right)
    return bool(left == right)


def state_of(case: dict[str, Any]) -> bytes:
    return case["state"].encode() if "state" in case else bytes.fromhex(case["state-hex"])


def cases(file: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in json.loads((EXAMPLES / file).read_text())]


# Python has one None, so it can't tell no value from a value that is None. Such a state is refused.
ONE_NONE = re.compile(r"option of (option|unit): .*|option<json>: some null")


@pytest.mark.parametrize("case", [case for case in cases("valid.json") if not ONE_NONE.fullmatch(case.values[0]["name"])])
def test_a_state_of_any_language_is_read(case: dict[str, Any]) -> None:
    example = actor_of(case)()
    example.restore(state_of(case), 0)
    for field in case["declared"]:
        expected = meaning(case["means"][field["name"]], annotation_of(field["type"]), field["type"])
        found = getattr(example, field["name"])
        assert same(found, expected), f"{field['name']}: {found!r} is not {expected!r}"


@pytest.mark.parametrize("case", [case for case in cases("valid.json") if case.values[0].get("written") and not ONE_NONE.fullmatch(case.values[0]["name"])])
def test_a_state_is_written_as_every_language_writes_it(case: dict[str, Any]) -> None:
    example = actor_of(case)()
    example.restore(state_of(case), 0)
    assert json.loads(example.snapshot()) == json.loads(state_of(case))


@pytest.mark.parametrize("case", [case for case in cases("valid.json") if ONE_NONE.fullmatch(case.values[0]["name"])])
def test_a_state_that_python_could_not_give_back_unchanged_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(StateError):
        actor_of(case)().restore(state_of(case), 0)


@pytest.mark.parametrize("case", cases("invalid.json"))
def test_a_state_that_is_none_is_refused_by_the_name_of_the_field(case: dict[str, Any]) -> None:
    example = actor_of(case)()
    before = dict(vars(example))
    with pytest.raises(StateError) as raised:
        example.restore(state_of(case), 0)
    if case["field"] is not None:
        assert case["field"] in str(raised.value)
    assert vars(example) == before, "nothing is taken over in part"


class Declared(Actor):
    """What its state is shows in its annotations."""

    count: u64 = 0
    lastSeen: str = ""
    prices: dict[str, f64] = {}
    maybe: list[u8 | None] = []
    settings: Json[dict[str, int]] = {}
    waiting: list[Reply[str]] = []
    timer: Timer | None = None
    cache: Transient[dict[str, object]] = {}
    limit: ClassVar[int] = 5

    @cast
    def undeclared(self) -> None:
        self.more = [1.5]  # type: ignore[attr-defined]

    @cast
    def wrong(self) -> None:
        self.count = -1

    @cast
    def start(self) -> None:
        self.timer = self.wrong.after(100)
        self.cache["x"] = object()

    @call
    def wait(self, reply: Reply[str]) -> None:
        self.waiting.append(reply)

    @cast
    def answer(self, text: str) -> None:
        for reply in self.waiting:
            reply.send(text)
        self.waiting.clear()


def test_the_state_is_what_is_declared() -> None:
    node = Node()
    actor = node.start(Declared)
    actor.start()
    fields = json.loads(node.snapshot(actor))["fields"]
    assert {name: field["type"] for name, field in fields.items()} == {
        "count": "u64",
        "last_seen": "string",
        "prices": "map<string, f64>",
        "maybe": "list<option<u8>>",
        "settings": "json<Value>",
        "waiting": "list<u64>",
        "timer": "option<u64>",
    }


def test_an_undeclared_attribute_is_an_error_that_says_what_to_write() -> None:
    node = Node()
    actor = node.start(Declared)
    actor.undeclared()
    with pytest.raises(StateError, match=r"write `more: list\[f64\]` in the class Declared"):
        node.snapshot(actor)


def test_a_value_that_is_not_of_its_declared_type_is_an_error_that_names_the_field() -> None:
    node = Node()
    actor = node.start(Declared)
    actor.wrong()
    with pytest.raises(StateError, match=r"the field count \(u64\): -1 is no u64"):
        node.snapshot(actor)


def test_a_kept_reply_is_answered_by_the_code_that_comes_after() -> None:
    node = Node()
    actor = node.start(Declared)

    async def both() -> str:
        import asyncio

        waits = asyncio.create_task(actor.wait.within(None)())
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        node.reload(actor, Declared)
        actor.answer("from the new code")
        return await waits

    assert node.run(both()) == "from the new code"


def test_fields_begin_with_copies_of_their_defaults() -> None:
    one, other = Declared(), Declared()
    one.prices["tea"] = 1.0
    assert other.prices == {} and Declared.prices == {}


@export(state_version=2)
class Next(Actor):
    """The next version of `Before`, whose count was a text."""

    count: u64
    note: str = "none"

    def migrate(self, fields: dict[str, dict[str, Any]], from_version: int) -> dict[str, dict[str, Any]]:
        if from_version != 1:
            raise Failure(f"version {from_version} is too old")
        return {"count": {"type": "u64", "value": fields["total"]["value"]}}

    @call
    def get(self) -> u64:
        return self.count


@export(state_version=1)
class Before(Actor):
    total: str = "7"


@export(state_version=0)
class Older(Actor):
    total: str = "7"


@export(state_version=3)
class Strict(Actor):
    total: str = ""


def test_a_state_of_another_version_is_migrated_or_stays_with_the_old_code() -> None:
    node = Node()
    actor = node.start(Before)
    assert node.reload(actor, Next).get.blocking() == 7
    with pytest.raises(StateError, match="version 0 is too old"):
        node.reload(node.start(Older), Next)
    kept = node.start(Before)
    with pytest.raises(StateError, match="doesn't know version 1 of its state; define `migrate`"):
        node.reload(kept, Strict)
    assert node.is_alive(kept) and node.state(kept).total == "7"


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (set, "doesn't travel"),
        (dict, "say of what"),
        (list[u8], "bytes"),
        (u64 | str, "T | None"),
        (dict[f64, str], "key of a dict"),
        (list[Reply], "of what"),
    ],
)
def test_a_field_without_a_form_is_refused_when_the_component_is_built(annotation: Any, told: str) -> None:
    kind = type("Example", (Actor,), {"__annotations__": {"it": annotation}})
    with pytest.raises(DeclarationError, match=re.escape(told)) as raised:
        export(kind)
    assert "the field it of Example" in str(raised.value) and "Transient" in str(raised.value)


