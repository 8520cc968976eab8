// Numbers, `bool` and `char`: the types that lists are made of.
//
// The wire is big-endian and every machine here is little-endian. Turning all bytes of a list round turns its elements round, and their
// order. Each step that an interpreter takes for an element costs a million of them a tenth of a second, so the steps are native, and what is
// left is a comparison.

import { Type, TypeMismatch, exactly, refuse, shown } from "./type.js";

/** An array with the elements of another one, or of a typed array, from the last to the first. */
const { toReversed } = Array.prototype;

/** The elements of a list from the last to the first. */
function reversed(array, view, at, size) {
  const width = array.BYTES_PER_ELEMENT;
  if (size % width !== 0) throw new TypeMismatch(`${size} bytes are no whole number of elements of ${width}`);
  const bytes = new Uint8Array(size);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, size));
  return new array(bytes.reverse().buffer);
}

/** A typed array of the elements of an array, each of which `check` lets pass. */
function typed(array, values, check) {
  const count = values.length;
  const elements = new array(count);
  let failed;
  try {
    elements.set(values);
  } catch (error) {
    failed = error;
  }
  // What became another value is of another type, out of range, or not as exact. Some of that is allowed.
  for (let index = 0; index < count; index++) if (elements[index] !== values[index]) check(values[index]);
  if (failed) throw failed;
  return elements;
}

/** What lists need: the typed array that holds the elements, and how the elements of a plain array become one. */
const bulk = (array, check) => ({
  array,
  read: (view, at, size) => reversed(array, view, at, size).reverse(),
  readPlain: (view, at, size) => toReversed.call(reversed(array, view, at, size)),
  write(values) {
    const elements = values instanceof array ? values.slice() : typed(array, values, check);
    return new Uint8Array(elements.reverse().buffer).reverse();
  },
});

function number(name, width, array, get, set, check) {
  const type = new Type(name, {
    encode(value) {
      check(value);
      const bytes = new Uint8Array(width);
      new DataView(bytes.buffer)[set](0, value);
      return bytes;
    },
    read(view, at, size) {
      if (size !== width) exactly(size, width, name);
      return view[get](at);
    },
    element: bulk(array, check),
  });
  return type;
}

function small(name, width, array, kind, least, most) {
  const check = (value) => {
    if (typeof value !== "number" || value < least || value > most || !Number.isInteger(value)) refuse(value, name);
  };
  const type = number(name, width, array, `get${kind}`, `set${kind}`, check);
  // JSON has a -0, which is the integer 0.
  type.toState = type.fromState = (value) => (check(value), value + 0);
  return type;
}

export const u8 = small("u8", 1, Uint8Array, "Uint8", 0, 255);
export const u16 = small("u16", 2, Uint16Array, "Uint16", 0, 65_535);
export const u32 = small("u32", 4, Uint32Array, "Uint32", 0, 4_294_967_295);
export const i8 = small("i8", 1, Int8Array, "Int8", -128, 127);
export const i16 = small("i16", 2, Int16Array, "Int16", -32_768, 32_767);
export const i32 = small("i32", 4, Int32Array, "Int32", -2_147_483_648, 2_147_483_647);

/** Throws unless this is a bigint within a range. A number would be a mistake that shows above 2^53 only. */
const within = (name, least, most) => (value) => {
  if (typeof value === "number") throw new TypeMismatch(`${value} is a number, and ${name} is a bigint: write ${value}n or BigInt(…)`);
  if (typeof value !== "bigint" || value < least || value > most) refuse(value, name);
};

/** Digits as the state has them: one text for each number. */
const DIGITS = /^(0|-?[1-9][0-9]*)$/;

function stateOfLarge(type, check) {
  type.toState = (value) => (check(value), String(value));
  type.fromState = (text) => {
    if (typeof text !== "string" || !DIGITS.test(text)) refuse(text, type.name);
    const value = BigInt(text);
    check(value);
    return value;
  };
  return type;
}

function large(name, array, kind, least, most) {
  const check = within(name, least, most);
  return stateOfLarge(number(name, 8, array, `get${kind}`, `set${kind}`, check), check);
}

export const u64 = large("u64", BigUint64Array, "BigUint64", 0n, 2n ** 64n - 1n);
export const i64 = large("i64", BigInt64Array, "BigInt64", -(2n ** 63n), 2n ** 63n - 1n);

