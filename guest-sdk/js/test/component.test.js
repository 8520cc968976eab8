// What a component exports, called as a node calls it, with the SDK's own promises.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

import { transformSync } from "esbuild";

/** Runs a program in a Node of its own, because the SDK's promises replace the engine's. Gives what it prints as JSON. */
function apart(program) {
  const prelude = `
    import { writeSync } from "node:fs";
    import "${new URL("../src/platform/install.js", import.meta.url)}";
    import { component } from "${new URL("../src/component.js", import.meta.url)}";
    import { drain } from "${new URL("../src/platform/jobs.js", import.meta.url)}";
    import * as sdk from "${new URL("../src/index.js", import.meta.url)}";
    import { encodeArguments } from "${new URL("../src/types/arguments.js", import.meta.url)}";
    const { call, cast, contract, implement, later, sleep, find, u64, string } = sdk;
    const host = (more = {}) => {
      const calls = [];
      const note = (name, given) => (...args) => (calls.push([name, ...args]), given);
      const all = {
        logging: { log: (level, _, text) => calls.push(["log", level, text.split("\\n")[0]]) },
        messaging: { nextCast: note("nextCast", true), reply: note("reply"), failCall: note("failCall"), dropCall: note("dropCall"), cast: note("cast") },
        requests: { pending: note("pending"), ask: note("ask", 77), cancel: note("cancel", true) },
        timers: { wakeAfter: note("wakeAfter", 5), cancel: note("cancel", true) },
        registry: { whereIs: () => ({ node: 0, id: 9 }) },
        random: { bytes: (count) => new Uint8Array(count).fill(7) },
        identity: {},
      };
      for (const [name, functions] of Object.entries(more)) Object.assign(all[name], functions);
      return [all, calls];
    };
    const show = (value) => writeSync(1, JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one instanceof Uint8Array ? Buffer.from(one).toString("hex") : one));
    const thrown = (run) => { try { return [run()]; } catch (error) { return String(error); } };
    const batchOf = (...casts) => [Uint8Array.from(Buffer.concat(casts.flatMap(([tag, bytes]) => [Buffer.from(tag), bytes]))), casts.map(([tag, bytes]) => ({ variant: tag.length, args: bytes.length }))];
  `;
  // As the build does it: see src/build/bundle.js.
  const { code } = transformSync(prelude + program, { format: "esm", supported: { "async-await": false } });
  const out = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" });
  return JSON.parse(out);
}

const COUNTER = `
  const Counter = contract({ name: "Counter", start: u64, messages: { Add: cast(u64), Get: call().returns(u64), Slow: call(u64).returns(u64), Late: cast(u64), Crash: cast(), Bad: call().returns(u64) } });
  const counter = (more = {}) => implement(Counter, { state: { count: u64 }, start: (count) => ({ count }), ...more }, {
    Add(s, n) { s.count += n; },
    Get: (s) => s.count,
    async Slow(s, n) { await sleep(10); s.count += n; return s.count; },
    async Late(s, n) { await null; s.count += n; await sleep(10); throw new Error("late"); },
    Crash() { throw new Error("crashed"); },
    async Bad() { await null; throw new Error("bad"); },
  });
  const started = (more, hosted) => { const [all, calls] = host(hosted); const made = component(counter(more), all); made.actor.preStart(u64.encode(1n)); return [made, calls]; };
  const one = (value) => encodeArguments([u64], [value]);
`;

test("a batch is handled in order, and the node is asked before each but the first", () => {
  const found = apart(`${COUNTER}
    const [made, calls] = started();
    made.batch.handleCasts(...batchOf(["Add", one(1n)], ["Add", one(2n)], ["Unknown", one(0n)], ["Add", new Uint8Array(3)], ["Add", one(3n)]));
    show([made.calls.handleCall("Get", new Uint8Array(0), 1), calls]);
  `);
  const [outcome, calls] = found;
  assert.deepEqual(outcome, { tag: "reply", val: "0000000000000007" });
  assert.deepEqual(calls, [
    ["nextCast"], ["nextCast"], ["log", "warn", "dropped a cast Unknown: Counter has no cast of that name"], ["nextCast"],
    ["log", "warn", "dropped a cast Add: argument 1 (u64): its length is cut off"], ["nextCast"],
  ]);
});

test("a batch tells tags of the same length apart", () => {
  const warnings = apart(`${COUNTER}
    const [made, calls] = started();
    made.batch.handleCasts(...batchOf(["Add", one(1n)], ["Adm", one(2n)], ["Xdd", one(4n)], ["Add", one(8n)], ["Add", one(16n)]));
    show([made.calls.handleCall("Get", new Uint8Array(0), 1).val, calls.filter(([what]) => what === "log").map(([, , text]) => text)]);
  `);
  assert.deepEqual(warnings, ["000000000000001a", ["Adm", "Xdd"].map((tag) => `dropped a cast ${tag}: Counter has no cast of that name`)]);
});

