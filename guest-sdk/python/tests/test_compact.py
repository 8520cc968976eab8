"""Gaps of the memory that are filled while a component is built, in a memory of one number."""

from collections.abc import Iterator

from ractor import _compact


class Place:
    """What `id` says of an object: the address of one that was made."""

    def __init__(self, at: int) -> None:
        self.at = at


def made_at(places: Iterator[int], kept: list[int]) -> int:
    """How many are kept of what is made at these places, and which."""
    before, real_id = len(_compact._kept), id
    setattr(_compact, "id", lambda found: found.at)
    try:
        number = _compact.fill(lambda: Place(next(places)), most=50)
    finally:
        delattr(_compact, "id")
    assert real_id is id
    kept[:] = [found.at for found in _compact._kept[before:]]
    del _compact._kept[before:]
    return number


def test_what_fills_a_gap_is_kept_and_what_lies_in_order_is_not() -> None:
    kept: list[int] = []
    gaps = [640, 64, 320, 352, 32]
    assert made_at(iter([*gaps, *range(1000, 2000, 32)]), kept) == len(kept)
    # The first one in order is only known to be the first by those behind it.
    assert kept[: len(gaps)] == gaps
    assert all(at in (1000, 1032) for at in kept[len(gaps) :])


def test_two_in_order_may_be_two_gaps() -> None:
    kept: list[int] = []
    gaps = [0, 32, 64, 640, 672, 704, 320]
    made_at(iter([*gaps, *range(1000, 2000, 32)]), kept)
    assert kept[: len(gaps)] == gaps


def test_a_memory_without_an_order_has_an_end() -> None:
    kept: list[int] = []
    places = (at * at * 32 for at in range(1000))
    assert made_at(places, kept) == 50
