// What must not compile: without one of these errors the check fails.

import { call, cast, contract, find, implement, later, list, map, spawn, string, u64 } from "ractor-guest";
import { TestNode } from "ractor-guest/testing";

const Counter = contract({
  name: "Counter",
  start: u64,
  messages: { Add: cast(u64), Get: call().returns(u64), Two: call({ number: u64, text: string }).returns(string) },
});
type State = { count: bigint };
const start = (count: bigint): State => ({ count });
const Add = (s: State, n: bigint) => void (s.count += n);
const Get = (s: State) => s.count;
const Two = (_: State, { text }: { number: bigint; text: string }) => text;

// A handler is missing.
// @ts-expect-error
implement(Counter, start, { Add, Get });
// A handler has the wrong argument.
// @ts-expect-error
implement(Counter, start, { Add: (s: State, n: number) => void n, Get, Two });
// A handler has the wrong reply.
// @ts-expect-error
implement(Counter, start, { Add, Get: (s: State) => Number(s.count), Two });
// A handler that awaits has the wrong reply.
// @ts-expect-error
implement(Counter, start, { Add, Get: async (s: State) => String(s.count), Two });
// A handler answers later with the wrong reply.
// @ts-expect-error
implement(Counter, start, { Add, Get: () => later((reply) => void reply.send("text")), Two });
// A handler gives no reply at all.
// @ts-expect-error
implement(Counter, start, { Add, Get: () => {}, Two });
// A handler of no message.
// @ts-expect-error
implement(Counter, start, { Add, Get, Two, More() {} });
// A wrong name within an argument.
// @ts-expect-error
implement(Counter, start, { Add, Get, Two: (_, { txet }) => txet });
// The state isn't what its fields say.
// @ts-expect-error
implement(Counter, { state: { count: string }, start: (count) => ({ count }) }, { Add, Get, Two });
// The start argument is another.
// @ts-expect-error
implement(Counter, (count: string) => ({ count: BigInt(count) }), { Add, Get, Two });

const counter = find("counter", Counter)!;
// @ts-expect-error
counter.add(5);
// @ts-expect-error
counter.add();
// @ts-expect-error
counter.add(5n, 6n);
// @ts-expect-error
counter.two({ number: 5n });
// @ts-expect-error
counter.subtract(5n);
// @ts-expect-error
counter.get().toFixed();
// @ts-expect-error
counter.$after(5).get();
// The start argument of a child is missing, or another.
// @ts-expect-error
spawn("counter", Counter);
// @ts-expect-error
spawn("counter", Counter, { start: "5" });
// A cast has no reply.
// @ts-expect-error
cast(u64).returns(u64);
// Messages have no lists of texts and no maps.
// @ts-expect-error
cast(list(string));
// @ts-expect-error
call(map(string, u64));
// @ts-expect-error
cast({ texts: list(string) });
// A test starts an actor with another argument, and a probe answers with another type.
const node = new TestNode();
// @ts-expect-error
node.start(implement(Counter, start, { Add, Get, Two }), { start: 5 });
// @ts-expect-error
node.probe("counter", Counter, { Get: () => 42 });
