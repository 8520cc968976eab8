// What actors do, on a TestNode as their authors test them.

import assert from "node:assert/strict";
import test from "node:test";

import {
  CallError, CallFailed, MonitorError, SpawnError, address, call, cast, children, config, configEntries, contract, exit, find, findOrThrow, groups, implement, join, killChild, later,
  leave, list, log, me, members, monitor, monitorGroup, ref, resolve, sleep, spawn, stop, stopAfter, stopChild, string, supervisor, transient, u32, u64,
} from "ractor-guest";
import { TestNode } from "ractor-guest/testing";

const Counter = contract({
  name: "Counter",
  start: u64,
  messages: { Add: cast(u64), Get: call().returns(u64), AddLate: call({ n: u64, ms: u32 }).returns(u64), Crash: cast(string), Fail: call(string).returns(u64), Never: call() },
});

const counter = (more = {}) =>
  implement(
    Counter,
    { state: { count: u64 }, start: (count) => ({ count }), ...more },
    {
      Add(s, n) {
        s.count += n;
      },
      Get: (s) => s.count,
      async AddLate(s, { n, ms }) {
        const before = s.count;
        await sleep(ms);
        s.count = before + n;
        return s.count;
      },
      Crash(_, text) {
        throw new Error(text);
      },
      Fail(_, text) {
        throw new CallFailed(text);
      },
      Never: () => later(() => {}),
    },
  );

/** An actor of one call, `Run`, which does what the test says. */
async function runs(node, what, more = {}) {
  const Runner = contract({ name: "Runner", messages: { Run: call() } });
  let given;
  const program = implement(Runner, { state: { kept: transient() }, start: () => ({ kept: undefined }), ...more }, { Run: async (s) => void (given = await what(s)) });
  const runner = await node.start(program, { name: "runner", config: { key: "value" } });
  return async () => {
    const done = runner.run();
    await node.advance(0);
    await done;
    return given;
  };
}

test("a counter counts", async () => {
  const node = new TestNode();
  const one = await node.start(counter(), { name: "counter", start: 5n });
  one.add(3n);
  assert.equal(await one.get(), 8n);
  assert.deepEqual(one.$state, { count: 8n });
});

test("a start argument of another type is refused by name", async () => {
  await assert.rejects(async () => new TestNode().start(counter(), { start: "5" }), /"5" is no u64/);
});

test("what start throws keeps the actor from living", async () => {
  const never = counter({ start() { throw new Error("not today"); } });
  await assert.rejects(new TestNode().start(never, { start: 1n }), { message: "not today" });
});

test("an error in a cast fails the actor, with the stack in the log", async () => {
  const node = new TestNode();
  const one = await node.start(counter(), { name: "counter", start: 0n });
  one.crash("because");
  await node.idle();
  assert.equal(one.$alive, false);
  assert.equal(one.$failure, "because");
  const [entry] = node.log.filter(({ level }) => level === "error");
  assert.match(entry.message, /^Crash: Error: because\n {4}at .*actors\.test\.js/);
  assert.throws(() => one.add(1n), { name: "CallError", kind: "unknown-actor" });
});

test("an error in a cast is only logged where the actor says so", async () => {
  const node = new TestNode();
  const one = await node.start(counter({ onCastError: "log" }), { start: 0n });
  one.crash("because");
  assert.equal(await one.get(), 0n);
  assert.match(node.log[0].message, /because/);
});

