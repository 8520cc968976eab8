// The actor on a node in memory, with stand-ins for the others: its tests need no WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestNode } from "ractor-guest/testing";

import desk, { type Order } from "../src/actor.ts";
import { Journal } from "../src/journal.ts";
import { Scorer } from "../src/scorer.ts";

const order: Order = { id: "o-1", customer: "c-1", country: "DE", item: "radio", cents: 4999, each: 4999 };

async function shop(points: number) {
  const node = new TestNode();
  const journal = await node.probe("journal", Journal, { Record: () => 1n });
  const scorer = await node.probe("scorer", Scorer, { Score: () => points }, { groups: ["scorers"] });
  return { journal, scorer, desk: await node.start(desk) };
}

test("points decide, and the decision is written down", async () => {
  for (const [points, verdict] of [[0, "approved"], [50, "review"], [80, "declined"]] as const) {
    const { desk, journal } = await shop(points);
    assert.equal(await desk.decide({ order }), `o-1 ${verdict} ${points}`);
    assert.deepEqual(journal.received, [{ message: "Record", args: [{ order: "o-1", verdict, points }] }]);
  }
});

test("a person looks at whatever is dear", async () => {
  const { desk } = await shop(0);
  assert.equal(await desk.decide({ order: { ...order, each: 5_000_00 } }), "o-1 review 0");
  assert.equal(await desk.counts(), "0 approved, 1 to be reviewed, 0 declined");
});

test("without a scorer a decision fails for a reason", async () => {
  const actor = await new TestNode().start(desk);
  await assert.rejects(actor.decide({ order }), /nobody scores orders now/);
});
