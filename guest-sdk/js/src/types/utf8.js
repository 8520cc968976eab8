// UTF-8 without TextEncoder and TextDecoder, which QuickJS has not: two native functions of old do it, and check it too.

import { TypeMismatch } from "./type.js";

/** How many bytes become arguments of one call. */
const CHUNK = 8192;
const NOT_ASCII = /[^\x00-\x7f]/;

/** One character for each byte. */
export function latin1(bytes) {
  if (bytes.length <= CHUNK) return String.fromCharCode.apply(null, bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK));
  return text;
}

/** One byte for each character below 256. */
export function unlatin1(text) {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The text that UTF-8 is; throws if it is none. A byte order mark is a character as any other. */
export function decodeUtf8(bytes) {
  const text = latin1(bytes);
  if (!NOT_ASCII.test(text)) return text;
  try {
    return decodeURIComponent(escape(text));
  } catch {
    throw new TypeMismatch("the bytes are no UTF-8");
  }
}

/** The UTF-8 of a text; throws if half of a surrogate pair is missing, because UTF-8 has nothing for it. */
export function encodeUtf8(text) {
  if (!NOT_ASCII.test(text)) return unlatin1(text);
  try {
    return unlatin1(unescape(encodeURIComponent(text)));
  } catch {
    throw new TypeMismatch("the text has one half of a surrogate pair without the other, which UTF-8 can't hold");
  }
}