test("an error in a call fails the call and not the actor", async () => {
  const node = new TestNode();
  const Failing = contract({ name: "Failing", messages: { Type: call(), Plain: call(), Own: call(), Late: call(), Text: call(), Memory: call() } });
  const one = await node.start(
    implement(Failing, () => ({}), {
      Type: (s) => s.nothing.here,
      Plain() { throw new Error("plain"); },
      Own() { throw new CallFailed("no soup"); },
      async Late() { await sleep(1); throw new RangeError("late"); },
      Text() { throw "a text"; },
      Memory() { throw Object.assign(new Error("out of memory"), { name: "InternalError" }); },
    }),
  );
  await assert.rejects(one.type(), { name: "CallFailed", kind: "failed", reason: /^TypeError: Cannot read/ });
  await assert.rejects(one.plain(), { reason: "plain" });
  await assert.rejects(one.own(), { reason: "no soup" });
  await assert.rejects(one.text(), { reason: "a text" });
  await assert.rejects(one.memory(), { reason: "InternalError: out of memory (the limit is `memory_bytes` in node.toml)" });
  const late = assert.rejects(one.late(), { reason: "RangeError: late" });
  await node.advance(1);
  await late;
  assert.equal(one.$alive, true);
  assert.deepEqual(node.log.filter(({ message }) => message.startsWith("Own")), [], "an author's own refusal is no event");
});

test("while a handler awaits, other messages wait", async () => {
  const node = new TestNode();
  const one = await node.start(counter(), { start: 0n });
  const late = one.addLate({ n: 10n, ms: 50 });
  one.add(1n);
  const after = one.get();
  await node.advance(49);
  assert.equal(one.$state.count, 0n);
  await node.advance(1);
  assert.equal(await late, 10n);
  assert.equal(await after, 11n);
});

test("a handler that awaits what nothing can bring fails its actor", async () => {
  const node = new TestNode();
  const Stuck = contract({ name: "Stuck", messages: { Wait: call(), Go: cast() } });
  const stuck = (reentrant) => implement(Stuck, { state: { go: transient() }, start: () => ({ go: undefined }), reentrant }, {
    Wait: (s) => new Promise((resolve) => void (s.go = resolve)),
    Go: (s) => s.go(),
  });
  const held = await node.start(stuck(false));
  await assert.rejects(held.wait(), { kind: "no-reply" });
  assert.match(held.$failure, /nothing is to come that could have it go on/);
  const open = await node.start(stuck(true));
  const done = open.wait();
  open.go();
  await done;
  let answer;
  await node.probe("slow", Counter, { Get: () => new Promise((resolve) => void (answer = resolve)) });
  const run = await runs(node, () => findOrThrow("slow", Counter).get());
  const count = run();
  await node.idle();
  answer(5n);
  assert.equal(await count, 5n);
});

test("a reentrant handler lets others in", async () => {
  const node = new TestNode();
  for (const reentrant of [true, ["AddLate"]]) {
    const one = await node.start(counter({ reentrant }), { start: 0n });
    const late = one.addLate({ n: 10n, ms: 50 });
    one.add(1n);
    assert.equal(await one.get(), 1n);
    await node.advance(50);
    assert.equal(await late, 10n, "it had read the count before");
  }
});

test("replies come later, or never", async () => {
  const node = new TestNode();
  const Keeper = contract({ name: "Keeper", messages: { Keep: call().returns(string), Release: cast(string), Fail: cast(string), Drop: cast(), Twice: call().returns(u64), Bad: call().returns(u64) } });
  const one = await node.start(
    implement(Keeper, () => ({ kept: [] }), {
      Keep: (s) => later((reply) => void s.kept.push(reply)),
      Release: (s, text) => s.kept.splice(0).forEach((reply) => assert.equal(reply.send(text), true)),
      Fail: (s, text) => s.kept.splice(0).forEach((reply) => reply.fail(text)),
      Drop: (s) => s.kept.splice(0).forEach((reply) => (assert.equal(reply.waiting, true), reply.drop(), assert.equal(reply.waiting, false))),
      Twice: () => later((reply) => { reply.send(1n); assert.throws(() => reply.send(2n), /answered before/); }),
      Bad: () => later((reply) => reply.send("no number")),
    }),
  );
  const both = [one.keep(), one.keep()];
  one.release("now");
  assert.deepEqual(await Promise.all(both), ["now", "now"]);
  const failed = assert.rejects(one.keep(), { kind: "failed", reason: "soup is out" });
  one.fail("soup is out");
  await failed;
  const dropped = assert.rejects(one.keep(), { kind: "no-reply" });
  one.drop();
  await dropped;
  assert.equal(await one.twice(), 1n);
  await assert.rejects(one.bad(), { reason: 'the reply: "no number" is no u64' });
});

