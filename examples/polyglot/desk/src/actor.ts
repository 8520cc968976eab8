// What becomes of an order: approved, declined, or a person has a look. The product team owns these rules.

import { call, CallFailed, contract, find, implement, json, members, string, u64, type Ref } from "ractor-guest";

import { Journal } from "./journal.ts";
import { Scorer } from "./scorer.ts";

export interface Order {
  id: string;
  customer: string;
  country: string;
  item: string;
  cents: number;
  each: number;
}

export type Verdict = "approved" | "review" | "declined";

const DECLINE_FROM_POINTS = 80;
const REVIEW_FROM_POINTS = 50;
const REVIEW_FROM_CENTS_EACH = 5_000_00;

export const Desk = contract({
  name: "Desk",
  doc: "Decides about orders.",
  messages: {
    Decide: call({ order: json<Order>("Order") }).returns(string).doc("Decides about an order: ID VERDICT POINTS"),
    Counts: call().returns(string).doc("Gives the number of orders that were approved, to be reviewed, and declined."),
  },
});

const state = { approved: u64, review: u64, declined: u64 };
const start = () => ({ approved: 0n, review: 0n, declined: 0n });

// While one order waits for its points, others are decided.
export default implement(Desk, { state, start, reentrant: ["Decide"] }, {
  async Decide(counts, { order }) {
    const { id, customer, country, item } = order;
    const points = await scorerOf(customer).score({ customer, country, item, cents: BigInt(order.cents) });
    const verdict = decide(order, points);
    await journal().record({ order: id, verdict, points });
    counts[verdict] += 1n;
    return `${id} ${verdict} ${points}`;
  },
  Counts: ({ approved, review, declined }) => `${approved} approved, ${review} to be reviewed, ${declined} declined`,
});

function decide(order: Order, points: number): Verdict {
  if (points >= DECLINE_FROM_POINTS) return "declined";
  if (points >= REVIEW_FROM_POINTS || order.each >= REVIEW_FROM_CENTS_EACH) return "review";
  return "approved";
}

// Always the same one for a customer: it knows what the customer has spent.
function scorerOf(customer: string): Ref<typeof Scorer> {
  const scorers = members("scorers", Scorer).sort((a, b) => a.$pid.id - b.$pid.id);
  let hash = 0;
  for (const character of customer) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  const scorer = scorers[hash % scorers.length];
  if (scorer === undefined) throw new CallFailed("nobody scores orders now");
  return scorer;
}

function journal(): Ref<typeof Journal> {
  const journal = find("journal", Journal);
  if (journal === undefined) throw new CallFailed("the journal can't be reached now");
  return journal;
}
