// Types from their names, for states that other code wrote.

import * as numbers from "./numbers.js";
import { bytes, json, list, map, opaque, opaqueProtobuf, option, pot, string, unit } from "./others.js";
import { TypeMismatch } from "./type.js";

const { asNumber: _, ...scalars } = numbers;
const PLAIN = new Map(Object.entries({ ...scalars, bytes, string, unit }));
const FORMATS = { json, opaque, pot, protobuf: opaqueProtobuf };

/** The place of the comma that parts the two types of a map. */
function comma(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "<") depth++;
    if (text[at] === ">") depth--;
    if (depth === 0 && text.startsWith(", ", at)) return at;
  }
  return -1;
}

/** The type of this name, in the grammar of docs/types.md. A message of protobuf is its bytes. */
export function parseType(name) {
  const plain = PLAIN.get(name);
  if (plain) return plain;
  const [, outer, inner] = /^([a-z]+)<(.*)>$/s.exec(name) ?? [];
  if (outer === "list") return list(parseType(inner));
  if (outer === "option") return option(parseType(inner));
  if (outer === "map" && comma(inner) > 0) return map(parseType(inner.slice(0, comma(inner))), parseType(inner.slice(comma(inner) + 2)));
  if (Object.hasOwn(FORMATS, outer ?? "")) return FORMATS[outer](inner);
  throw new TypeMismatch(`${name} is no type`);
}
