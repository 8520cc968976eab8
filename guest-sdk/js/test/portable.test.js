// Portable state, by the examples that all languages share.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { TypeMismatch, u64 } from "ractor-guest";

import { fieldOf } from "../src/contract.js";
import { readAnything, readState, writeState } from "../src/runtime/state.js";
import { parseType } from "../src/types/grammar.js";

const examples = (name) => JSON.parse(readFileSync(new URL(`../../../tests/portable-state/${name}.json`, import.meta.url), "utf8"));
const unhex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const bytesOf = (example) => (example.state === undefined ? unhex(example["state-hex"]) : new TextEncoder().encode(example.state));

/** The type within `<…>`. */
const inner = (name) => parseType(/^\w+<(.*)>$/.exec(name)[1]);
const keyAndValue = (name) => {
  const [, key, value] = /^map<(\w+), (.*)>$/.exec(name);
  return [parseType(key), parseType(value)];
};

/** The value of this program that a meaning is. */
function valueOf(meaning, type) {
  if (meaning.json !== undefined) return meaning.json;
  if (meaning.none) return undefined;
  if (meaning.some) return valueOf(meaning.some, inner(type.name));
  if (meaning.list) return meaning.list.map((one) => valueOf(one, inner(type.name)));
  if (meaning.map) {
    const [key, value] = keyAndValue(type.name);
    return new Map(meaning.map.map(([k, v]) => [valueOf(k, key), valueOf(v, value)]));
  }
  return type.decode(unhex(meaning.hex));
}

/** JavaScript has one `undefined`: these types can't be declared. */
const impossible = ({ declared }) => declared.some(({ type }) => /option<(option|unit)/.test(type));

function fieldsOf({ declared }) {
  return Object.fromEntries(
    declared.map((field) => {
      const type = parseType(field.type);
      return [field.name, (field.default ? type.or(valueOf(field.default, type)) : type).as(field.name)];
    }),
  );
}

for (const example of examples("valid")) {
  test(`reads and writes ${example.name}`, () => {
    if (impossible(example)) {
      assert.throws(() => fieldsOf(example), /JavaScript has one/);
      return;
    }
    const fields = fieldsOf(example);
    const expected = Object.fromEntries(Object.entries(example.means).map(([name, meaning]) => [name, valueOf(meaning, fields[name])]));
    assert.deepStrictEqual(readState(bytesOf(example), fields), expected);
    if (example.written) assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(writeState(expected, fields))), JSON.parse(example.state));
  });
}

for (const example of examples("invalid")) {
  test(`refuses ${example.name}`, () => {
    let fields;
    try {
      fields = fieldsOf(example);
    } catch (error) {
      // A type that can't be declared, here or anywhere.
      assert.ok(error instanceof TypeError);
      return;
    }
    let read;
    try {
      read = readState(bytesOf(example), fields);
    } catch (error) {
      assert.ok(error instanceof TypeMismatch, `${error.stack}`);
      if (example.field !== null) assert.match(error.message, new RegExp(`the field ${example.field}\\b`));
      return;
    }
    assert.ok(example.otherwise, `it was read as ${JSON.stringify(read, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`);
    const expected = Object.fromEntries(Object.entries(example.otherwise).map(([name, meaning]) => [name, valueOf(meaning, fields[name])]));
    assert.deepStrictEqual(read, expected);
  });
}

test("a field has the name that other languages give it", () => {
  for (const [name, expected] of [["lastSeen", "last_seen"], ["LastSeen", "last_seen"], ["last_seen", "last_seen"], ["count", "count"], ["userID", "user_id"], ["HTTPPort", "http_port"], ["x2", "x2"]]) {
    assert.equal(fieldOf(name), expected);
  }
  assert.equal(JSON.parse(new TextDecoder().decode(writeState({ lastSeen: 1n }, { lastSeen: u64 }))).fields.last_seen.value, "1");
  assert.ok(new TextDecoder().decode(writeState({ lastSeen: 1n }, { lastSeen: u64.as("Seen") })).includes('"Seen"'));
});

test("what isn't declared says how it would be", () => {
  assert.throws(() => writeState({ count: 1n, names: ["a"] }, undefined), {
    message: "the state has count, names, which would be lost, because the code doesn't declare them: write for example `implement(…, { state: { count: u64, names: list(string) }, start: … }, …)`",
  });
  assert.throws(() => writeState({ count: 1n, late: true }, { count: u64 }), /has late, which would be lost, because the code doesn't declare it: write for example `state: { …, late: bool }`/);
});

test("migration sees every field as its type says", () => {
  const saved = new TextEncoder().encode('{"ractor-state":1,"fields":{"a":{"type":"u64","value":"7"},"b":{"type":"protobuf<x.Y>","value":"AQ=="},"c":{"type":"map<string, list<f64>>","value":[["k",["-0"]]]}}}');
  assert.deepStrictEqual(readAnything(saved), { a: 7n, b: Uint8Array.of(1), c: new Map([["k", [-0]]]) });
});
