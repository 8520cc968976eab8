"""What a type checker refuses. Each line that it must refuse says so; `test_typing.py` compares."""

from ractor import Actor, Reply, call, cast, export, find, u64
from ractor.testing import Node


@export
class Counter(Actor):
    count: u64 = 0

    def pre_start(self, start: u64) -> None:
        self.count = start

    @cast
    def add(self, n: u64) -> None:
        self.count += n

    @cast  # refused
    def wrong_result(self, n: u64) -> u64:
        return n

    @call
    def get(self) -> u64:
        return self.count

    @call
    def wrong_reply(self) -> u64:
        return "five"  # refused

    @call
    def wait(self, reply: Reply[str], name: str) -> None:
        reply.send(5)  # refused

    @export  # refused
    def no_class(self) -> None: ...


async def use() -> str:
    counter = find("counter", Counter)
    counter.add(5)
    counter.add("five")  # refused
    counter.add()  # refused
    counter.add(5, 6)  # refused
    counter.add(m=5)  # refused
    counter.remove(5)  # refused
    counter.add.after("soon", 5)  # refused
    counter.add.every(1.0, "five")  # refused
    await counter.get(1)  # refused
    counter.get.blocking(1)  # refused
    counter.get()  # refused
    text: str = await counter.wait("x")
    number: int = await counter.wait("x")  # refused
    await counter.wait(5)  # refused
    print(text, number, counter.get() + 1)  # refused
    find("counter", "Counter")  # refused
    return await counter.get()  # refused


@export(on_cast_error="ignore")  # refused
class Other(Actor): ...


def in_a_test() -> None:
    node = Node()
    peer = node.stand_in(Counter)
    peer.reply(Counter.get, "five")  # refused
    peer.reply(Counter.add, 5)  # refused
    node.start(Counter, 5).remove()  # refused
