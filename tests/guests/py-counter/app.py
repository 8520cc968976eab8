"""A counter in Python, straight against the WIT world `ractor:actor/guest-actor`, without an SDK.

It understands the messages of examples/counter, byte for byte, so whoever talks to it can't tell the two apart.
`wit_world` is generated from wit/: `componentize-py -d wit -w guest-actor bindings .` shows it to an editor. README.md in
the folder above says how this becomes a component.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.actor import Descriptor, MessageVariant
from wit_world.imports import groups, identity, logging, messaging

# How long another member of a group may take to answer.
PATIENCE_MS = 1000
MOST = 2**64 - 1

MESSAGES = [
    MessageVariant("Add", ["u64"], None),
    MessageVariant("Get", [], "u64"),
    MessageVariant("AddAndGet", ["u64"], "u64"),
    MessageVariant("SumOf", ["String"], "u64"),
    MessageVariant("AddTo", ["String", "u64"], None),
    MessageVariant("Name", [], "String"),
    MessageVariant("Crash", ["String"], None),
]


# The encoding of messages: a u64 is 8 bytes, big-endian; each argument is its length as a u64, and its bytes.


def to_u64(data):
    if len(data) != 8:
        raise ValueError(f"{len(data)} bytes are no u64")
    return int.from_bytes(data, "big")


def from_u64(n):
    return n.to_bytes(8, "big")


def decode(args, *kinds):
    """The arguments, each by the function that makes it of its bytes. Nothing may be missing or left over."""
    values = []
    for kind in kinds:
        if len(args) < 8:
            raise ValueError("an argument is missing")
        end = 8 + to_u64(args[:8])
        if len(args) < end:
            raise ValueError("an argument is cut off")
        values.append(kind(args[8:end]))
        args = args[end:]
    if args:
        raise ValueError("bytes are left over")
    return values


def encode(*arguments):
    return b"".join(from_u64(len(argument)) + argument for argument in arguments)


def warn(text):
    logging.log(logging.Level.WARN, "py_counter", text, [])


def others(group):
    """Every member of a group but this actor."""
    myself = identity.self_pid()
    return [member for member in groups.members(group, None) if member != myself]


class Actor(exports.Actor):
    """An instance is one actor. `Err` with a text fails it; any other exception that leaves an export is a trap."""

    # Made before the component is saved: what every actor begins with.
    count = 0

    def describe(self):
        return Descriptor("Counter", "0.1.0", 0, "u64", MESSAGES)

    def pre_start(self, args):
        try:
            self.count = to_u64(args)
        except ValueError as error:
            raise Err(f"the start argument: {error}")

    def post_start(self):
        pass

    def handle_cast(self, variant, args):
        try:
            match variant:
                case "Add":
                    (n,) = decode(args, to_u64)
                    self.add(n)
                case "AddTo":
                    group, n = decode(args, bytes.decode, to_u64)
                    self.add_to(group, n)
                case "Crash":
                    (reason,) = decode(args, bytes.decode)
                    raise Err(reason)
                case _:
                    warn(f"dropped a message of an unknown kind: {variant}")
        except ValueError as error:
            warn(f"dropped a message {variant}: {error}")

    def handle_call(self, variant, args, reply_to):
        try:
            match variant:
                case "Get":
                    decode(args)
                    return from_u64(self.count)
                case "AddAndGet":
                    (n,) = decode(args, to_u64)
                    self.add(n)
                    return from_u64(self.count)
                case "SumOf":
                    (group,) = decode(args, bytes.decode)
                    return from_u64(self.sum_of(group))
                case "Name":
                    decode(args)
                    return (identity.self_name() or "").encode()
                case _:
                    warn(f"dropped a call of an unknown kind: {variant}")
        except ValueError as error:
            warn(f"dropped a call {variant}: {error}")
        except Err as error:
            warn(f"dropped a call {variant}: a member did not answer: {error.value}")
        # No reply, and the caller is told so at once.
        messaging.drop_call(reply_to)
        return None

    def handle_supervisor_evt(self, event):
        pass

    def post_stop(self):
        pass

    def add(self, n):
        self.count = min(self.count + n, MOST)

    def sum_of(self, group):
        total = 0
        for member in others(group):
            total += to_u64(messaging.call(member, "Get", b"", PATIENCE_MS))
        return min(total, MOST)

    def add_to(self, group, n):
        for member in others(group):
            try:
                messaging.cast(member, "Add", encode(from_u64(n)))
            except Err as error:
                warn(f"not added: {error.value}")
