// Every type both ways: the bytes are those of ractor's BytesConvertable.

import assert from "node:assert/strict";
import test from "node:test";

import {
  TypeMismatch, asNumber, bool, bytes, char, f32, f64, i128, i16, i32, i64, i8, json, list, map, opaque, option, pot, string, typedList, u128, u16, u32, u64, u8, unit,
} from "ractor-guest";

const hex = (array) => Buffer.from(array).toString("hex");
const unhex = (text) => new Uint8Array(Buffer.from(text, "hex"));

/** A type, a value and its bytes. */
const both = [
  [u8, 0, "00"], [u8, 255, "ff"], [i8, -128, "80"], [i8, -1, "ff"], [i8, 127, "7f"],
  [u16, 0x1234, "1234"], [u16, 65535, "ffff"], [i16, -2, "fffe"], [i16, -32768, "8000"],
  [u32, 1, "00000001"], [u32, 4294967295, "ffffffff"], [i32, -2147483648, "80000000"], [i32, 2147483647, "7fffffff"],
  [u64, 0n, "0000000000000000"], [u64, 2n ** 53n + 1n, "0020000000000001"], [u64, 2n ** 64n - 1n, "ffffffffffffffff"],
  [i64, -1n, "ffffffffffffffff"], [i64, -(2n ** 63n), "8000000000000000"], [i64, 2n ** 63n - 1n, "7fffffffffffffff"],
  [u128, 2n ** 64n, "00000000000000010000000000000000"], [u128, 2n ** 128n - 1n, "f".repeat(32)],
  [i128, -1n, "f".repeat(32)], [i128, -(2n ** 127n), `8${"0".repeat(31)}`], [i128, 2n ** 127n - 1n, `7${"f".repeat(31)}`], [i128, -(2n ** 64n), "ffffffffffffffff0000000000000000"],
  [asNumber(u64), 9007199254740991, "001fffffffffffff"], [asNumber(i64), -5, "fffffffffffffffb"],
  [f32, 1.5, "3fc00000"], [f32, -0, "80000000"], [f32, Infinity, "7f800000"],
  [f64, 1.5, "3ff8000000000000"], [f64, -0, "8000000000000000"], [f64, -Infinity, "fff0000000000000"], [f64, 5e-324, "0000000000000001"], [f64, NaN, "7ff8000000000000"],
  [bool, true, "01"], [bool, false, "00"],
  [char, "a", "00000061"], [char, "\0", "00000000"], [char, "🦀", "0001f980"], [char, "\u{10ffff}", "0010ffff"],
  [string, "", ""], [string, "añ", "61c3b1"], [string, "🦀\0", "f09fa68000"], [string, "\ufeffx", "efbbbf78"], [string, "e\u0301", "65cc81"],
  [bytes, unhex(""), ""], [bytes, unhex("00ff"), "00ff"], [unit, undefined, ""],
  [list(u16), [], ""], [list(u16), [1, 65535], "0001ffff"], [list(u64), [2n ** 64n - 1n, 1n], "ffffffffffffffff0000000000000001"],
  [list(i8), [-1, 127], "ff7f"], [list(i64), [-1n], "ffffffffffffffff"], [list(i128), [-1n, 1n], `${"f".repeat(32)}${"1".padStart(32, "0")}`],
  [list(f32), [1.5, -0], "3fc0000080000000"], [list(f64), [1.5], "3ff8000000000000"], [list(bool), [true, false], "0100"], [list(char), ["a", "🦀"], "000000610001f980"],
  [list(asNumber(u64)), [1, 2], "00000000000000010000000000000002"],
  [typedList(f64), Float64Array.of(1.5, -2), "3ff8000000000000c000000000000000"], [typedList(i16), Int16Array.of(-2), "fffe"], [typedList(u64), BigUint64Array.of(7n), "0000000000000007"],
  [json("Order"), { id: "é", items: [1, null] }, Buffer.from('{"id":"é","items":[1,null]}').toString("hex")], [json("Order"), null, Buffer.from("null").toString("hex")],
  [pot("Order"), unhex("0102"), "0102"], [opaque("a.B_c-d"), unhex(""), ""],
];

for (const [type, value, expected] of both) {
  test(`${type.name}: ${expected.slice(0, 40) || "no bytes"}`, () => {
    assert.equal(hex(type.encode(value)), expected);
    assert.deepStrictEqual(type.decode(unhex(expected)), value);
  });
}

