// What QuickJS has not and the SDK brings, compared with Node's own where Node has it.

import assert from "node:assert/strict";
import test from "node:test";

import { AbortController, AbortSignal } from "../src/platform/abort.js";
import { structuredClone as clone } from "../src/platform/clone.js";
import { format } from "../src/platform/inspect.js";
import { mapStack, setLines, withStack } from "../src/platform/stacks.js";
import * as text from "../src/platform/text.js";
import { textOf } from "../src/errors.js";

const samples = ["", "a", "añ🦀", "\ufeffx", "ff", "c080", "eda080", "f4908080", "e282ac", "e282", "f09fa6", "41e28241", "80ff41", "f0f0f0", "c3c3b1", "e0809f", "f8888080"];
const bytesOf = (sample) => (/^([0-9a-f]{2})+$/.test(sample) ? new Uint8Array(Buffer.from(sample, "hex")) : new TextEncoder().encode(sample));

test("texts are decoded as Node does, well-formed or not", () => {
  for (const sample of samples) {
    for (const options of [{}, { ignoreBOM: true }, { fatal: true }]) {
      const with_ = (Decoder) => {
        try {
          return new Decoder("utf-8", options).decode(bytesOf(sample));
        } catch (error) {
          return error.constructor.name;
        }
      };
      assert.equal(with_(text.TextDecoder), with_(TextDecoder), `${sample} ${JSON.stringify(options)}`);
    }
  }
});

test("texts are decoded in pieces", () => {
  for (const sample of samples) {
    const whole = bytesOf(sample);
    const [ours, theirs] = [text.TextDecoder, TextDecoder].map((Decoder) => {
      const decoder = new Decoder();
      return [...Array.from(whole, (byte) => decoder.decode(Uint8Array.of(byte), { stream: true })), decoder.decode()].join("|");
    });
    assert.equal(ours.replaceAll("|", ""), theirs.replaceAll("|", ""), sample);
  }
});

test("texts are encoded as Node does", () => {
  const [ours, theirs] = [new text.TextEncoder(), new TextEncoder()];
  for (const sample of ["", "abc", "añ🦀", "\ud800", "x\udc00y", "a".repeat(20_000), "é".repeat(20_000)]) assert.deepEqual(ours.encode(sample), theirs.encode(sample));
  const [one, other] = [new Uint8Array(5), new Uint8Array(5)];
  assert.deepEqual(ours.encodeInto("aé🦀", one), theirs.encodeInto("aé🦀", other));
  assert.deepEqual(one, other);
});

test("values are cloned deeply, with what they share", () => {
  const shared = { a: [1n, undefined, null] };
  const value = { shared, again: shared, map: new Map([[shared, new Set([1])]]), date: new Date(5), re: /x/gi, view: new Uint16Array([1, 2, 3]).subarray(1), error: new RangeError("no"), holes: [, 1] };
  value.self = value;
  const made = clone(value);
  assert.deepEqual(made, structuredClone(value));
  assert.ok(made.self === made && made.shared === made.again && made.shared !== shared && made.map.has(made.shared) && made.error instanceof RangeError);
  for (const wrong of [() => {}, { f() {} }, Symbol("s"), new WeakMap(), Promise.resolve()]) assert.throws(() => clone(wrong), { name: "DataCloneError" });
});

test("signals are aborted once, and tell why", () => {
  const controller = new AbortController();
  const heard = [];
  const both = AbortSignal.any([controller.signal, new AbortController().signal]);
  controller.signal.addEventListener("abort", () => heard.push("a"), { once: true });
  controller.signal.onabort = () => heard.push("on");
  both.addEventListener("abort", { handleEvent: ({ type }) => heard.push(type) });
  assert.doesNotThrow(() => controller.signal.throwIfAborted());
  controller.abort();
  controller.abort("again");
  assert.deepEqual(heard, ["on", "abort", "a"]);
  assert.throws(() => both.throwIfAborted(), { name: "AbortError" });
  assert.equal(AbortSignal.abort("why").reason, "why");
});

test("values are shown as consoles do", () => {
  const circular = { name: "it" };
  circular.self = circular;
  class Point { x = 1; }
  for (const [values, expected] of [
    [["a", 1, 2n, null, undefined, true, -0, Symbol("s")], "a 1 2n null undefined true -0 Symbol(s)"],
    [["%s=%d%%", "x", 5, "rest"], "x=5% rest"], [["%j %i %f %q", { a: 1 }, "12.7", "1.5"], '{"a":1} 12 1.5 %q'], [["100%", 5], "100% 5"],
    [[[1, "two", [3]]], '[ 1, "two", [ 3 ] ]'], [[{}], "{}"], [[{ "a-b": { c: {} } }], '{ "a-b": { c: {} } }'],
    [[circular], '{ name: "it", self: [circular] }'], [[new Point()], "Point { x: 1 }"], [[new Map([[1, "a"]]), new Set([1])], 'Map(1) { 1 => "a" } Set(1) { 1 }'],
    [[Uint8Array.of(1, 2)], "Uint8Array(2) [ 1, 2 ]"], [[function named() {}], "[function named]"], [[{ a: { b: { c: { d: 1 } } } }], "{ a: { b: { c: { d: 1 } } } }"],
    [[{ a: { b: { c: { d: { e: 1 } } } } }], "{ a: { b: { c: { d: [Object] } } } }"], [[Object.create(null)], "null prototype {}"],
  ]) {
    assert.equal(format(values, String), expected);
  }
});

test("stacks name the lines of the source, and nothing of the SDK", () => {
  // Line 10 of the bundle is src/a.ts:3, line 12 is of the SDK, line 20 is src/b.ts:7.
  setLines(["src/a.ts", "ractor-guest/src/api.js", "src/b.ts"], [10, 0, 3, 2, 1, 5, 8, 1, -1]);
  const stack = "    at Add (actor.js:10:5)\n    at call (actor.js:12:9)\n    at <anonymous> (actor.js:20)\n    at actor.js:10:1\n    at nowhere (actor.js:15:2)\n    at forEach (native)\n";
  assert.equal(mapStack(stack), "    at Add (src/a.ts:3)\n    at src/b.ts:7\n    at src/a.ts:3\n    at forEach (native)");
  setLines([], []);
});

test("errors are shown with their causes", () => {
  const error = new TypeError("outer", { cause: new Error("inner") });
  error.stack = "";
  error.cause.stack = "";
  assert.equal(withStack(error), "TypeError: outer\ncaused by: Error: inner");
  assert.match(withStack(new AggregateError([new Error("one")], "many")), /^AggregateError: many[^]*of: Error: one/);
  assert.equal(withStack("text"), "thrown: text");
});

test("what QuickJS has not is named in the error", () => {
  assert.equal(textOf(new ReferenceError("fetch is not defined")), "ReferenceError: fetch is not defined (actors run in QuickJS, which has no fetch)");
  assert.equal(textOf(new ReferenceError("'URL' is not defined")), "ReferenceError: 'URL' is not defined (actors run in QuickJS, which has no URL)");
  assert.equal(textOf(new ReferenceError("mine is not defined")), "ReferenceError: mine is not defined");
});
