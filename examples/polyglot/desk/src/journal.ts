// The journal, a native actor of the other node: it owns the file of all decisions.

import { call, contract, string, u32, u64 } from "ractor-guest";

export const Journal = contract({
  name: "Journal",
  messages: {
    Record: call({ order: string, verdict: string, points: u32 }).returns(u64).doc("Writes a decision down, and gives the number of its line."),
  },
});
