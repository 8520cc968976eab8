"""The actor on a node in memory: its tests need no WebAssembly."""

from app import {{Type}}
from ractor.testing import Node


def test_it_counts_from_its_start_argument() -> None:
    node = Node()
    actor = node.start({{Type}}, 5)
    actor.add(2)
    assert actor.get.blocking() == 7
