// What an actor's code calls.

import { methodOf } from "./contract.js";
import { monitoring, sending, spawning, timing } from "./errors.js";
import { host, running } from "./runtime/running.js";
import { encodeArguments } from "./types/arguments.js";
import { TypeMismatch } from "./types/index.js";

const encodeStart = (contract, value) => {
  if (contract.start) {
    try {
      return contract.start.encode(value);
    } catch (error) {
      throw new TypeMismatch(`the start argument of ${contract.name}: ${error.message}`);
    }
  }
  if (value !== undefined) throw new TypeMismatch(`${contract.name} starts without an argument`);
  return new Uint8Array(0);
};

/** The pid of what is a pid or a ref. */
export const pidOf = (actor) => actor.$pid ?? actor;

/** An object with a method for each message: one kind of way to send them. */
function methods(contract, send) {
  const made = {};
  for (const [tag, { key, message }] of contract.byTag) {
    const decode = message.reply && ((bytes) => message.reply.decode(bytes));
    made[methodOf(key)] = (...given) => {
      const take = message.names ? message.spread(given) : given;
      if (message.names && given.length !== 1) throw new TypeMismatch(`${key} takes one object with ${message.names.join(", ")}`);
      return send(tag, encodeArguments(message.types, take), decode, key);
    };
  }
  return made;
}

const onlyCasts = (decode, key, what) => {
  if (decode) throw new TypeError(`${key} is a call, and ${what} casts`);
};

class Timer {
  constructor(number) {
    this.number = number;
  }

  /** Ends the timer. False if it has ended already. */
  cancel() {
    return host().timers.cancel(this.number);
  }
}

/** An actor, wherever it lives. */
export function refOf(contract, pid, options = {}) {
  const cast = (tag, bytes) => sending(() => host().messaging.cast(pid, tag, bytes));
  const ref = methods(contract, (tag, bytes, decode) => (decode ? running().waits.ask(pid, tag, bytes, decode, options) : cast(tag, bytes)));
  const blocking = (tag, bytes, decode) => (decode ? decode(sending(() => host().requests.call(pid, tag, bytes, options.timeout ?? null))) : cast(tag, bytes));
  const timed = (start, what) => (ms) =>
    methods(contract, (tag, bytes, decode, key) => {
      onlyCasts(decode, key, what);
      return new Timer(timing(() => host().timers[start](pid, tag, bytes, ms)));
    });
  const extras = {
    $pid: { value: pid, enumerable: true },
    $contract: { value: contract },
    $with: { value: (changes) => refOf(contract, pid, { ...options, ...changes }) },
    $blocking: { get: () => methods(contract, blocking) },
    $after: { value: timed("sendAfter", "$after") },
    $every: { value: timed("sendInterval", "$every") },
  };
  return Object.defineProperties(ref, extras);
}

/** This actor. */
export const me = {
  get pid() {
    return host().identity.selfPid();
  },
  get name() {
    return host().identity.selfName() ?? undefined;
  },
  get node() {
    return host().identity.nodeName();
  },
  as: (contract) => refOf(contract, host().identity.selfPid()),
};

const refOrNone = (pid, contract) => (pid ? refOf(contract, pid) : undefined);

export const find = (name, contract) => refOrNone(host().registry.whereIs(name), contract);

export function findOrThrow(name, contract) {
  const found = find(name, contract);
  if (!found) throw new Error(`no actor is called ${name}, on this node or those that it is connected to`);
  return found;
}

export const ref = (pid, contract) => refOf(contract, pid);
export const address = (actor) => host().registry.address(pidOf(actor)) ?? undefined;
export const resolve = (bytes, contract) => refOrNone(host().registry.resolve(bytes), contract);

export const join = (group, scope) => host().groups.join(group, scope ?? null);
export const leave = (group, scope) => host().groups.leave(group, scope ?? null);
export const members = (group, contract, scope) => host().groups.members(group, scope ?? null).map((pid) => refOf(contract, pid));
export const localMembers = (group, contract, scope) => host().groups.localMembers(group, scope ?? null).map((pid) => refOf(contract, pid));
export const groups = (scope) => host().groups.whichGroups(scope ?? null);
export const monitorGroup = (group, scope) => host().groups.monitor(group, scope ?? null);
export const demonitorGroup = (group, scope) => host().groups.demonitor(group, scope ?? null);

export function spawn(module, contract, { name, start, groups = [], restart = "temporary" } = {}) {
  const child = { module, name: name ?? null, arguments: encodeStart(contract, start), groups, restart };
  return refOf(contract, spawning(() => host().lifecycle.spawn(child)));
}

export const children = () => host().lifecycle.children();
export const supervisor = () => host().lifecycle.supervisor() ?? undefined;
export const stop = (reason) => host().lifecycle.stop(reason ?? null);
export function exit(reason) {
  host().lifecycle.exit(reason);
  throw new Error(reason);
}
export const stopChild = (child, reason) => host().lifecycle.stopChild(pidOf(child), reason ?? null);
export const killChild = (child) => host().lifecycle.killChild(pidOf(child));
export const monitor = (actor) => monitoring(() => host().lifecycle.monitor(pidOf(actor)));
export const demonitor = (actor) => host().lifecycle.demonitor(pidOf(actor));
export const stopAfter = (ms) => new Timer(timing(() => host().timers.stopAfter(ms)));

export const config = (key) => host().config.value(key) ?? undefined;
export const configEntries = () => Object.fromEntries(host().config.entries());
export const metadata = () => host().messaging.metadata() ?? undefined;
export const traceContext = () => host().tracing.current() ?? undefined;

/** Waits without holding the actor's thread: `await sleep(100)`. */
export function sleep(ms, { signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const { waits } = running();
    const aborted = () => {
      waits.stop(timer);
      reject(signal.reason);
    };
    const timer = waits.start(ms, () => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    });
    signal?.addEventListener("abort", aborted);
  });
}

const text = (value) => (typeof value === "string" ? value : String(value));
const logAt = (level) => (message, fields = {}) =>
  host().logging.log(level, running().contract.name, text(message), Object.entries(fields).map(([key, value]) => [key, text(value)]));

/** The node's log, with fields; `console` writes there too. */
export const log = { trace: logAt("trace"), debug: logAt("debug"), info: logAt("info"), warn: logAt("warn"), error: logAt("error") };
