// TextEncoder and TextDecoder, for UTF-8.

import { decodeUtf8, encodeUtf8 } from "../types/utf8.js";

const bytesIn = (source) => {
  if (source === undefined) return new Uint8Array(0);
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
};

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return encodeUtf8(String(text).toWellFormed());
  }

  encodeInto(text, target) {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = this.encode(character);
      if (bytes.length > target.length - written) break;
      target.set(bytes, written);
      read += character.length;
      written += bytes.length;
    }
    return { read, written };
  }
}

/** How many bytes may follow a first byte, and the range of the one that follows it at once. */
function shape(first) {
  if (first >= 0xc2 && first <= 0xdf) return [1, 0x80, 0xbf];
  if (first >= 0xe0 && first <= 0xef) return [2, first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf];
  if (first >= 0xf0 && first <= 0xf4) return [3, first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf];
  return undefined;
}

/** Decodes what may be no UTF-8, with U+FFFD for each longest part that begins no character. Gives the rest that is cut off too. */
function decodeLoosely(bytes, more) {
  let text = "";
  let at = 0;
  let plain = 0;
  const flush = () => {
    if (at > plain) text += decodeUtf8(bytes.subarray(plain, at));
  };
  while (at < bytes.length) {
    const first = bytes[at];
    if (first < 0x80) {
      at++;
      continue;
    }
    const found = shape(first);
    let have = 1;
    if (found) {
      let [count, least, most] = found;
      while (have <= count && at + have < bytes.length && bytes[at + have] >= least && bytes[at + have] <= most) {
        have++;
        [least, most] = [0x80, 0xbf];
      }
      if (have === count + 1) {
        at += have;
        continue;
      }
      if (more && at + have === bytes.length) break;
    }
    flush();
    text += "\ufffd";
    at += have;
    plain = at;
  }
  flush();
  return [text, bytes.slice(at)];
}

const NAMES = ["utf-8", "utf8", "unicode-1-1-utf-8"];

export class TextDecoder {
  #rest = new Uint8Array(0);
  #begun = false;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!NAMES.includes(String(label).trim().toLowerCase())) throw new RangeError(`${label} can't be decoded here: there is utf-8 alone`);
    this.fatal = Boolean(fatal);
    this.ignoreBOM = Boolean(ignoreBOM);
  }

  get encoding() {
    return "utf-8";
  }

  decode(source, { stream = false } = {}) {
    const bytes = this.#rest.length > 0 ? concat(this.#rest, bytesIn(source)) : bytesIn(source);
    let text;
    [text, this.#rest] = this.#decode(bytes, stream);
    if (!this.#begun && text.length > 0) {
      this.#begun = true;
      if (!this.ignoreBOM && text[0] === "\ufeff") text = text.slice(1);
    }
    if (!stream) this.#begun = false;
    return text;
  }

  #decode(bytes, stream) {
    try {
      return [decodeUtf8(bytes), new Uint8Array(0)];
    } catch {
      const [text, rest] = decodeLoosely(bytes, stream);
      if (!this.fatal) return [text, rest];
      try {
        // All but a character that may be completed by what comes next.
        return [decodeUtf8(bytes.subarray(0, bytes.length - rest.length)), rest];
      } catch {
        throw new TypeError("the bytes are no UTF-8");
      }
    }
  }
}

function concat(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
