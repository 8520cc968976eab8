// Randomness of this instance. The engine's own generator has the seed that it had when the component was built, in every instance.

import { host, runningOrNone } from "../runtime/running.js";

/** The most bytes of one call of `random.bytes`. */
const MOST = 65_536;

/** xorshift128, which is fast and good enough for `Math.random`: its state is four words of 32 bits. */
let words;

function next() {
  if (!words) {
    const view = new DataView(host().random.bytes(16).slice().buffer);
    words = [0, 4, 8, 12].map((at) => view.getInt32(at));
    // Of zeros alone only zeros would follow.
    words[0] ||= 1;
  }
  const last = words[3];
  let mixed = last ^ (last << 11);
  mixed ^= mixed >>> 8;
  words[3] = words[2];
  words[2] = words[1];
  words[1] = words[0];
  words[0] = mixed ^ words[0] ^ (words[0] >>> 19);
  return words[0] >>> 0;
}

const builtin = Math.random;

/** 53 random bits. While the component is built, no actor runs, and the engine's generator serves. */
export function random() {
  if (!runningOrNone()) return builtin();
  return ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
}

const INTEGERS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];

export const crypto = {
  getRandomValues(array) {
    if (!INTEGERS.some((kind) => array instanceof kind)) throw new TypeError("getRandomValues fills typed arrays of integers");
    if (array.byteLength > MOST) throw new DOMException(`getRandomValues fills at most ${MOST} bytes at once`, "QuotaExceededError");
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(host().random.bytes(array.byteLength));
    return array;
  },
  randomUUID() {
    const bytes = this.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] % 16) + 0x40;
    bytes[8] = (bytes[8] % 64) + 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
};
