"""The counter of examples/counter in Python: whoever talks to it can't tell the two apart."""

from ractor import Actor, call, cast, exit, export, members, pid, self_name, u64


@export
class Counter(Actor):
    """Counts up from its start argument. At the largest `u64` it stays where it is."""

    count: u64 = 0

    def pre_start(self, start: u64) -> None:
        self.count = start

    @cast
    def add(self, n: u64) -> None:
        """Counts up by a number."""
        self.count = min(self.count + n, 2**64 - 1)

    @call
    def get(self) -> u64:
        """Replies with the count."""
        return self.count

    @call
    def add_and_get(self, n: u64) -> u64:
        """Counts up by a number and replies with the new count."""
        self.add(n)
        return self.count

    @call
    async def sum_of(self, group: str) -> u64:
        """Replies with the sum of the counts of every other member of a process group."""
        return min(sum([await other.get.within(1)() for other in self.others(group)]), 2**64 - 1)

    @cast
    def add_to(self, group: str, n: u64) -> None:
        """Makes every other member of a process group count up by a number."""
        for other in self.others(group):
            other.add(n)

    @call
    def name(self) -> str:
        """Replies with the name of this actor, or with nothing if it has none."""
        return self_name() or ""

    @cast
    def crash(self, reason: str) -> None:
        """Fails with the text as the reason."""
        exit(reason)

    def others(self, group: str) -> list["Counter"]:
        return [member for member in members(group, Counter) if pid(member) != pid(self)]
