// The kitchen in TypeScript: an actor that uses all of its SDK. tests/tests/languages drives it.

import {
  CallError, CallFailed, address, bool, bytes, call, cast, char, children, config, contract, demonitor, exit, f32, f64, find, i128, i16, i32, i64, i8, implement, join,
  json, killChild, later, leave, list, log, me, members, monitor, monitorGroup, resolve, sleep, spawn, SpawnError, stop, stopChild, string,
  traceContext, transient, u128, u16, u32, u64, u8, type CallErrorKind, type Ref, type Reply, type SupervisionEvent, type Timer, type Type,
} from "ractor-guest";
import { protobuf } from "ractor-guest/protobuf";

import { OrderSchema } from "./kitchen_pb.ts";

interface Order {
  id: string;
  quantity: number;
  items: string[];
}

const orderSchema = {
  type: "object",
  properties: { id: { type: "string" }, quantity: { type: "number" }, items: { type: "array", items: { type: "string" } } },
  required: ["id", "quantity", "items"],
};

const echo = <T>(type: Type<T>) => call({ value: type }).returns(type);
const calling = { name: string, what: string, ms: u64 };

export const Kitchen = contract({
  name: "Kitchen",
  version: "1.0.0",
  stateVersion: 1,
  doc: "An actor that uses all of its SDK.",
  start: string.as("note"),
  messages: {
    Add: cast({ n: u64 }).doc("Adds to the count."),
    AddBig: cast({ n: i128 }).doc("Adds to the big number."),
    Mark: cast({ n: u64 }),
    SetNote: cast({ text: string }),
    ThrowCast: cast({ text: string }),
    Log: cast({ level: string, text: string }),
    Print: cast({ text: string }),
    After: cast({ ms: u64, n: u64 }),
    Every: cast({ ms: u64, n: u64 }),
    CancelTimers: cast(),
    Join: cast({ group: string }),
    Leave: cast({ group: string }),
    MonitorGroup: cast({ group: string }),
    MonitorActor: cast({ name: string }),
    Forget: cast({ name: string }),
    StopSelf: cast({ reason: string }),
    ExitNow: cast({ reason: string }),
    CastOther: cast({ name: string, n: u64 }),
    Release: cast({ text: string }),

    EchoU8: echo(u8),
    EchoU16: echo(u16),
    EchoU32: echo(u32),
    EchoU64: echo(u64),
    EchoU128: echo(u128),
    EchoI8: echo(i8),
    EchoI16: echo(i16),
    EchoI32: echo(i32),
    EchoI64: echo(i64),
    EchoI128: echo(i128),
    EchoF32: echo(f32),
    EchoF64: echo(f64),
    EchoBool: echo(bool),
    EchoChar: echo(char),
    EchoString: echo(string),
    EchoBytes: echo(bytes),
    EchoListU16: echo(list(u16)),
    EchoListU64: echo(list(u64)),
    EchoListI64: echo(list(i64)),
    EchoListI128: echo(list(i128)),
    EchoListF32: echo(list(f32)),
    EchoListF64: echo(list(f64)),
    EchoListBool: echo(list(bool)),
    EchoListChar: echo(list(char)),
    EchoProto: echo(protobuf(OrderSchema)),
    EchoJson: echo(json<Order>("Order", orderSchema)),

    Two: call({ number: u64, text: string }).returns(string),
    Nothing: call(),
    Get: call().returns(u64).doc("The count."),
    GetBig: call().returns(i128),
    GetMarks: call().returns(list(u64)),
    GetNote: call().returns(string),
    Later: call({ ms: u64, text: string }).returns(string),
    Keep: call().returns(string),
    DropIt: call().returns(string),
    FailIt: call({ text: string }).returns(string),
    FailLater: call({ text: string }).returns(string),
    Throw: call({ text: string }).returns(string),
    Recurse: call({ depth: u32 }).returns(u32),
    Allocate: call({ bytes: u64 }).returns(u64),

    CallOther: call(calling).returns(string),
    AskOther: call(calling).returns(string),
    Ring: call({ name: string }).returns(string),
    AskRing: call({ name: string }).returns(string),
    Sleep: call({ ms: u64 }).returns(u64),
    Gather: call({ name: string, times: u32 }).returns(u64),
    Cancel: call({ name: string }).returns(string),
    TimeoutAwait: call({ name: string }).returns(string),
    Steps: call({ text: string }).returns(string),

    Members: call({ group: string }).returns(u32),
    WhereIs: call({ name: string }).returns(bool),
    Events: call().returns(string),
    Spawn: call({ module: string, name: string, argument: string }).returns(string),
    Children: call().returns(u32),
    StopChild: call({ name: string }).returns(bool),
    KillChild: call({ name: string }).returns(bool),

    Config: call({ key: string }).returns(string),
    Self: call().returns(string),
    Now: call().returns(u64),
    Random: call().returns(u64),
    Trace: call().returns(string).doc("Replies with the `traceparent` of its span; empty if it has none."),
    Address: call({ name: string }).returns(bytes),
    CastAddress: call({ address: bytes, n: u64 }).returns(bool),
    Big: call({ bytes: u64 }).returns(u64),
  },
});

