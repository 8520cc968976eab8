"""Objects of a component whose counts are no longer kept, in a component of a few bytes."""

import struct

from ractor._immortal import IMMORTAL, apply

KIND, BEGIN = 0x2000, 0x1000


def leb(number: int) -> bytes:
    found = b""
    while True:
        number, low = number >> 7, number & 127
        if number == 0 and low < 64:
            return found + bytes([low])
        found += bytes([low | 128])


def component(memory: bytes) -> bytearray:
    data = b"\1\0\x41" + leb(BEGIN) + b"\x0b" + leb(len(memory)) + memory
    module = b"\0asm\1\0\0\0" + b"\x0b" + leb(len(data)) + data
    return bytearray(b"\0asm\x0d\0\1\0" + b"\0\3\2xy" + b"\1" + leb(len(module)) + module)


def test_what_is_still_where_it_was_noted_is_counted_no_more() -> None:
    words = [(3, KIND), (0, KIND), (0x280010, KIND), (1, KIND + 8), (1, KIND)]
    memory = b"".join(struct.pack("<II", *word) for word in words)
    made = component(memory)
    # The last isn't noted. The others: a list of what is free has the second and third, another object is where the fourth was.
    noted = b"".join(struct.pack("<II", BEGIN + 8 * index, KIND) for index in range(4))
    assert apply(made, noted) == 1
    expected = struct.pack("<II", IMMORTAL, KIND) + memory[8:]
    assert made == component(expected)
