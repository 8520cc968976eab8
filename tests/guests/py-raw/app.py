"""A counter in Python, straight against the WIT world `ractor:actor/reloadable-actor`, without an SDK.

It understands the messages of examples/counter, byte for byte, so whoever talks to it can't tell the two apart. It also takes
over the state of that counter, and hands its own back.
`wit_world` is generated from wit/: `componentize-py -d wit -w reloadable-actor bindings .` shows it to an editor. README.md in
the folder above says how this becomes a component.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.actor import Descriptor, MessageVariant
from wit_world.imports import groups, identity, logging, messaging

STATE_VERSION = 0

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


# The encoding of the state, that of the crate postcard, which the Rust SDK has: seven bits a byte, the lowest first, and the
# highest bit of a byte says that more follow.


def from_state(data):
    n = 0
    for at, byte in enumerate(data):
        n |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            if at + 1 < len(data) or n > MOST:
                raise ValueError(f"{len(data)} bytes that are no count")
            return n
    raise ValueError("it is cut off")


def to_state(n):
    data = bytearray()
    while n >= 0x80:
        data.append(n & 0x7F | 0x80)
        n >>= 7
    data.append(n)
    return bytes(data)


def warn(text):
    logging.log(logging.Level.WARN, "py_counter", text, [])


def others(group):
    """Every member of a group but this actor."""
    myself = identity.self_pid()
    return [member for member in groups.members(group, None) if member != myself]


class Counter:
    """The state. Not in the classes below: each call of an export is to a new object of them."""

    count = 0

    def add(self, n):
        self.count = min(self.count + n, MOST)


# Made before the component is saved: what every actor begins with. An instance of the component is one actor.
counter = Counter()


class Actor(exports.Actor):
    """The actor. `Err` with a text fails it; any other exception that leaves an export is a trap."""

    def describe(self):
        return Descriptor("Counter", "0.1.0", STATE_VERSION, "u64", MESSAGES)

    def pre_start(self, args):
        try:
            counter.count = to_u64(args)
        except ValueError as error:
            raise Err(f"the start argument: {error}")

    def post_start(self):
        pass

    def handle_cast(self, variant, args):
        try:
            match variant:
                case "Add":
                    (n,) = decode(args, to_u64)
                    counter.add(n)
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
                    return from_u64(counter.count)
                case "AddAndGet":
                    (n,) = decode(args, to_u64)
                    counter.add(n)
                    return from_u64(counter.count)
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


class Reload(exports.Reload):
    """Hands the count over to the next code, and takes it from the code before, whichever language that is in."""

    def snapshot(self):
        return to_state(counter.count)

    def restore(self, state, from_state_version):
        if from_state_version != STATE_VERSION:
            raise Err(f"version {from_state_version} of the state is unknown here")
        try:
            counter.count = from_state(state)
        except ValueError as error:
            raise Err(f"the state: {error}")

    def post_reload(self):
        pass