// There are no Trap and TrapCall: JavaScript has nothing that ends the instance.

type Other = Ref<typeof Kitchen>;

/** What a call of another kitchen came to. */
const failure = (error: unknown): string => {
  if (error instanceof CallFailed) return `error:failed:${error.reason}`;
  if (error instanceof CallError) return `error:${error.kind satisfies CallErrorKind}`;
  throw error;
};

/** Calls another kitchen in one of two ways. */
const questions = {
  get: (other) => other.get(),
  fail: (other) => other.failIt({ text: "no soup" }),
  drop: (other) => other.dropIt(),
  never: (other) => other.keep(),
} satisfies Record<string, (other: Other) => Promise<unknown>>;
const blockingQuestions = {
  get: (other) => other.get(),
  fail: (other) => other.failIt({ text: "no soup" }),
  drop: (other) => other.dropIt(),
  never: (other) => other.keep(),
} satisfies Record<string, (other: Other["$blocking"]) => unknown>;

const isQuestion = (what: string): what is keyof typeof questions => Object.hasOwn(questions, what);

function question(what: string): keyof typeof questions {
  if (isQuestion(what)) return what;
  throw new CallFailed(`what is ${what}?`);
}

const nameOf = (actor: { name: string | undefined }) => actor.name ?? "?";

function textOf(event: SupervisionEvent): string {
  switch (event.kind) {
    case "started":
      return `started:${nameOf(event.actor)}`;
    case "group":
      return `group:${event.group}:${event.change}:${event.actors.length}`;
    default:
      return `${event.kind}:${nameOf(event.actor)}:${event.reason ?? ""}`;
  }
}

const deep = (depth: number): number => (depth === 0 ? 0 : 1 + deep(depth === 0xffffffff ? depth : depth - 1));

/** The child of this name. */
function child(name: string): Other | undefined {
  const found = find(name, Kitchen);
  return found && children().some(({ id, node }) => id === found.$pid.id && node === found.$pid.node) ? found : undefined;
}

