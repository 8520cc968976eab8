"""An actor that counts."""

from ractor import Actor, call, cast, export, u64


@export
class {{Type}}(Actor):
    count: u64

    def pre_start(self, start: u64) -> None:
        self.count = start

    @cast
    def add(self, number: u64) -> None:
        self.count += number

    @call
    def get(self) -> u64:
        return self.count
