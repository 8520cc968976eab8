// Contracts: what an actor understands, declared once for the actor and for those who talk to it.

import { isType } from "./types/type.js";
import { unit } from "./types/others.js";

/** The tag of a message: its words are joined and each begins with a capital letter. */
export function tagOf(name) {
  const words = name.split(/[_\-\s]+/).filter(Boolean);
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join("");
}

/** The name of a field of a state: its words in small letters, joined by `_`. */
export function fieldOf(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase();
}

/** The method of a client: `Add` and `AddAll` are called as `add` and `addAll`. */
export const methodOf = (name) => name[0].toLowerCase() + name.slice(1);

/** Types given one behind the other, or as one object of named ones. */
function parameters(given) {
  const [first] = given;
  const named = given.length === 1 && !isType(first) && first !== null && typeof first === "object";
  const types = named ? Object.entries(first).map(([name, type]) => (isType(type) ? type.as(name) : type)) : given;
  for (const type of types) {
    if (!isType(type)) throw new TypeError(`${String(type)} is no type: write \`cast(u64)\`, \`cast({ n: u64 })\` or the like`);
    if (!type.encode) throw new TypeError(`${type.name} is a type of states, not of messages`);
  }
  return { types, names: named ? Object.keys(first) : undefined };
}

/** A message of a contract. */
class Message {
  constructor(given, reply) {
    Object.assign(this, parameters(given));
    this.reply = reply;
    this.documentation = "";
    this.wire = undefined;
  }

  with(changes) {
    return Object.assign(Object.create(Message.prototype), this, changes);
  }

  doc(text) {
    return this.with({ documentation: text });
  }

  tag(tag) {
    return this.with({ wire: tag });
  }

  returns(reply) {
    if (!this.reply) throw new TypeError("a cast returns nothing: declare a `call`");
    if (!isType(reply)) throw new TypeError(`${String(reply)} is no type that a call returns`);
    if (!reply.encode) throw new TypeError(`${reply.name} is a type of states, not of messages`);
    return this.with({ reply });
  }

  /** What the values of a message are when somebody sends it. */
  spread(given) {
    return this.names ? this.names.map((name) => given[0]?.[name]) : given;
  }

  /** What the handler of a message gets. */
  gather(values) {
    const { names } = this;
    if (!names) return values;
    const found = {};
    for (let index = 0; index < names.length; index++) found[names[index]] = values[index];
    return [found];
  }
}

export const cast = (...given) => new Message(given, undefined);
export const call = (...given) => new Message(given, unit);

export function contract({ name, version = "0.1.0", stateVersion = 0, doc = "", start, messages }) {
  if (typeof name !== "string" || name === "") throw new TypeError("a contract has the name of an actor's type: contract({ name: \"Counter\", … })");
  if (start !== undefined && !isType(start)) throw new TypeError(`the start argument of ${name} has no type`);
  const byTag = new Map();
  for (const [key, message] of Object.entries(messages)) {
    if (!(message instanceof Message)) throw new TypeError(`the message ${key} of ${name} is neither a cast nor a call`);
    if (methodOf(key) === "then") throw new TypeError(`a message of ${name} can't be called ${key}, because \`await\` would call it: give it another name and .tag("${key}")`);
    const tag = message.wire ?? tagOf(key);
    if (byTag.has(tag)) throw new TypeError(`two messages of ${name} have the tag ${tag}`);
    byTag.set(tag, { key, tag, message });
  }
  return Object.freeze({ name, version, stateVersion, documentation: doc, start, messages, byTag });
}

/** What the export `contract.describe` gives. */
export function describe({ name, version, stateVersion, documentation, start, byTag }) {
  const parameter = (type) => ({ name: type.argument ?? "", type: type.name });
  const all = [...byTag.values()];
  const named = [start, ...all.flatMap(({ message }) => [...message.types, message.reply])].filter((type) => type?.schema);
  const schemas = new Map(named.map((type) => [type.name, type.schema()]));
  return {
    name,
    version,
    stateVersion,
    documentation,
    start: start ? parameter(start) : null,
    messages: all.map(({ tag, message }) => ({
      name: tag,
      documentation: message.documentation,
      arguments: message.types.map(parameter),
      reply: message.reply?.name ?? null,
    })),
    schemas: [...schemas.values()],
  };
}