test("a reply of another type fails the call", async () => {
  const Wrong = contract({ name: "Wrong", messages: { Get: call().returns(u64) } });
  const one = await new TestNode().start(implement(Wrong, () => ({}), { Get: () => 5 }));
  await assert.rejects(one.get(), { reason: "the reply of Get: 5 is a number, and u64 is a bigint: write 5n or BigInt(…)" });
});

test("actors call each other by name, and hear why a call failed", async () => {
  const node = new TestNode();
  await node.start(counter(), { name: "counter", start: 7n });
  const run = await runs(node, async () => {
    const other = findOrThrow("counter", Counter);
    other.add(1n);
    const found = [await other.get(), other.$blocking.get()];
    for (const ask of [() => other.fail("no soup"), async () => other.$blocking.fail("no soup"), () => ref({ node: 0, id: 99 }, Counter).get(), () => me.as(Counter).get()]) {
      found.push(await ask().catch((error) => `${error.name}:${error.kind}:${error.message.slice(0, 13)}`));
    }
    assert.equal(find("nobody", Counter), undefined);
    assert.throws(() => findOrThrow("nobody", Counter), /no actor is called nobody/);
    return found;
  });
  assert.deepEqual(await run(), [8n, 8n, "CallFailed:failed:no soup", "CallFailed:failed:no soup", "CallError:unknown-actor:no such actor", "CallError:would-deadlock:the actor wai"]);
  assert.deepEqual(node.sent[0], { from: "runner", to: "counter", message: "Add", args: [1n] });
});

test("arguments are checked before they are sent, by name", async () => {
  const node = new TestNode();
  const one = await node.start(counter(), { name: "counter", start: 7n });
  assert.throws(() => one.add(1), /argument 1 \(u64\): 1 is a number, and u64 is a bigint/);
  assert.throws(() => one.add(), /0 arguments where 1 are expected/);
  const run = await runs(node, () => {
    const other = findOrThrow("counter", Counter);
    assert.throws(() => other.addLate({ n: 5n }), /argument 2 \(ms: u32\): undefined is no u32/);
    assert.throws(() => other.addLate(5n, 6), /AddLate takes one object with n, ms/);
    assert.throws(() => other.$after(5).get(), /Get is a call, and \$after casts/);
  });
  await run();
});

test("a wait ends at its timeout, or when it is aborted", async () => {
  const node = new TestNode();
  await node.start(counter(), { name: "counter", start: 7n });
  const found = [];
  await (await runs(node, () => {
    const other = findOrThrow("counter", Counter);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    other.$with({ timeout: 10 }).never().catch((error) => found.push(error.kind));
    other.$with({ signal: controller.signal }).never().catch((error) => found.push(error.name));
    other.$with({ signal: AbortSignal.timeout(30) }).never().catch((error) => found.push(error.name));
    other.$with({ signal: AbortSignal.abort("early") }).never().catch((error) => found.push(error));
    sleep(1000, { signal: AbortSignal.timeout(40) }).catch((error) => found.push(`sleep ${error.name}`));
  }))();
  await node.advance(39);
  assert.deepEqual(found, ["early", "timeout", "AbortError", "TimeoutError"]);
  await node.advance(1);
  assert.equal(found.at(-1), "sleep TimeoutError");
});

test("timers run on the clock of the test", async () => {
  const node = new TestNode();
  const found = [];
  await (await runs(node, () => {
    setTimeout((text) => found.push(text), 10, "once");
    const every = setInterval(() => found.push("every") === 4 && clearInterval(every), 4);
    clearTimeout(setTimeout(() => found.push("never"), 1));
  }))();
  await node.advance(3);
  assert.deepEqual(found, []);
  await node.advance(100);
  assert.deepEqual(found, ["every", "every", "once", "every"]);
});

