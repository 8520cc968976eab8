"""What a type checker accepts: every way to declare and to send a message."""

import asyncio
from dataclasses import dataclass
from typing import assert_type

from ractor import (
    Actor,
    Json,
    Ref,
    Reply,
    Timer,
    Transient,
    address,
    call,
    cast,
    export,
    f64,
    find,
    members,
    monitor,
    myself,
    pid,
    resolve,
    spawn,
    u64,
    where_is,
)
from ractor.testing import Node


@dataclass
class Order:
    id: str
    amount: u64


@export(version="1.0.0", on_cast_error="log")
class Shop(Actor):
    count: u64 = 0
    prices: dict[str, f64] = {}
    waiting: Transient[list[Reply[str]]] = []
    other: "Transient[Ref[Shop] | None]" = None

    def pre_start(self, start: u64) -> None:
        self.count = start

    @cast
    def add(self, n: u64, often: u64 = 1) -> None:
        self.count += n * often

    @cast("Later")
    async def add_later(self, n: u64) -> None:
        await asyncio.sleep(1)
        self.add(n)

    @call
    def get(self) -> u64:
        return self.count

    @call("Total")
    async def sum_up(self, prices: list[f64], names: Json[dict[str, str]]) -> f64:
        return sum(prices)

    @call
    def order(self, order: Order) -> Order:
        return order

    @call
    def nothing(self) -> None: ...

    @call
    def wait(self, reply: Reply[str], name: str) -> None:
        self.waiting.append(reply)

    @call
    async def use(self, name: str) -> u64:
        shop = find(name, Shop)
        assert_type(shop, Shop)
        shop.add(5)
        shop.add(5, often=2)
        shop.add_later(1)
        assert_type(await shop.get(), int)
        assert_type(await shop.sum_up([1.0], {"a": "b"}), float)
        assert_type(await shop.order(Order("a", 1)), Order)
        assert_type(await shop.wait("a"), str)
        assert_type(shop.get.blocking(), int)
        assert_type(await shop.get.within(0.5)(), int)
        await asyncio.gather(shop.get(), shop.wait("x"))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(shop.get())
        assert_type(task.result(), int)
        assert_type(self.add.after(1.5, 5), Timer)
        timer = shop.add.every(1, 5, often=3)
        timer.cancel()
        for member in members("shops", Shop):
            member.add(1)
        maybe = where_is(name, Shop)
        if maybe is not None:
            maybe.add(1)
            monitor(maybe)
            resolve(address(maybe) or b"", Shop)
        child = spawn(Shop, 5, module="shop", restart="transient")
        child.add(1)
        self.other = child
        print(pid(self), pid(child), myself(Shop))
        return await self.get()


def in_a_test() -> None:
    node = Node(modules={"shop": Shop})
    shop = node.start(Shop, 5)
    shop.add(3)
    assert_type(shop.get.blocking(), int)
    assert_type(node.run(shop.wait("a")), str)
    peer = node.stand_in(Shop, name="peer")
    peer.reply(Shop.get, 7)
    peer.fail(Shop.wait, "no")
    peer.ref.add(1)
    assert_type(node.state(shop).count, int)
