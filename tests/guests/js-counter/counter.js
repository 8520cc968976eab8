// A counter in JavaScript, straight against the WIT world `ractor:actor/guest-actor`, without an SDK. It understands the
// messages of examples/counter, byte for byte, so whoever talks to it can't tell the two apart.
//
// Each interface of wit/ is a module. Functions and the fields of records are in camelCase, the cases of enums are their
// names as strings, an option is its value or null, a result is its value or an exception, and a u64 is a number, which is
// exact below 2^53 only: pids, timers and `reply-to` are. README.md in the folder above says how this becomes a component.

import { members } from "ractor:actor/groups@0.1.0";
import { selfName, selfPid } from "ractor:actor/identity@0.1.0";
import { log } from "ractor:actor/logging@0.1.0";
import { call, cast, dropCall } from "ractor:actor/messaging@0.1.0";

// An instance is one actor, and its exports are never called concurrently: this is its state. A bigint, because the count
// may be above 2^53.
let count = 0n;

// How long another member of a group may take to answer.
const PATIENCE_MS = 1000;
const MOST = 2n ** 64n - 1n;

// The encoding of messages: a u64 is 8 bytes, big-endian; each argument is its length as a u64, and its bytes.

function toU64(bytes) {
    if (bytes.length !== 8) throw new RangeError(`${bytes.length} bytes are no u64`);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}

function fromU64(n) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, n);
    return bytes;
}

// There is no TextDecoder in QuickJS. Throws what is no UTF-8.
function toText(bytes) {
    return decodeURIComponent(Array.from(bytes, (byte) => "%" + byte.toString(16).padStart(2, "0")).join(""));
}

function fromText(text) {
    return Uint8Array.from(unescape(encodeURIComponent(text)), (character) => character.charCodeAt(0));
}

// The arguments, each by the function that makes it of its bytes. Nothing may be missing or left over.
function decode(args, ...kinds) {
    let at = 0;
    const take = (length) => {
        if (length > args.length - at) throw new RangeError("an argument is cut off");
        return args.subarray(at, (at += length));
    };
    const values = kinds.map((kind) => kind(take(Number(toU64(take(8))))));
    if (at !== args.length) throw new RangeError("bytes are left over");
    return values;
}

function encode(argument) {
    const bytes = new Uint8Array(8 + argument.length);
    bytes.set(fromU64(BigInt(argument.length)));
    bytes.set(argument, 8);
    return bytes;
}

// What the messages do.

function warn(text) {
    log("warn", "js_counter", text, []);
}

function add(n) {
    count = count + n > MOST ? MOST : count + n;
}

// Every member of a group but this actor.
function others(group) {
    const self = selfPid();
    return members(group, null).filter((member) => member.node !== self.node || member.id !== self.id);
}

function sumOf(group) {
    let sum = 0n;
    for (const other of others(group)) sum += toU64(call(other, "Get", new Uint8Array(), PATIENCE_MS));
    return sum > MOST ? MOST : sum;
}

function addTo(group, n) {
    for (const other of others(group)) {
        try {
            cast(other, "Add", encode(fromU64(n)));
        } catch (error) {
            warn(`not added: ${error}`);
        }
    }
}

// For each message: its argument types, its reply type if it is a call, how the arguments are decoded, and what it does.
const MESSAGES = {
    Add: { arguments: ["u64"], decode: [toU64], run: add },
    Get: { arguments: [], reply: "u64", decode: [], run: () => fromU64(count) },
    AddAndGet: { arguments: ["u64"], reply: "u64", decode: [toU64], run: (n) => (add(n), fromU64(count)) },
    SumOf: { arguments: ["String"], reply: "u64", decode: [toText], run: (group) => fromU64(sumOf(group)) },
    AddTo: { arguments: ["String", "u64"], decode: [toText, toU64], run: addTo },
    Name: { arguments: [], reply: "String", decode: [], run: () => fromText(selfName() ?? "") },
    Crash: { arguments: ["String"], decode: [toText] },
};

function find(variant, isCall) {
    const message = Object.hasOwn(MESSAGES, variant) && MESSAGES[variant];
    if (!message || "reply" in message !== isCall) throw new RangeError("it is of an unknown kind");
    return message;
}

// The exports. What one of them throws fails the actor, with that as the reason.
export const actor = {
    describe() {
        const messages = Object.entries(MESSAGES).map(([name, message]) => ({
            name,
            arguments: message.arguments,
            reply: message.reply ?? null,
        }));
        return { name: "Counter", version: "0.1.0", stateVersion: 0, arguments: "u64", messages };
    },

    preStart(args) {
        try {
            count = toU64(args);
        } catch (error) {
            throw `the start argument: ${error.message}`;
        }
    },

    postStart() {},

    handleCast(variant, args) {
        let values;
        try {
            values = decode(args, ...find(variant, false).decode);
        } catch (error) {
            return warn(`dropped a message ${variant}: ${error}`);
        }
        if (variant === "Crash") throw values[0];
        MESSAGES[variant].run(...values);
    },

    handleCall(variant, args, replyTo) {
        try {
            const message = find(variant, true);
            return message.run(...decode(args, ...message.decode));
        } catch (error) {
            // No reply, and the caller is told so at once.
            warn(`dropped a call ${variant}: ${error}`);
            dropCall(replyTo);
            return null;
        }
    },

    handleSupervisorEvt(event) {},

    postStop() {},
};