test("a value is read from the middle of a message", () => {
  for (const [type, value, expected] of both) {
    const around = unhex(`ffff${expected}ffff`);
    assert.deepStrictEqual(type.decode(around.subarray(2, around.length - 2)), value, type.name);
  }
});

test("a decoded value keeps nothing of the message", () => {
  for (const [type, expected] of [[bytes, "0102"], [typedList(u16), "0102"]]) {
    const message = unhex(expected);
    const value = type.decode(message);
    message.fill(0);
    assert.equal(hex(type.encode(value)), expected, type.name);
  }
});

const refused = [
  [u8, 256], [u8, -1], [u8, 1.5], [u8, 1n], [u8, "1"], [u8, NaN], [u16, undefined], [i32, 2 ** 31], [u64, 5], [u64, -1n], [u64, 2n ** 64n], [i64, 2n ** 63n], [u128, -1n],
  [i128, 2n ** 127n], [asNumber(u64), 2 ** 53], [asNumber(u64), -1], [f64, "1"], [f32, 1n], [bool, 1], [bool, undefined], [char, ""], [char, "ab"], [char, "\ud800"],
  [char, "e\u0301"], [string, 5], [string, "\ud800"], [string, undefined], [bytes, [1]], [bytes, "ab"], [unit, null], [list(u16), 5], [list(u16), [1, 65536]],
  [list(bool), [1]], [list(i128), [1]], [list(u64), [1]], [json("A"), undefined], [json("A"), 1n], [typedList(u64), ["1"]],
];

for (const [index, [type, value]] of refused.entries()) {
  test(`${type.name} doesn't write what it is not (${index})`, () => {
    assert.throws(() => type.encode(value), TypeMismatch);
  });
}

const undecodable = [
  [u8, ""], [u8, "0000"], [u64, "00"], [u64, "000000000000000000"], [i128, "00"], [f64, "00"], [bool, "02"], [bool, ""], [char, "00110000"], [char, "0000d800"], [char, "61"],
  [string, "ff"], [string, "c080"], [string, "eda080"], [string, "f4908080"], [string, "e282"], [unit, "00"], [list(u16), "000000"], [list(i128), "00"], [list(char), "0000d800"],
  [list(bool), "0002"], [asNumber(u64), "0020000000000000"], [json("A"), "7b"], [json("A"), "22ff22"],
];

for (const [type, wrong] of undecodable) {
  test(`${type.name} doesn't read ${wrong || "nothing"}`, () => {
    assert.throws(() => type.decode(unhex(wrong)), TypeMismatch);
  });
}

test("a number for a bigint is told how to become one", () => {
  assert.throws(() => u64.encode(5), { message: "5 is a number, and u64 is a bigint: write 5n or BigInt(…)" });
});

test("types have the names of docs/types.md", () => {
  const names = [list(f64), typedList(f64), map(string, list(option(u8))), json("shop.Order"), asNumber(u64), pot("A"), opaque("B")].map(({ name }) => name);
  assert.deepEqual(names, ["list<f64>", "list<f64>", "map<string, list<option<u8>>>", "json<shop.Order>", "u64", "pot<A>", "opaque<B>"]);
});

test("types that can't be are refused where they are declared", () => {
  for (const declare of [() => list(u8), () => typedList(bool), () => json("a b"), () => json(""), () => map(f64, u8), () => option(unit), () => option(option(u8)), () => u64.as("")]) {
    assert.throws(declare, TypeError);
  }
});

test("a million numbers are no work for an interpreter", () => {
  // Not a time, which would say as much of the machine: element by element, there would be a call of DataView for each.
  const values = Float64Array.from({ length: 1_000_000 }, (_, index) => index / 3);
  const { getFloat64, setFloat64 } = DataView.prototype;
  let calls = 0;
  DataView.prototype.getFloat64 = function (...given) { calls++; return getFloat64.apply(this, given); };
  DataView.prototype.setFloat64 = function (...given) { calls++; return setFloat64.apply(this, given); };
  try {
    const written = list(f64).encode(values);
    assert.deepEqual(typedList(f64).decode(written), values);
    assert.equal(list(f64).decode(written)[999_999], values[999_999]);
  } finally {
    Object.assign(DataView.prototype, { getFloat64, setFloat64 });
  }
  assert.equal(calls, 0);
});
