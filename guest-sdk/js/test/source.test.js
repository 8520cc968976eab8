// Texts for the runtime: what `ractor-guest source` makes of an actor, evaluated as the runtime does it.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

import { buildSource } from "../src/build/index.js";
import { interpreter } from "../src/interpreter.js";
import * as sdk from "../src/index.js";

const ACTOR = `import { call, contract, implement, u64 } from "ractor-guest";
export default implement(contract({ name: "Counter", start: u64, messages: { Get: call().returns(u64) } }), (count) => ({ count }), {
  Get: async (s) => s.count,
});
`;

class Refused extends Error {}

/** What the runtime says of itself when it has this source. */
function described(text) {
  const refuse = (reason) => {
    throw new Refused(reason);
  };
  const source = { load: () => (text === undefined ? undefined : { name: "counter.js", text }), refuse };
  return interpreter({ "ractor-guest": sdk }, source, {}).contract.describe();
}

async function made(source) {
  const folder = mkdtempSync(join(tmpdir(), "ractor-guest-test-"));
  try {
    writeFileSync(join(folder, "counter.js"), source);
    await buildSource({ entry: "counter.js", output: "made.js", work: folder });
    return readFileSync(join(folder, "made.js"), "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a source is an actor, with its packages and without async functions", async () => {
  const text = await made(ACTOR);
  assert.doesNotMatch(text, /\basync\b(?! =)\s*\(|^import /m);
  assert.equal(described(text).name, "Counter");
});

test("what is no source says what to do", async () => {
  assert.throws(() => described(undefined), /has nothing to run: write `source = /);
  assert.throws(() => described(ACTOR), /ractor-host build --runtime js --source counter.js/);
  const plain = await made("export default 5;\n");
  assert.throws(() => described(plain), /the module exports no actor/);
});
