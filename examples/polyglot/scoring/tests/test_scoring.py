"""The actor on a node in memory: its tests need no WebAssembly."""

from app import ABROAD, BIG_SPENDER, Scorer
from ractor.testing import Node


def test_points_add_up() -> None:
    scorer = Node().start(Scorer)
    assert scorer.score.blocking("c-1", "DE", "radio", 4_999) == 0
    assert scorer.score.blocking("c-1", "US", "radio", 4_999) == ABROAD
    assert scorer.count.blocking() == 2
    assert scorer.total.blocking() == 9_998


def test_who_spends_much_is_known_to_new_code_too() -> None:
    node = Node()
    scorer = node.start(Scorer)
    assert scorer.score.blocking("c-1", "DE", "radio", 4_000_00) == 0
    node.reload(scorer, Scorer)
    assert scorer.score.blocking("c-1", "DE", "radio", 1_001_00) == BIG_SPENDER
    assert scorer.score.blocking("c-2", "DE", "radio", 1_001_00) == 0