export default implement(
  Kitchen,
  {
    state: {
      count: u64,
      note: string,
      big: i128,
      marks: list(u64),
      events: transient((): string[] => []),
      kept: transient((): Reply<string>[] => []),
      timers: transient((): Timer[] => []),
      mode: transient(() => ""),
    },
    start(note) {
      if (note.startsWith("fail:")) throw new Error(note.slice("fail:".length));
      if (note === "panic") throw new TypeError("an unexpected error");
      return { count: 0n, note, big: 0n, marks: [], events: [], kept: [], timers: [], mode: note };
    },
    postStart(s) {
      if (s.mode === "fail-post") throw new Error("post_start was told to fail");
    },
    postStop(s) {
      if (s.mode === "fail-stop") throw new Error("post_stop was told to fail");
    },
    event(s, event) {
      if (s.mode === "fail-event") throw new Error("the event handler was told to fail");
      s.events.push(textOf(event));
    },
  },
  {
    Add(s, { n }) {
      s.count = BigInt.asUintN(64, s.count + n);
    },
    AddBig(s, { n }) {
      s.big += n;
    },
    Mark(s, { n }) {
      s.marks.push(n);
    },
    SetNote(s, { text }) {
      s.note = text;
    },
    ThrowCast(_, { text }) {
      throw new Error(text);
    },
    Log(_, { level, text }) {
      log[level as keyof typeof log](text);
    },
    Print(_, { text }) {
      console.log(text);
    },
    After(s, { ms, n }) {
      s.timers.push(me.as(Kitchen).$after(Number(ms)).mark({ n }));
    },
    Every(s, { ms, n }) {
      s.timers.push(me.as(Kitchen).$every(Number(ms)).mark({ n }));
    },
    CancelTimers(s) {
      for (const timer of s.timers.splice(0)) timer.cancel();
    },
    Join(_, { group }) {
      join(group);
    },
    Leave(_, { group }) {
      leave(group);
    },
    MonitorGroup(_, { group }) {
      monitorGroup(group);
    },
    MonitorActor(_, { name }) {
      const actor = find(name, Kitchen);
      if (actor) monitor(actor);
    },
    Forget(_, { name }) {
      const actor = find(name, Kitchen);
      if (actor) demonitor(actor);
    },
    StopSelf(_, { reason }) {
      stop(reason);
    },
    ExitNow(_, { reason }) {
      exit(reason);
    },
    CastOther(s, { name, n }) {
      try {
        const other = find(name, Kitchen);
        if (other) other.add({ n });
        else s.note = "error:not-found";
      } catch (error) {
        s.note = failure(error);
      }
    },
    Release(s, { text }) {
      for (const reply of s.kept.splice(0)) reply.send(text);
    },

    EchoU8: (_, { value }) => value,
    EchoU16: (_, { value }) => value,
    EchoU32: (_, { value }) => value,
    EchoU64: (_, { value }) => value,
    EchoU128: (_, { value }) => value,
    EchoI8: (_, { value }) => value,
    EchoI16: (_, { value }) => value,
    EchoI32: (_, { value }) => value,
    EchoI64: (_, { value }) => value,
    EchoI128: (_, { value }) => value,
    EchoF32: (_, { value }) => value,
    EchoF64: (_, { value }) => value,
    EchoBool: (_, { value }) => value,
    EchoChar: (_, { value }) => value,
    EchoString: (_, { value }) => value,
    EchoBytes: (_, { value }) => value,
    EchoListU16: (_, { value }) => value,
    EchoListU64: (_, { value }) => value,
    EchoListI64: (_, { value }) => value,
    EchoListI128: (_, { value }) => value,
    EchoListF32: (_, { value }) => value,
    EchoListF64: (_, { value }) => value,
    EchoListBool: (_, { value }) => value,
    EchoListChar: (_, { value }) => value,
    EchoProto: (_, { value }) => ({ ...value, quantity: value.quantity + 1n }),
    EchoJson: (_, { value }) => ({ ...value, quantity: value.quantity + 1 }),

    Two: (_, { number, text }) => `${number}:${text}`,
    Nothing() {},
    Get: (s) => s.count,
    GetBig: (s) => s.big,
    GetMarks: (s) => s.marks,
    GetNote: (s) => s.note,
    Later: (_, { ms, text }) => later((reply) => void setTimeout(() => reply.send(text), Number(ms))),
    Keep: (s) => later((reply) => void s.kept.push(reply)),
    DropIt: () => later((reply) => reply.drop()),
    FailIt(_, { text }) {
      throw new CallFailed(text);
    },
    FailLater: (_, { text }) => later((reply) => void setTimeout(() => reply.fail(text), 20)),
    Throw(_, { text }) {
      throw new Error(text);
    },
    Recurse: (_, { depth }) => deep(depth),
    Allocate(_, { bytes: count }) {
      const memory = new Uint8Array(Number(count)).fill(1);
      return BigInt(memory.length);
    },

    CallOther(_, { name, what, ms }) {
      const other = find(name, Kitchen);
      if (!other) return "error:not-found";
      try {
        return `ok:${blockingQuestions[question(what)](other.$with({ timeout: Number(ms) }).$blocking)}`;
      } catch (error) {
        return failure(error);
      }
    },
    async AskOther(_, { name, what, ms }) {
      const other = find(name, Kitchen);
      if (!other) return "error:not-found";
      return questions[question(what)](other.$with({ timeout: Number(ms) })).then((value) => `ok:${value}`, failure);
    },
    Ring(_, { name }) {
      const other = find(name, Kitchen);
      if (!other) return "error:not-found";
      try {
        return `ok:${other.$blocking.ring({ name: me.name ?? "" })}`;
      } catch (error) {
        return failure(error);
      }
    },
    async AskRing(_, { name }) {
      const other = find(name, Kitchen);
      if (!other) return "error:not-found";
      return other.askRing({ name: me.name ?? "" }).then((value) => `ok:${value}`, failure);
    },
    async Sleep(_, { ms }) {
      await sleep(Number(ms));
      return ms;
    },
    async Gather(_, { name, times }) {
      const other = find(name, Kitchen);
      if (!other) throw new CallFailed("not found");
      const counts = await Promise.all(Array.from({ length: times }, () => other.get()));
      return counts.reduce((sum, count) => sum + count, 0n);
    },
    async Cancel(_, { name }) {
      const other = find(name, Kitchen);
      if (!other) return "error:not-found";
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      try {
        return `ok:${await other.$with({ signal: controller.signal }).keep()}`;
      } catch (error) {
        return controller.signal.aborted ? "cancelled" : failure(error);
      }
    },
    async TimeoutAwait(_, { name }) {
      const other = find(name, Kitchen);
      if (!other) return "error:not-found";
      try {
        return `ok:${await other.$with({ signal: AbortSignal.timeout(50) }).keep()}`;
      } catch (error) {
        return error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : failure(error);
      }
    },
    async Steps(s, { text }) {
      s.marks.push(1n);
      await sleep(30);
      s.marks.push(2n);
      return text;
    },

    Members: (_, { group }) => members(group, Kitchen).length,
    WhereIs: (_, { name }) => find(name, Kitchen) !== undefined,
    Events: (s) => s.events.join(";"),
    Spawn(_, { module, name, argument }) {
      try {
        spawn(module, Kitchen, { name, start: argument });
        return "ok";
      } catch (error) {
        if (!(error instanceof SpawnError)) throw error;
        return error.detail === undefined ? `error:${error.kind}` : `error:${error.kind}:${error.detail}`;
      }
    },
    Children: () => children().length,
    StopChild(_, { name }) {
      const found = child(name);
      return found !== undefined && stopChild(found);
    },
    KillChild(_, { name }) {
      const found = child(name);
      return found !== undefined && killChild(found);
    },

    Config: (_, { key }) => config(key) ?? "",
    Self: () => `${me.name}@${me.node}`,
    Now: () => BigInt(Date.now()),
    Random: () => BigInt(Math.floor(Math.random() * 2 ** 53)),
    Trace: () => traceContext()?.traceparent ?? "",
    Address(_, { name }) {
      const found = find(name, Kitchen);
      return (found && address(found)) ?? new Uint8Array(0);
    },
    CastAddress(_, { address: given, n }) {
      const found = resolve(given, Kitchen);
      found?.add({ n });
      return found !== undefined;
    },
    async Big(_, { bytes: count }) {
      const peer = find(config("peer") ?? "", Kitchen);
      if (!peer) throw new CallFailed("no peer");
      return BigInt((await peer.echoBytes({ value: new Uint8Array(Number(count)) })).length);
    },
  },
);
