// The arguments of a message: each in order as a 64-bit big-endian length and that many bytes.

import { TypeMismatch } from "./type.js";

/** How an argument is called in an error. */
const called = (index, types) => `argument ${index + 1}${types[index].argument ? ` (${types[index].argument}: ${types[index].name})` : ` (${types[index].name})`}`;

const mismatch = (index, types, text) => new TypeMismatch(`${called(index, types)}: ${text}`);

export function encodeArguments(types, values) {
  const count = types.length;
  if (values.length !== count) throw new TypeMismatch(`${values.length} arguments where ${count} are expected`);
  const parts = new Array(count);
  let size = 8 * count;
  for (let index = 0; index < count; index++) {
    try {
      parts[index] = types[index].encode(values[index]);
    } catch (error) {
      throw mismatch(index, types, error.message);
    }
    size += parts[index].length;
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    // No message has 2^53 bytes.
    view.setUint32(at, Math.floor(part.length / 2 ** 32));
    view.setUint32(at + 4, part.length % 2 ** 32);
    bytes.set(part, at + 8);
    at += 8 + part.length;
  }
  return bytes;
}

/** The values of arguments between two places of a DataView. Nothing may be missing or left over. */
export function decodeArguments(types, view, at, end) {
  const count = types.length;
  const values = new Array(count);
  for (let index = 0; index < count; index++) {
    if (end - at < 8) throw mismatch(index, types, at === end ? "it is missing" : "its length is cut off");
    const size = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    at += 8;
    if (size > end - at) throw mismatch(index, types, `it is cut off: ${end - at} of ${size} bytes are there`);
    try {
      values[index] = types[index].read(view, at, size);
    } catch (error) {
      throw mismatch(index, types, error.message);
    }
    at += size;
  }
  if (at !== end) throw new TypeMismatch(`${end - at} bytes are left over after ${count === 1 ? "the argument" : `${count} arguments`}`);
  return values;
}

/** As `decodeArguments` for a message with one argument: its value. */
export function decodeArgument(types, view, at, end) {
  const from = at + 8;
  // What is wrong with others is said there.
  if (from > end || view.getUint32(at + 4) !== end - from || view.getUint32(at) !== 0) return decodeArguments(types, view, at, end)[0];
  try {
    return types[0].read(view, from, end - from);
  } catch (error) {
    throw mismatch(0, types, error.message);
  }
}
