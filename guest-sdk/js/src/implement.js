// What an actor does: a contract with its handlers. Nothing runs here; the build, or a TestNode, makes it an actor.

import { Transient } from "./types/others.js";
import { isType } from "./types/type.js";

const HOOKS = ["start", "postStart", "postStop", "event", "postReload", "migrate", "snapshot", "restore"];
const OPTIONS = [...HOOKS, "state", "onCastError", "reentrant"];

/** An actor that nobody started yet. */
export class Program {
  constructor(contract, life, handlers) {
    this.contract = contract;
    this.life = life;
    this.handlers = handlers;
  }
}

function checkLife(name, life) {
  const where = `implement(${name}, …)`;
  for (const key of Object.keys(life)) {
    if (!OPTIONS.includes(key)) throw new TypeError(`${where} knows no \`${key}\`: there are ${OPTIONS.join(", ")}`);
  }
  for (const hook of HOOKS) {
    if (life[hook] !== undefined && typeof life[hook] !== "function") throw new TypeError(`\`${hook}\` of ${where} is no function`);
  }
  if (typeof life.start !== "function") throw new TypeError(`${where} has no \`start\`, which makes the state`);
  if (![undefined, "fail", "log"].includes(life.onCastError)) throw new TypeError(`\`onCastError\` of ${where} is "fail" or "log"`);
  for (const [key, type] of Object.entries(life.state ?? {})) {
    if (!isType(type) && !(type instanceof Transient)) throw new TypeError(`the field ${key} of the state of ${name} is no type`);
  }
}

export function implement(contract, life, handlers) {
  const { name } = contract;
  const whole = typeof life === "function" ? { start: life } : life;
  checkLife(name, whole);
  for (const key of Object.keys(contract.messages)) {
    if (typeof handlers[key] !== "function") throw new TypeError(`${name} has no handler for ${key}`);
  }
  for (const key of Object.keys(handlers)) {
    if (!Object.hasOwn(contract.messages, key)) throw new TypeError(`${name} has a handler for ${key}, which its contract doesn't know`);
  }
  return new Program(contract, Object.freeze({ ...whole }), handlers);
}