test("a batch ends where the node says so, with a failure, and with a cast that awaits", () => {
  const found = apart(`${COUNTER}
    const results = [];
    const get = (made) => made.calls.handleCall("Get", new Uint8Array(0), 1).val;
    const [first] = started({}, { messaging: { nextCast: () => false } });
    first.batch.handleCasts(...batchOf(["Add", one(1n)], ["Add", one(2n)]));
    results.push(get(first));
    const [second] = started();
    results.push(thrown(() => second.batch.handleCasts(...batchOf(["Add", one(1n)], ["Crash", new Uint8Array(0)], ["Add", one(2n)]))), get(second));
    const [third, calls] = started();
    third.batch.handleCasts(...batchOf(["Late", one(1n)], ["Add", one(2n)]));
    results.push(calls.slice(), get(third));
    show(results);
  `);
  assert.deepEqual(found, ["0000000000000002", "crashed", "0000000000000002", [["wakeAfter", 10], ["pending", "held"]], "0000000000000002"]);
});

test("a handler that awaits says so each time, and answers when it is done", () => {
  const found = apart(`${COUNTER}
    const [made, calls] = started();
    const first = made.calls.handleCall("Slow", one(5n), 42);
    made.actor.handleSupervisorEvt({ tag: "actor-started", val: { pid: { node: 0, id: 1 }, name: null } });
    made.replies.handleWake(5);
    made.replies.handleWake(6);
    show([first, calls]);
  `);
  assert.deepEqual(found, [{ tag: "later" }, [["wakeAfter", 10], ["pending", "held"], ["pending", "held"], ["reply", 42, "0000000000000006"]]]);
});

test("an open mailbox is said to be open", () => {
  const found = apart(`${COUNTER}
    const [made, calls] = started({ reentrant: true });
    made.calls.handleCall("Slow", one(5n), 42);
    show(calls.at(-1));
  `);
  assert.deepEqual(found, ["pending", "open"]);
});

test("promises that are settled at once need no second entry", () => {
  const found = apart(`${COUNTER}
    const [made, calls] = started();
    show([made.calls.handleCall("Bad", new Uint8Array(0), 42), calls]);
  `);
  assert.deepEqual(found, [{ tag: "failed", val: "bad" }, [["log", "error", "Bad: Error: bad"]]]);
});

test("a cast that fails after it awaited fails the actor then", () => {
  const found = apart(`${COUNTER}
    const [made] = started();
    made.actor.handleCast("Late", one(1n));
    show(thrown(() => made.replies.handleWake(5)));
  `);
  assert.equal(found, "late");
});

test("replies of other actors, and why there is none", () => {
  const found = apart(`
    const Asker = contract({ name: "Asker", messages: { Ask: call().returns(string) } });
    const Other = contract({ name: "Other", messages: { Get: call().returns(u64) } });
    const asker = implement(Asker, () => ({}), { Ask: () => find("other", Other).$with({ timeout: 9 }).get().then(String, (error) => error.name + ":" + error.kind + ":" + error.message) });
    const results = [];
    for (const outcome of [{ tag: "ok", val: u64.encode(7n) }, { tag: "ok", val: new Uint8Array(1) }, { tag: "err", val: { tag: "timeout" } }, { tag: "err", val: { tag: "failed", val: "no soup" } }]) {
      const [all, calls] = host();
      const made = component(asker, all);
      made.actor.preStart(new Uint8Array(0));
      made.calls.handleCall("Ask", new Uint8Array(0), 1);
      made.replies.handleReply(77, outcome);
      made.replies.handleReply(77, outcome);
      results.push(calls[0].slice(1, 5), Buffer.from(calls.at(-1)[2].slice(0, 60)).toString());
    }
    show(results);
  `);
  const ask = [{ node: 0, id: 9 }, "Get", "", 9];
  assert.deepEqual(found, [
    ask, "7", ask, "TypeMismatch:undefined:1 bytes are no u64, which has 8", ask, "CallError:timeout:the call got no reply in time", ask, "CallFailed:failed:no soup",
  ]);
});

test("what a contract says, for nodes of before and of now", () => {
  const found = apart(`
    const Shop = contract({ name: "Shop", version: "2.0.0", stateVersion: 3, doc: "Sells.", start: string.as("name"), messages: {
      Buy: call({ what: sdk.json("Item", { type: "object" }), count: u64 }).returns(u64).doc("Buys."), Close: cast() } });
    const made = component(implement(Shop, () => ({}), { Buy: () => 1n, Close() {} }), host()[0]);
    show([made.actor.describe(), made.contract.describe()]);
  `);
  assert.deepEqual(found, [
    { name: "Shop", version: "2.0.0", stateVersion: 3, arguments: "string", messages: [{ name: "Buy", arguments: ["json<Item>", "u64"], reply: "u64" }, { name: "Close", arguments: [], reply: null }] },
    {
      name: "Shop", version: "2.0.0", stateVersion: 3, documentation: "Sells.", start: { name: "name", type: "string" },
      messages: [
        { name: "Buy", documentation: "Buys.", arguments: [{ name: "what", type: "json<Item>" }, { name: "count", type: "u64" }], reply: "u64" },
        { name: "Close", documentation: "", arguments: [], reply: null },
      ],
      schemas: [{ name: "Item", format: "json-schema", bytes: Buffer.from('{"type":"object"}').toString("hex") }],
    },
  ]);
});