function huge(name, get, least, most) {
  const check = within(name, least, most);
  const write = (view, at, value) => {
    view.setBigUint64(at, BigInt.asUintN(64, value >> 64n));
    view.setBigUint64(at + 8, BigInt.asUintN(64, value));
  };
  const take = (view, at) => (view[get](at) << 64n) | view.getBigUint64(at + 8);
  const type = new Type(name, {
    encode(value) {
      check(value);
      const bytes = new Uint8Array(16);
      write(new DataView(bytes.buffer), 0, value);
      return bytes;
    },
    read(view, at, size) {
      if (size !== 16) exactly(size, 16, name);
      return take(view, at);
    },
    element: {
      read(view, at, size) {
        if (size % 16 !== 0) throw new TypeMismatch(`${size} bytes are no whole number of elements of 16`);
        return Array.from({ length: size / 16 }, (_, index) => take(view, at + 16 * index));
      },
      write(values) {
        const bytes = new Uint8Array(16 * values.length);
        const view = new DataView(bytes.buffer);
        for (let index = 0; index < values.length; index++) {
          check(values[index]);
          write(view, 16 * index, values[index]);
        }
        return bytes;
      },
    },
  });
  return stateOfLarge(type, check);
}

export const u128 = huge("u128", "getBigUint64", 0n, 2n ** 128n - 1n);
export const i128 = huge("i128", "getBigInt64", -(2n ** 127n), 2n ** 127n - 1n);

/** What JSON has no numbers for, or none that every library keeps. */
const NO_JSON_NUMBERS = new Map([["NaN", NaN], ["Infinity", Infinity], ["-Infinity", -Infinity], ["-0", -0]]);

function float(name, width, array, kind, round) {
  const check = (value) => {
    if (typeof value !== "number") refuse(value, name);
  };
  const type = number(name, width, array, `get${kind}`, `set${kind}`, check);
  type.toState = (value) => {
    check(value);
    const kept = round(value);
    if (Object.is(kept, -0)) return "-0";
    return Number.isFinite(kept) ? kept : String(kept);
  };
  type.fromState = (json) => {
    if (typeof json === "string" && NO_JSON_NUMBERS.has(json)) return NO_JSON_NUMBERS.get(json);
    // A number beyond the largest double is read as infinite.
    if (typeof json !== "number" || !Number.isFinite(json) || round(json) !== json) refuse(json, name);
    return json + 0;
  };
  return type;
}

export const f32 = float("f32", 4, Float32Array, "Float32", Math.fround);
export const f64 = float("f64", 8, Float64Array, "Float64", (value) => value);

/** The same integers as numbers instead of bigints. What isn't exact as a number is an error. */
export function asNumber(type) {
  const to = (value) => {
    if (!Number.isSafeInteger(value)) throw new TypeMismatch(`${shown(value)} is no integer that a number holds exactly`);
    return BigInt(value);
  };
  const from = (value) => {
    const found = Number(value);
    if (!Number.isSafeInteger(found)) throw new TypeMismatch(`${value} is no number that is exact: declare ${type.name} without asNumber`);
    return found;
  };
  return new Type(type.name, {
    encode: (value) => type.encode(to(value)),
    read: (view, at, size) => from(type.read(view, at, size)),
    toState: (value) => type.toState(to(value)),
    fromState: (json) => from(type.fromState(json)),
    element: {
      read: (view, at, size) => Array.from(type.element.read(view, at, size), from),
      write: (values) => type.element.write(Array.from(values, to)),
    },
  });
}

const checkBool = (value) => {
  if (typeof value !== "boolean") refuse(value, "bool");
  return value;
};

const readBool = (byte) => {
  if (byte > 1) throw new TypeMismatch(`a byte of ${byte} is no bool, which is 0 or 1`);
  return byte === 1;
};

export const bool = new Type("bool", {
  encode: (value) => Uint8Array.of(checkBool(value) ? 1 : 0),
  read(view, at, size) {
    exactly(size, 1, "bool");
    return readBool(view.getUint8(at));
  },
  toState: checkBool,
  fromState: checkBool,
  element: {
    read: (view, at, size) => Array.from(new Uint8Array(view.buffer, view.byteOffset + at, size), readBool),
    write: (values) => Uint8Array.from(values, (value) => (checkBool(value) ? 1 : 0)),
  },
});

/** The code point of a text of exactly one character. */
function codeOf(value) {
  const code = typeof value === "string" ? value.codePointAt(0) : undefined;
  if (code === undefined || value.length !== (code > 0xffff ? 2 : 1) || (code >= 0xd800 && code < 0xe000)) refuse(value, "char");
  return code;
}

function ofCode(code) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new TypeMismatch(`${code} is no code point of a char`);
  return String.fromCodePoint(code);
}

const sameChar = (value) => (codeOf(value), value);

export const char = new Type("char", {
  encode: (value) => u32.encode(codeOf(value)),
  read(view, at, size) {
    exactly(size, 4, "char");
    return ofCode(view.getUint32(at));
  },
  toState: sameChar,
  fromState: sameChar,
  element: {
    read: (view, at, size) => Array.from(u32.element.read(view, at, size), ofCode),
    write: (values) => u32.element.write(Array.from(values, codeOf)),
  },
});
