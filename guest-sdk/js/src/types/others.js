// Texts, bytes, lists, and the types whose bytes have a format of their own.

import { fromBase64, toBase64 } from "./base64.js";
import { Type, TypeMismatch, bytesOf, exactly, refuse } from "./type.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

const checkText = (value) => {
  if (typeof value !== "string") refuse(value, "string");
  return value;
};

export const string = new Type("string", {
  encode: (value) => encodeUtf8(checkText(value)),
  read: (view, at, size) => decodeUtf8(bytesOf(view, at, size)),
  toState(value) {
    // Checks that it can be written at all.
    encodeUtf8(checkText(value));
    return value;
  },
  fromState(json) {
    if (typeof json !== "string" || !json.isWellFormed()) refuse(json, "string");
    return json;
  },
});

function plainBytes(name, schema) {
  const check = (value) => {
    if (!(value instanceof Uint8Array)) refuse(value, `${name}, which is a Uint8Array`);
    return value;
  };
  return new Type(name, {
    encode: check,
    // A copy: what is kept must not keep a whole message.
    read: (view, at, size) => bytesOf(view, at, size).slice(),
    toState: (value) => toBase64(check(value)),
    fromState: (text) => fromBase64(text, name),
    schema,
  });
}

export const bytes = plainBytes("bytes");

export const unit = new Type("unit", {
  encode(value) {
    if (value !== undefined) refuse(value, "unit");
    return new Uint8Array(0);
  },
  read(view, at, size) {
    exactly(size, 0, "unit");
    return undefined;
  },
  toState: (value) => (value === undefined ? null : refuse(value, "unit")),
  fromState: (json) => (json === null ? undefined : refuse(json, "unit")),
});

const checkList = (value, name) => {
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) refuse(value, name);
  return value;
};

/** Does something with each element, and says of which one an error is. */
function each(values, what) {
  return Array.from(values, (value, index) => {
    try {
      return what(value);
    } catch (error) {
      throw new TypeMismatch(`element ${index}: ${error.message}`);
    }
  });
}

function listOf(of, read) {
  if (of.name === "u8") throw new TypeError("a list of u8 is `bytes`");
  const name = `list<${of.name}>`;
  const { element } = of;
  const parts = {
    toState: (values) => each(checkList(values, name), of.toState),
    fromState: (json) => (Array.isArray(json) ? each(json, of.fromState) : refuse(json, name)),
  };
  // Messages have lists of numbers, bool and char alone.
  if (element) {
    parts.encode = (values) => element.write(checkList(values, name));
    parts.read = read;
  }
  return new Type(name, parts);
}

/** A list, as an array. */
export function list(of) {
  return listOf(of, of.element?.readPlain ?? of.element?.read);
}

/** A list of numbers as the typed array that holds them: the fastest. */
export function typedList(of) {
  const array = of.element?.array;
  if (!array) throw new TypeError(`there is no typed array for ${of.name}: use \`list\``);
  const type = listOf(of, (view, at, size) => of.element.read(view, at, size));
  const { fromState } = type;
  type.fromState = (json) => array.from(fromState(json));
  return type;
}

const PATH = /^[\w-]+(\.[\w-]+)*$/;

/** A name within `<…>`. */
export function checkName(name) {
  if (typeof name !== "string" || !PATH.test(name)) throw new TypeError(`${JSON.stringify(name)} names no type: it is words of letters, digits, _ and - with dots in between`);
  return name;
}

/** How deep a JSON value in a state may be nested. */
const DEEPEST = 100;

/** Throws a JSON value with something that languages don't read alike. */
function sameEverywhere(value, depth = 0) {
  if (depth > DEEPEST) throw new TypeMismatch(`it is nested more than ${DEEPEST} deep`);
  if (typeof value === "string" && !value.isWellFormed()) refuse(value, "text of whole characters");
  if (typeof value === "number" && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))) {
    throw new TypeMismatch(`${value} is a number that some languages would change: keep it as a text, or in a field of its own`);
  }
  if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) {
      if (!key.isWellFormed()) refuse(key, "text of whole characters");
      sameEverywhere(inner, depth + 1);
    }
  }
  return value;
}