test("bad requests are told what is wrong with them", () => {
  const found = apart(`${COUNTER}
    const [made] = started();
    show([["Slow", new Uint8Array(0)], ["Slow", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9, 1)], ["Slow", encodeArguments([string], ["x"])], ["Get", Uint8Array.of(1)], ["Nope", one(1n)], ["Add", one(1n)]].map(([tag, bytes]) => made.calls.handleCall(tag, bytes, 1).val));
  `);
  assert.deepEqual(found, [
    "Slow: argument 1 (u64): it is missing", "Slow: argument 1 (u64): it is cut off: 1 of 9 bytes are there", "Slow: argument 1 (u64): 1 bytes are no u64, which has 8",
    "Get: 1 bytes are left over after 0 arguments", "Nope: Counter has no call of that name", "Add: Counter has no call of that name",
  ]);
});

test("promises keep the order and the rules of the language", () => {
  const found = apart(`
    const found = [];
    const say = (text) => (value) => (found.push(text + ":" + (value?.message ?? value)), value);
    Promise.resolve(1).then(say("a")).then(say("b"));
    Promise.resolve({ then: (ok) => ok(2) }).then(say("thenable"));
    Promise.reject(new Error("no")).catch(say("caught")).finally(() => found.push("finally"));
    Promise.all([1, Promise.resolve(2)]).then((all) => found.push("all:" + all));
    Promise.allSettled([Promise.reject(3)]).then(([{ status, reason }]) => found.push(status + ":" + reason));
    Promise.any([Promise.reject(4), 5]).then(say("any"));
    Promise.any([Promise.reject(4)]).catch((error) => found.push("any:" + error.errors));
    Promise.race([6, 7]).then(say("race"));
    Promise.all([]).then((all) => found.push("empty:" + all.length));
    Promise.try((n) => n + 1, 8).then(say("try"));
    const { promise, resolve } = Promise.withResolvers(); promise.then(say("resolvers")); resolve(10); resolve(11);
    const own = new Promise((ok) => setImmediate); own.then(say("never"));
    let self; self = new Promise((ok) => queueMicrotask(() => ok(self))); self.catch(say("itself"));
    class Mine extends Promise {}; found.push(Mine.resolve(1) instanceof Mine, Mine.resolve(1).then() instanceof Mine);
    queueMicrotask(() => found.push("micro"));
    Promise.reject(new Error("unheard"));
    const lost = [];
    drain((what, error) => lost.push(what + ":" + error.message));
    show([found, lost]);
  `);
  const [order, lost] = found;
  assert.deepEqual(order.slice(0, 4), [true, true, "a:1", "caught:no"]);
  assert.deepEqual([...order].sort(), [
    "a:1", "all:1,2", "any:4", "any:5", "b:1", "caught:no", "empty:0", "finally", "itself:a promise can't be resolved with itself", "micro", "race:6", "rejected:3",
    "resolvers:10", "thenable:2", "try:9", true, true,
  ].sort());
  assert.ok(order.indexOf("a:1") < order.indexOf("micro") && order.indexOf("micro") < order.indexOf("b:1"));
  assert.deepEqual(lost, ["a promise that nobody awaits:unheard"]);
});

test("random numbers come from the node, and differ", () => {
  const found = apart(`
    const Dice = contract({ name: "Dice", messages: { Roll: call().returns(sdk.list(sdk.f64)), Id: call().returns(string) } });
    const dice = implement(Dice, () => ({}), { Roll: () => [Math.random(), Math.random()], Id: () => crypto.randomUUID() });
    const rolled = (fill) => {
      const made = component(dice, host({ random: { bytes: (count) => new Uint8Array(count).fill(fill) } })[0]);
      made.actor.preStart(new Uint8Array(0));
      return [...sdk.list(sdk.f64).decode(made.calls.handleCall("Roll", new Uint8Array(0), 1).val), string.decode(made.calls.handleCall("Id", new Uint8Array(0), 1).val)];
    };
    show(rolled(9));
  `);
  const [first, second, id] = found;
  assert.ok(first >= 0 && first < 1 && second >= 0 && second < 1 && first !== second);
  assert.equal(id, "09090909-0909-4909-8909-090909090909");
});
