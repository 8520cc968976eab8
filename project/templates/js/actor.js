// An actor that counts.

import { call, cast, contract, implement, u64 } from "ractor-guest";

export const {{Type}} = contract({
  name: "{{Type}}",
  start: u64,
  messages: { Add: cast(u64), Get: call().returns(u64) },
});

export default implement({{Type}}, { state: { count: u64 }, start: (count) => ({ count }) }, {
  Add(state, number) { state.count += number; },
  Get: (state) => state.count,
});
