"""The kitchen of the conformance suite, as its users would test it: the class that its component has."""

import json

import pytest

import ractor
from ractor import CallFailed, SpawnError
from ractor.testing import Node

from .kitchen import Kitchen, Order, kitchen_pb2


@pytest.fixture
def node() -> Node:
    return Node(name="n@h", modules={"kitchen": Kitchen}, config={"peer": "b", "key": "value"})


def test_it_calls_in_every_way(node: Node) -> None:
    one, other = node.start(Kitchen, "", name="a"), node.start(Kitchen, "", name="b")
    other.add(7)
    for ask in (one.call_other, one.ask_other):
        assert ask.blocking("b", "get", 100) == "ok:7"
        assert ask.blocking("b", "fail", 100) == "error:failed:no soup"
        assert ask.blocking("b", "drop", 100) == "error:no-reply"
        assert ask.blocking("b", "never", 100) == "error:timeout"
        assert ask.blocking("c", "get", 100) == "error:not-found"
        assert ask.blocking("a", "get", 100) == "error:would-deadlock"
    assert one.ring.blocking("b") == "ok:error:would-deadlock"
    assert one.ask_ring.blocking("b") == "ok:error:would-deadlock"
    assert one.gather.blocking("b", 10) == 70
    assert one.cancel.blocking("b") == "cancelled"
    assert one.timeout_await.blocking("b") == "timeout"
    assert one.sleep.blocking(200) == 200
    assert one.send_big.blocking(1000) == 1000
    other.release("late")


def test_it_replies_in_every_way(node: Node) -> None:
    kitchen = node.start(Kitchen, "hello")
    assert kitchen.get_note.blocking() == "hello"
    assert kitchen.two.blocking(1, "x") == "1:x"
    assert kitchen.later.blocking(50, "soup") == "soup"
    assert kitchen.echo_json.blocking(Order("a", 1, ["x"])) == Order("a", 2, ["x"])
    assert kitchen.echo_proto.blocking(kitchen_pb2.Order(id="a", quantity=1, blob=b"\0")) == kitchen_pb2.Order(id="a", quantity=2, blob=b"\0")
    for call, told in [(kitchen.fail_it, "text"), (kitchen.fail_later, "text"), (kitchen.throw, "RuntimeError: text")]:
        with pytest.raises(CallFailed) as raised:
            call.blocking("text")
        assert raised.value.reason == told
    with pytest.raises(CallFailed, match="RecursionError"):
        kitchen.recurse.blocking(2**32 - 1)
    assert kitchen.recurse.blocking(100) == 100
    assert kitchen.who_am_i.blocking() == "@n@h"
    assert kitchen.config.blocking("key") == "value" and kitchen.config.blocking("no") == ""


def test_it_lives_and_has_children(node: Node) -> None:
    for program, told in [("fail:no gas", "no gas"), ("panic", "ZeroDivisionError: the kitchen is on fire")]:
        with pytest.raises(SpawnError) as raised:
            node.start(Kitchen, program)
        assert raised.value.text == told
    kitchen = node.start(Kitchen, "")
    kitchen.monitor_group("g")
    assert kitchen.spawn.blocking("kitchen", "kid", "") == "ok"
    assert kitchen.spawn.blocking("none", "kid", "") == "error:unknown-module"
    assert kitchen.spawn.blocking("kitchen", "other", "fail:no") == "error:failed:no"
    ractor.find("kid", Kitchen).join("g")
    assert kitchen.members.blocking("g") == 1 and kitchen.children.blocking() == 1
    assert kitchen.stop_child.blocking("kid") and not kitchen.kill_child.blocking("kid")
    assert kitchen.events.blocking() == "started:kid;group:g:joined:1;group:g:left:1;terminated:kid:"
    assert node.failure(node.start(Kitchen, "fail-post")) == "post_start fails"


def test_its_state_is_exactly_four_fields(node: Node) -> None:
    kitchen = node.start(Kitchen, "note")
    kitchen.add(2**64 - 1)
    kitchen.add(6)
    kitchen.add_big(-(2**100))
    kitchen.mark(3)
    state = json.loads(node.snapshot(kitchen))
    assert state["fields"] == {
        "count": {"type": "u64", "value": "5"},
        "note": {"type": "string", "value": "note"},
        "big": {"type": "i128", "value": str(-(2**100))},
        "marks": {"type": "list<u64>", "value": ["3"]},
    }
    assert node.reload(kitchen, Kitchen).get.blocking() == 5


def test_its_contract_names_arguments_and_documentation() -> None:
    contract = ractor.contract_of(Kitchen)
    assert (contract.name, contract.version, contract.state_version) == ("Kitchen", "1.0.0", 1)
    assert contract.documentation == "An actor that uses all of its SDK."
    messages = {message.name: message for message in contract.messages}
    assert messages["Add"].documentation == "Adds to the count."
    assert [(argument.name, argument.type) for argument in messages["AskOther"].arguments] == [("name", "string"), ("what", "string"), ("ms", "u64")]
    assert messages["EchoProto"].reply == "protobuf<kitchen.Order>"
    assert {schema.name for schema in contract.schemas} == {"kitchen.Order", "Order"}
