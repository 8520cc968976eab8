// Base64 with padding, as a portable state has bytes.

import { refuse } from "./type.js";
import { latin1, unlatin1 } from "./utf8.js";

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

export const toBase64 = (bytes) => (bytes.toBase64 ? bytes.toBase64() : btoa(latin1(bytes)));

/** Throws what isn't exactly the base64 of some bytes. */
export function fromBase64(text, type) {
  if (typeof text !== "string" || !BASE64.test(text)) refuse(text, type);
  return unlatin1(atob(text));
}
