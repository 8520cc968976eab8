// A type of messages and of state: how its values become bytes, and how they become JSON in a portable state.

/** Bytes, or a JSON value, that aren't what a type expects; or a value that a type can't write. */
export class TypeMismatch extends TypeError {
  get name() {
    return "TypeMismatch";
  }
}

/** How a value looks in an error: short, and never an error itself. */
export function shown(value) {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = value.constructor?.name;
  return kind && kind !== "Object" ? `a ${kind}` : "an object";
}

/** Throws that a value isn't of a type. */
export function refuse(value, type) {
  throw new TypeMismatch(`${shown(value)} is no ${type}`);
}

/**
 * One type. `parts` are:
 * - `encode(value)`: its bytes
 * - `read(view, at, size)`: the value that `size` bytes of a DataView hold
 * - `toState(value)`, `fromState(json)`: the same for a portable state; both check
 * - `element`: for the elements of lists, how many are read and written at once; see numbers.js
 * - `schema()`: what the contract says of a type with a name
 */
export class Type {
  constructor(name, parts) {
    this.name = name;
    this.encode = parts.encode;
    this.read = parts.read;
    this.toState = parts.toState;
    this.fromState = parts.fromState;
    this.element = parts.element;
    this.schema = parts.schema;
  }

  decode(bytes) {
    return this.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
  }

  /** The same type, as an argument of this name. */
  as(argument) {
    if (typeof argument !== "string" || argument === "") throw new TypeError("an argument's name is a text");
    return Object.assign(Object.create(this), { argument });
  }

  /** The same type, for a field of a state that may be missing in the state of other code. */
  or(fallback) {
    return Object.assign(Object.create(this), { fallback: () => fallback });
  }
}

/** Whether this is a type rather than, say, an object of named types. */
export const isType = (value) => value instanceof Type;

/** Throws unless there are so many bytes. */
export function exactly(size, expected, type) {
  if (size !== expected) throw new TypeMismatch(`${size} bytes are no ${type}, which has ${expected}`);
}

/** The bytes of a part of a DataView: no copy. */
export const bytesOf = (view, at, size) => new Uint8Array(view.buffer, view.byteOffset + at, size);
