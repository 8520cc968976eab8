// The counter of examples/counter in JavaScript: whoever talks to it can't tell the two apart.
import { call, cast, contract, implement, me, members, string, u64 } from "ractor-guest";

export const Counter = contract({ name: "Counter", start: u64, messages: { Add: cast(u64), Get: call().returns(u64),
  AddAndGet: call(u64).returns(u64), SumOf: call(string).returns(u64), AddTo: cast(string, u64), Name: call().returns(string), Crash: cast(string) } });
const atMost = (n) => (n < 2n ** 64n ? n : 2n ** 64n - 1n);
const others = (group) => members(group, Counter).filter(({ $pid }) => $pid.id !== me.pid.id || $pid.node !== me.pid.node);
const counts = (group) => Promise.all(others(group).map((other) => other.$with({ timeout: 1000 }).get()));

export default implement(Counter, { state: { count: u64 }, start: (count) => ({ count }) }, {
  Add(s, n) { s.count = atMost(s.count + n); },
  Get: (s) => s.count,
  AddAndGet: (s, n) => (s.count = atMost(s.count + n)),
  SumOf: async (_, group) => atMost((await counts(group)).reduce((sum, n) => sum + n, 0n)),
  AddTo(_, group, n) { for (const other of others(group)) try { other.add(n); } catch (error) { console.warn("not added:", error); } },
  Name: () => me.name ?? "",
  Crash(_, reason) { throw new Error(reason); },
});
