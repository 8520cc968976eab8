// The actor on a node in memory: its tests need no WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestNode } from "ractor-guest/testing";

import counting from "../src/actor.js";

test("counts from its start argument", async () => {
  const node = new TestNode();
  const actor = await node.start(counting, { start: 5n });
  actor.add(2n);
  assert.equal(await actor.get(), 7n);
});