test("an error in a timer, and in a promise that nobody awaits, fails the actor", async () => {
  for (const set of [() => setTimeout(() => { throw new Error("timed"); }, 1), () => setTimeout(async () => { throw new Error("timed"); }, 1)]) {
    const node = new TestNode();
    const program = implement(contract({ name: "Timed", messages: { Set: cast() } }), () => ({}), { Set: () => void set() });
    const one = await node.start(program);
    one.set();
    await node.advance(1);
    assert.equal(one.$failure, "timed");
  }
});

test("casts by timers of the node", async () => {
  const node = new TestNode();
  const Ticker = contract({ name: "Ticker", messages: { Start: cast(), Tick: cast({ text: string }), End: cast() } });
  const found = [];
  const program = implement(Ticker, () => ({ timer: undefined }), {
    Start(s) {
      me.as(Ticker).$after(5).tick({ text: "after" });
      s.timer = me.as(Ticker).$every(10).tick({ text: "every" });
    },
    Tick: (_, { text }) => void found.push(text),
    End: (s) => void found.push(s.timer.cancel()),
  });
  const one = await node.start(program);
  one.start();
  await node.advance(25);
  one.end();
  await node.advance(50);
  assert.deepEqual(found, ["after", "every", "every", true]);
  assert.equal(one.$timers, 0);
});

test("groups have members, and news of them", async () => {
  const node = new TestNode();
  const first = await node.start(counter(), { name: "first", start: 1n, groups: ["counters"] });
  const events = [];
  const run = await runs(node, async () => {
    monitorGroup("counters");
    join("counters");
    join("counters");
    assert.deepEqual(groups(), ["counters"]);
    const sum = await members("counters", Counter)[0].get();
    leave("counters");
    return sum;
  }, { event: (_, event) => void events.push(event) });
  assert.equal(await run(), 1n);
  await first.$stop();
  assert.deepEqual(events.map(({ kind, change, group, actors }) => [kind, change, group, actors.length]), [["group", "joined", "counters", 1], ["group", "left", "counters", 1], ["group", "left", "counters", 1]]);
});

test("children are started, found, stopped and killed", async () => {
  const events = [];
  const node = new TestNode({ modules: { counter: counter() } });
  const run = await runs(node, async () => {
    const first = spawn("counter", Counter, { name: "child", start: 5n, groups: ["family"] });
    const second = spawn("counter", Counter, { start: 6n });
    const counts = [await first.get(), await second.get(), children().length, members("family", Counter).length];
    assert.throws(() => spawn("nothing", Counter, { start: 1n }), (error) => error instanceof SpawnError && error.kind === "unknown-module");
    assert.throws(() => spawn("counter", Counter, { name: "child", start: 1n }), { kind: "name-taken" });
    assert.throws(() => spawn("counter", Counter), /the start argument of Counter: undefined is no u64/);
    return [...counts, stopChild(first, "enough"), killChild(second), killChild(second), supervisor()];
  }, { event: (_, event) => void events.push(event) });
  assert.deepEqual(await run(), [5n, 6n, 2, 1, true, true, false, undefined]);
  await node.idle();
  assert.deepEqual(events.map(({ kind, actor, reason }) => [kind, actor.name, reason]), [
    ["started", "child", undefined], ["started", undefined, undefined], ["terminated", undefined, "killed"], ["terminated", "child", "enough"],
  ]);
});

test("an actor hears of the end of another", async () => {
  const node = new TestNode();
  const other = await node.start(counter(), { name: "other", start: 0n });
  const events = [];
  await (await runs(node, () => {
    monitor(findOrThrow("other", Counter));
    assert.throws(() => monitor({ node: 0, id: 99 }), (error) => error instanceof MonitorError && error.kind === "unknown-actor");
  }, { event: (_, event) => void events.push(event) }))();
  other.crash("ouch");
  await node.idle();
  assert.deepEqual(events, [{ kind: "failed", actor: { pid: other.$pid, name: "other" }, reason: "ouch" }]);
});

