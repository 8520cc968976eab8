// A client of Scorer 0.1.0, made by `ractor-host bindgen`.
// Use it as `find(NAME, Scorer)`.

import { call, contract, string, u32, u64 } from "ractor-guest";

export const Scorer = contract({
  name: "Scorer",
  version: "0.1.0",
  doc: "Scores orders, and remembers what each customer has spent.",
  messages: {
    Score: call({ customer: string, country: string, item: string, cents: u64 }).returns(u32).doc("Gives the points of an order: the more, the more suspicious."),
    Count: call().returns(u64).doc("Gives the number of orders that were scored."),
    Total: call().returns(u64).doc("Gives what all customers have spent, in cents."),
  },
});
