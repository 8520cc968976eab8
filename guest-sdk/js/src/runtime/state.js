// Portable state: typed JSON by declared fields, which code in every language reads. docs/types.md says what it looks like.

import { Transient } from "../types/others.js";
import { TypeMismatch, shown } from "../types/type.js";
import { parseType } from "../types/grammar.js";
import { decodeUtf8, encodeUtf8 } from "../types/utf8.js";
import { fieldOf } from "../contract.js";

const FORMAT = "ractor-state";

/** A type for a value, as a guess for an error. */
function guess(value) {
  if (typeof value === "bigint") return "u64";
  if (typeof value === "number") return "f64";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (value instanceof Uint8Array) return "bytes";
  if (Array.isArray(value)) return value.length ? `list(${guess(value[0])})` : "list(…)";
  if (value instanceof Map) {
    const [pair] = value;
    return pair ? `map(${guess(pair[0])}, ${guess(pair[1])})` : "map(…)";
  }
  return typeof value === "function" ? "transient(…)" : "json(…)";
}

const declare = (state, names) => names.map((name) => `${name}: ${guess(state[name])}`).join(", ");

/** Throws if the state has something that isn't declared: it would be lost. */
function checkDeclared(state, fields) {
  if (state === null || typeof state !== "object") {
    throw new TypeMismatch(`the state is ${shown(state)}: only an object with declared fields is saved`);
  }
  const names = Object.keys(state).filter((name) => !Object.hasOwn(fields ?? {}, name));
  if (names.length === 0) return;
  const example = declare(state, names);
  const how = fields === undefined ? `implement(…, { state: { ${example} }, start: … }, …)` : `state: { …, ${example} }`;
  throw new TypeMismatch(`the state has ${names.join(", ")}, which would be lost, because the code doesn't declare ${names.length === 1 ? "it" : "them"}: write for example \`${how}\``);
}

const about = (name, error) => new TypeMismatch(`the field ${name}: ${error.message}`);

/** The bytes of a state. */
export function writeState(state, fields) {
  checkDeclared(state, fields);
  const written = {};
  for (const [key, type] of Object.entries(fields ?? {})) {
    if (type instanceof Transient) continue;
    const name = type.argument ?? fieldOf(key);
    try {
      written[name] = { type: type.name, value: type.toState(state[key]) };
    } catch (error) {
      throw about(name, error);
    }
  }
  return encodeUtf8(JSON.stringify({ [FORMAT]: 1, fields: written }));
}

const sameKeys = (value, keys) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).sort().join() === keys;

/** The fields of a portable state, each with the type and the JSON value that were written. */
function parse(bytes) {
  let outer;
  try {
    outer = JSON.parse(decodeUtf8(bytes));
  } catch (error) {
    throw new TypeMismatch(`the state is no portable state, which is JSON: ${error.message}`);
  }
  const ok = sameKeys(outer, `fields,${FORMAT}`) && outer[FORMAT] === 1 && outer.fields !== null && typeof outer.fields === "object" && !Array.isArray(outer.fields);
  if (!ok) throw new TypeMismatch(`the state is no portable state of format 1: its keys are \`${FORMAT}\` and \`fields\``);
  for (const [name, field] of Object.entries(outer.fields)) {
    if (!sameKeys(field, "type,value") || typeof field.type !== "string") {
      throw about(name, new TypeMismatch("it has not exactly `type` and `value`"));
    }
  }
  return new Map(Object.entries(outer.fields));
}

/** The state that these bytes are, with exactly the declared fields. */
export function readState(bytes, fields) {
  const found = parse(bytes);
  const state = {};
  for (const [key, type] of Object.entries(fields ?? {})) {
    if (type instanceof Transient) {
      state[key] = type.make();
      continue;
    }
    const name = type.argument ?? fieldOf(key);
    state[key] = readField(name, type, found.get(name));
    found.delete(name);
  }
  const undeclared = [...found.keys()];
  if (undeclared.length > 0) {
    throw new TypeMismatch(
      `the field ${undeclared[0]} was saved and isn't declared here: add \`${undeclared[0]}: …\` (${found.get(undeclared[0]).type}) to \`state\`, or count up the contract's stateVersion and write \`migrate\``,
    );
  }
  return state;
}

function readField(name, type, field) {
  if (field === undefined) {
    if (type.fallback) return type.fallback();
    throw about(name, new TypeMismatch(`it is declared here as ${type.name} and wasn't saved: give it a default with .or(…), or write \`migrate\``));
  }
  if (field.type !== type.name) {
    throw about(name, new TypeMismatch(`it was saved as ${field.type} and is declared here as ${type.name}`));
  }
  try {
    return type.fromState(field.value);
  } catch (error) {
    throw about(name, error);
  }
}

/** The values of a portable state by the names that were written, for `migrate`: each as its written type means it. */
export function readAnything(bytes) {
  const values = {};
  for (const [name, field] of parse(bytes)) {
    try {
      values[name] = parseType(field.type).fromState(field.value);
    } catch (error) {
      throw about(name, error);
    }
  }
  return values;
}
