// What must compile, strictly.

import {
  asNumber, bytes, call, CallFailed, cast, char, contract, f64, find, findOrThrow, i128, implement, join, json, later, list, map, me, members,
  option, sleep, spawn, string, transient, typedList, u32, u64, unit, type Reply,
} from "ractor-guest";
import { protobuf } from "ractor-guest/protobuf";
import { TestNode } from "ractor-guest/testing";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";

export const Counter = contract({ name: "Counter", start: u64, messages: { Add: cast(u64), Get: call().returns(u64) } });

export const counter = implement(Counter, (count) => ({ count }), {
  Add(s, n) {
    s.count += n;
  },
  Get: (s) => s.count,
});

interface Order {
  id: string;
  quantity: number;
}

export const Everything = contract({
  name: "Everything",
  version: "1.0.0",
  stateVersion: 2,
  doc: "Everything that a contract can say.",
  messages: {
    Named: cast({ n: u64, text: string }).doc("Has names.").tag("named"),
    Two: call({ number: u64, text: string }).returns(string),
    Positional: call(u32, char).returns(list(f64)),
    Fast: call(typedList(f64)).returns(typedList(u64)),
    Plain: call(json<Order>("Order")).returns(json<Order>("Order", { type: "object" })),
    Nothing: call(),
    Safe: call(asNumber(u64)).returns(list(asNumber(u64))),
    Blob: call(bytes).returns(bytes),
    Keep: call().returns(string),
  },
});

export default implement(
  Everything,
  {
    state: {
      count: u64.or(0n),
      marks: list(u64),
      texts: list(string),
      big: i128,
      seen: map(string, option(u64)),
      kept: transient((): Reply<string>[] => []),
      timer: transient<number>(),
    },
    start: () => ({ count: 0n, marks: [], texts: [], big: 0n, seen: new Map(), kept: [], timer: undefined }),
    async postStart(s) {
      s.marks.push(1n);
      await sleep(10);
      join("group");
    },
    event(s, event) {
      if (event.kind === "failed") s.texts.push(event.reason ?? "");
      if (event.kind === "group" && event.change === "left") s.texts.push(event.group);
    },
    migrate: (saved) => ({ count: saved.count, marks: [], texts: [], big: 0n, seen: new Map(), kept: [], timer: undefined }),
    onCastError: "log",
    reentrant: ["Two", "Keep"],
  },
  {
    async Named(s, { n, text }) {
      s.count += n;
      s.texts.push(text);
      await sleep(1);
      me.as(Everything).$after(5).named({ n, text });
    },
    async Two(_, { number, text }) {
      const other = findOrThrow("counter", Counter);
      other.add(number);
      const value: bigint = await other.$with({ timeout: 100, signal: new AbortController().signal }).get();
      const blocked: bigint = other.$blocking.get();
      const sum = (await Promise.all(members("group", Counter).map((one) => one.get()))).reduce((all, one) => all + one, 0n);
      return `${value + blocked + sum}:${text}`;
    },
    Positional: (_, count, letter) => [count, letter.length],
    Fast: (_, values) => BigUint64Array.from(values, BigInt),
    Plain: (_, order) => ({ ...order, quantity: order.quantity + 1 }),
    Nothing() {},
    Safe: (_, n) => [n + 1],
    Blob: (_, blob) => blob.subarray(1),
    Keep: (s) => later((reply) => void s.kept.push(reply)),
  },
);

export async function client() {
  const everything = find("everything", Everything);
  const lines: string | undefined = await everything?.keep();
  const nothing: void | undefined = await everything?.nothing();
  const child = spawn("counter", Counter, { name: "child", start: 5n, restart: "transient" });
  const other = spawn("everything", Everything);
  other.named({ n: 1n, text: "" });
  const { cancel } = child.$every(10).add(1n);
  if (nothing !== undefined || !lines) throw new CallFailed("nothing");
  return [child.$pid.id, cancel, unit.name];
}

export async function tests() {
  const node = new TestNode({ modules: { counter } });
  const actor = await node.start(counter, { start: 5n });
  actor.add(1n);
  const count: bigint = await actor.get();
  const probe = await node.probe("counter", Counter, { Get: () => 42n, Add() {} }, { groups: ["counters"] });
  const first = probe.received[0];
  if (first?.message === "Add") {
    const [n]: [bigint] = first.args;
    return n + count;
  }
  const message: bigint[] | undefined = probe.received.filter(({ message }) => message === "Get").map(() => 1n);
  return message.length;
}

export const stamps = contract({ name: "Stamps", messages: { Next: call(protobuf(TimestampSchema)).returns(protobuf(TimestampSchema)) } });
export const stamping = implement(stamps, () => ({}), { Next: (_, stamp) => ({ ...stamp, seconds: stamp.seconds + 1n }) });