test("an actor knows itself, its settings and addresses", async () => {
  const node = new TestNode({ name: "alpha@example" });
  const other = await node.start(counter(), { name: "other", start: 3n });
  const run = await runs(node, async () => [me.name, me.node, config("key"), config("none"), configEntries(), await resolve(address(find("other", Counter)), Counter).get(), resolve(Uint8Array.of(1), Counter)]);
  assert.deepEqual(await run(), ["runner", "alpha@example", "value", undefined, { key: "value" }, 3n, undefined]);
  assert.equal(other.$pid.node, 0);
});

test("hooks run at their times, and stop and exit end an actor", async () => {
  const node = new TestNode();
  const found = [];
  const Hooked = contract({ name: "Hooked", messages: { Stop: cast(), Exit: cast(), Slow: call() } });
  const program = implement(Hooked, { state: {}, start: () => (found.push("start"), {}), postStart: () => void found.push("postStart"), postStop: () => void found.push("postStop") }, {
    Stop: () => stop("enough"),
    Exit: () => exit("at once"),
    Slow: () => later(() => void stopAfter(10)),
  });
  const first = await node.start(program);
  first.stop();
  await node.idle();
  assert.deepEqual(found, ["start", "postStart", "postStop"]);
  assert.equal(first.$alive, false);
  const second = await node.start(program);
  second.exit();
  await node.idle();
  assert.equal(second.$failure, "at once");
  const third = await node.start(program);
  const dropped = assert.rejects(third.slow(), { kind: "no-reply" });
  await node.advance(10);
  await dropped;
  assert.equal(found.at(-1), "postStop");
});

test("an error in postStart fails the actor", async () => {
  const one = await new TestNode().start(counter({ async postStart() { throw new Error("no start"); } }), { start: 1n });
  assert.equal(one.$failure, "no start");
});

