// The counter of examples/counter in JavaScript: whoever talks to it can't tell the two apart.
import { call, cast, contract, implement, me, members, string, u64 } from "ractor-guest";

const messages = { Add: cast(u64), Get: call().returns(u64), AddAndGet: call(u64).returns(u64), SumOf: call(string).returns(u64),
  AddTo: cast(string, u64), Name: call().returns(string), Crash: cast(string) };
export const Counter = contract({ name: "Counter", start: u64, messages });

const atMost = (count) => (count < 2n ** 64n ? count : 2n ** 64n - 1n);
const add = (s, n) => (s.count = atMost(s.count + n));
const others = (group) => members(group, Counter).filter(({ $pid }) => $pid.node !== me.pid.node || $pid.id !== me.pid.id);

export default implement(Counter, { state: { count: u64 }, start: (count) => ({ count }) }, {
  Add: (s, n) => void add(s, n),
  Get: (s) => s.count,
  AddAndGet: add,
  async SumOf(s, group) {
    const counts = await Promise.all(others(group).map((other) => other.$with({ timeout: 1000 }).get()));
    return atMost(counts.reduce((sum, count) => sum + count, 0n));
  },
  AddTo: (s, group, n) => others(group).forEach((other) => other.add(n)),
  Name: () => me.name ?? "",
  Crash(s, reason) {
    throw new Error(reason);
  },
});