/** A plain value as JSON. */
export function json(name, schema) {
  const type = `json<${checkName(name)}>`;
  const write = (value) => {
    let text;
    try {
      text = JSON.stringify(value);
    } catch (error) {
      throw new TypeMismatch(`it can't be written as JSON: ${error.message}`);
    }
    return text === undefined ? refuse(value, type) : text;
  };
  return new Type(type, {
    encode: (value) => encodeUtf8(write(value)),
    read(view, at, size) {
      const text = decodeUtf8(bytesOf(view, at, size));
      try {
        return JSON.parse(text);
      } catch (error) {
        throw new TypeMismatch(`it is no JSON: ${error.message}`);
      }
    },
    toState: (value) => sameEverywhere(JSON.parse(write(value))),
    fromState: (value) => sameEverywhere(value),
    schema: schema && (() => ({ name, format: "json-schema", bytes: encodeUtf8(JSON.stringify(schema)) })),
  });
}

/** Bytes in the format `pot`, which Rust's `blanket_serde` writes: as they are. */
export const pot = (name) => plainBytes(`pot<${checkName(name)}>`);

/** Bytes whose format is the affair of the type of this name: as they are. */
export const opaque = (name) => plainBytes(`opaque<${checkName(name)}>`);

/** A message of protobuf in a state, as its bytes: for code that doesn't know the message. */
export const opaqueProtobuf = (name) => plainBytes(`protobuf<${checkName(name)}>`);

/** What may be missing: in a state, not in a message. `undefined` is none. */
export function option(of) {
  const name = `option<${of.name}>`;
  if (of.name === "unit" || of.name.startsWith("option<")) {
    throw new TypeError(`${name} can't be a field here: JavaScript has one \`undefined\`, and can't tell nothing from something that is nothing`);
  }
  return new Type(name, {
    toState: (value) => (value === undefined ? null : [of.toState(value)]),
    fromState(json) {
      if (json === null) return undefined;
      return Array.isArray(json) && json.length === 1 ? of.fromState(json[0]) : refuse(json, name);
    },
  });
}

/** Types that the keys of a map may have. */
const KEYS = /^([ui](8|16|32|64|128)|bool|char|string|bytes)$/;

/** The order of two texts by their code points; `<` compares halves of surrogate pairs. */
function byCodePoints(a, b) {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  // A low surrogate that differs follows the same high one, so either half decides as the whole would.
  const [left, right] = [a, b].map((text) => text.codePointAt(at) ?? -1);
  return left - right;
}

/** A Map: in a state, not in a message. */
export function map(key, value) {
  const name = `map<${key.name}, ${value.name}>`;
  if (!KEYS.test(key.name)) throw new TypeError(`the keys of a map are integers, bool, char, string or bytes, and not ${key.name}`);
  const text = ([json]) => (typeof json === "string" ? json : JSON.stringify(json));
  return new Type(name, {
    toState(values) {
      if (!(values instanceof Map)) refuse(values, name);
      const pairs = Array.from(values, ([k, v]) => [key.toState(k), value.toState(v)]);
      return pairs.sort((a, b) => byCodePoints(text(a), text(b)));
    },
    fromState(json) {
      if (!Array.isArray(json)) refuse(json, name);
      const seen = new Set();
      const pairs = each(json, (pair) => {
        if (!Array.isArray(pair) || pair.length !== 2) refuse(pair, `pair of ${name}`);
        const read = [key.fromState(pair[0]), value.fromState(pair[1])];
        // Of what it means: 7 and 7.0 are one key.
        const meaning = text([key.toState(read[0])]);
        if (seen.has(meaning)) throw new TypeMismatch(`the key ${meaning} is there twice`);
        seen.add(meaning);
        return read;
      });
      return new Map(pairs);
    },
  });
}

/** A field of a state that isn't saved: whatever `make` makes is there after a reload. */
export class Transient {
  constructor(make) {
    this.make = make;
  }
}

export const transient = (make) => new Transient(make ?? (() => undefined));