test("a start that awaits is told where to await", async () => {
  await assert.rejects(new TestNode().start(counter({ start: async () => ({ count: 1n }) }), { start: 1n }), /`start` can't be asynchronous.*await in `postStart`/);
});

test("hooks that nobody waits for can't await", async () => {
  const node = new TestNode();
  const one = await node.start(counter({ async postReload() {}, async postStop() {} }), { start: 1n });
  await assert.rejects(one.$reload(), /`postReload` can't be asynchronous/);
  assert.equal(await one.get(), 1n);
  await one.$stop();
  assert.match(one.$failure, /`postStop` can't be asynchronous/);
});

test("the log has levels, fields and what the console shows", async () => {
  const node = new TestNode();
  await (await runs(node, () => {
    log.warn("careful", { count: 5n });
    console.log("%s is %d", "it", 5, { a: [1n, new Map([["k", undefined]])] });
    console.debug("quiet");
    console.error(new Error("bad"));
    console.group("outer");
    console.info("two\nlines");
    console.groupEnd();
  }))();
  assert.deepEqual(node.log[0], { actor: "runner", level: "warn", target: "Runner", message: "careful", fields: { count: "5" } });
  assert.deepEqual(node.log.slice(1).map(({ level, message }) => [level, message.split("\n    at")[0]]), [
    ["info", 'it is 5 { a: [ 1n, Map(1) { "k" => undefined } ] }'], ["debug", "quiet"], ["error", "Error: bad"], ["info", "outer"], ["info", "  two\n  lines"],
  ]);
});

test("code is replaced with its state, or for a reason not", async () => {
  const node = new TestNode();
  const one = await node.start(counter(), { start: 2n ** 64n - 2n });
  one.add(1n);
  await one.$reload();
  assert.equal(await one.get(), 2n ** 64n - 1n);
  assert.deepEqual(one.$snapshot(), { "ractor-state": 1, fields: { count: { type: "u64", value: "18446744073709551615" } } });

  const Next = contract({ ...Counter, stateVersion: 1 });
  const next = (more) => implement(Next, { ...counter().life, ...more }, counter().handlers);
  await assert.rejects(one.$reload(next({})), { message: "the state has version 0, and this code has version 1 of it: write `migrate`" });
  assert.equal(await one.get(), 2n ** 64n - 1n, "the old code goes on");
  const events = [];
  await one.$reload(next({ migrate: (saved, from) => ({ count: saved.count - BigInt(from) - 1n }), postReload: (s) => void events.push(s.count) }));
  assert.deepEqual(events, [2n ** 64n - 2n]);

  const undeclared = await node.start(implement(Counter, (count) => ({ count }), counter().handlers), { start: 1n });
  await assert.rejects(undeclared.$reload(), /the state has count, which would be lost/);
  assert.equal(await undeclared.get(), 1n);
});

test("what isn't saved is made anew", async () => {
  const Cached = contract({ name: "Cached", messages: { Put: cast(), Size: call().returns(u32) } });
  const program = implement(Cached, { state: { list: list(u64).or([]), cache: transient(() => new Map([["made", 1]])) }, start: () => ({ list: [], cache: new Map() }) }, {
    Put: (s) => void s.cache.set("a", 1).set("b", 2),
    Size: (s) => s.cache.size,
  });
  const one = await new TestNode().start(program);
  one.put();
  assert.equal(await one.size(), 2);
  await one.$reload();
  assert.equal(await one.size(), 1);
});

test("probes record and answer", async () => {
  const node = new TestNode();
  const probe = await node.probe("counter", Counter, { Get: () => 42n });
  const run = await runs(node, async () => {
    const other = findOrThrow("counter", Counter);
    other.add(5n);
    return [await other.get(), await other.addLate({ n: 1n, ms: 2 }).catch((error) => error instanceof CallError && error.message)];
  });
  assert.deepEqual(await run(), [42n, "the probe counter has no answer for AddLate"]);
  assert.deepEqual(probe.received, [{ message: "Add", args: [5n] }, { message: "Get", args: [] }, { message: "AddLate", args: [{ n: 1n, ms: 2 }] }]);
});

test("probes are found in their groups", async () => {
  const node = new TestNode();
  const probe = await node.probe("one", Counter, { Get: () => 1n }, { groups: ["counters"] });
  await node.probe("other", Counter, { Get: () => 2n });
  const run = await runs(node, async () => Promise.all(members("counters", Counter).map((counter) => counter.get())));
  assert.deepEqual(await run(), [1n]);
  assert.deepEqual(probe.received, [{ message: "Get", args: [] }]);
});

test("what actors do works in actors only, and says so", () => {
  assert.throws(() => me.name, /no actor runs: what actors do goes into handlers and hooks/);
  assert.throws(() => find("x", Counter), /no actor runs/);
});

test("declarations that can't be are refused where they are", () => {
  for (const [declare, text] of [
    [() => contract({ messages: {} }), /a contract has the name/],
    [() => contract({ name: "A", messages: { Then: cast() } }), /can't be called Then/],
    [() => contract({ name: "A", messages: { add: cast(), Add: cast() } }), /two messages of A have the tag Add/],
    [() => contract({ name: "A", messages: { Add: u64 } }), /Add of A is neither a cast nor a call/],
    [() => cast("u64"), /u64 is no type/],
    [() => cast().returns(u64), /a cast returns nothing/],
    [() => cast(list(string)), /list<string> is a type of states/],
    [() => implement(Counter, () => ({}), {}), /Counter has no handler for Add/],
    [() => implement(Counter, () => ({}), { ...counter().handlers, More() {} }), /a handler for More, which its contract doesn't know/],
    [() => counter({ stat: {} }), /knows no `stat`/],
    [() => counter({ onCastError: "ignore" }), /"fail" or "log"/],
    [() => counter({ state: { count: 5 } }), /the field count of the state of Counter is no type/],
  ]) {
    assert.throws(declare, text);
  }
});

test("tags are derived by one rule and can be given", () => {
  const made = contract({ name: "A", messages: { add: cast(), add_all: cast(), addMore: cast(), Sub: cast(), other: cast().tag("x-y") } });
  assert.deepEqual([...made.byTag.keys()], ["Add", "AddAll", "AddMore", "Sub", "x-y"]);
});
