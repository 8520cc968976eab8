// A node for tests: in this process, without WebAssembly, on a clock that stands still. It records what actors send and log.

import { methodOf } from "../contract.js";
import { callErrorOf } from "../errors.js";
import { implement } from "../implement.js";
import { decodeArguments, encodeArguments } from "../types/arguments.js";
import { decodeUtf8 } from "../types/utf8.js";
import { TestActor } from "./actor.js";
import { Clock } from "./clock.js";
import { outside } from "./globals.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class TestNode {
  name;
  clock = new Clock();
  /** What actors logged, `console` included. */
  log = [];
  /** What actors sent to each other. */
  sent = [];
  #actors = new Map();
  #modules = new Map();
  #groups = new Map();
  #last = 0;

  constructor({ name = "test@localhost", modules = {} } = {}) {
    this.name = name;
    for (const [module, program] of Object.entries(modules)) this.#modules.set(module, program);
  }

  // --- For tests -----------------------------------------------------------------------------------------------------------

  /** Starts an actor. */
  start(program, { name, start, config, groups = [] } = {}) {
    return this.#start(program, start, groups, { name, config });
  }

  async #start(program, start, groups, options) {
    const { contract } = program;
    const actor = this.#create(program, options);
    const bytes = contract.start ? contract.start.encode(start) : new Uint8Array(0);
    await actor.enter((instance) => instance.preStart(bytes));
    if (!actor.alive) throw new Error(actor.failure);
    for (const group of groups) this.join(actor, JSON.stringify(["default", group]));
    actor.interrupt((instance) => instance.hook("postStart"));
    await this.idle();
    return this.#handle(actor, contract);
  }

  /** An actor that records what it gets, and answers as these handlers say. */
  async probe(name, contract, answers = {}, { groups = [] } = {}) {
    const received = [];
    const handler = (key, message) => (_, ...given) => {
      received.push({ message: key, args: given });
      if (answers[key]) return answers[key](...given);
      if (message.reply) throw new Error(`the probe ${name} has no answer for ${key}`);
      return undefined;
    };
    const handlers = Object.fromEntries(Object.entries(contract.messages).map(([key, message]) => [key, handler(key, message)]));
    const program = implement({ ...contract, start: undefined }, () => ({}), handlers);
    return Object.defineProperty(await this.#start(program, undefined, groups, { name, isProbe: true }), "received", { value: received });
  }

  /** Waits until no actor has anything to do. Time doesn't pass. */
  async idle() {
    do await turn();
    while ([...this.#actors.values()].some((actor) => actor.alive && !actor.idle));
  }

  /** Lets time pass, with all that it brings. */
  async advance(ms) {
    const until = this.clock.now + ms;
    await this.idle();
    while (this.clock.step(until)) await this.idle();
  }

  /** What a test holds of an actor. */
  #handle(actor, contract) {
    const handle = {};
    for (const [tag, { key, message }] of contract.byTag) {
      handle[methodOf(key)] = (...given) => {
        const bytes = encodeArguments(message.types, message.spread(given));
        if (!message.reply) {
          try {
            return this.cast(undefined, actor.pid, tag, bytes);
          } catch (error) {
            throw callErrorOf(error);
          }
        }
        return new Promise((resolve, reject) => {
          const done = (outcome) => {
            if (outcome.tag === "err") return reject(callErrorOf(outcome.val));
            try {
              resolve(message.reply.decode(outcome.val));
            } catch (error) {
              reject(error);
            }
          };
          this.#call(undefined, actor.pid, tag, bytes, null, done, (error) => reject(callErrorOf(error)));
        });
      };
    }
    return Object.defineProperties(handle, {
      $pid: { value: actor.pid },
      $name: { value: actor.name },
      $state: { get: () => actor.instance.state },
      $alive: { get: () => actor.alive },
      $failure: { get: () => actor.failure },
      $timers: { get: () => this.clock.count(actor) },
      $stop: { value: async (reason) => (actor.stop(reason), await this.idle()) },
      $reload: { value: (program = actor.program) => this.#reload(actor, program) },
      $snapshot: { value: () => JSON.parse(decodeUtf8(this.#snapshot(actor))) },
    });
  }

  #snapshot(actor) {
    return actor.enterAtOnce((instance) => instance.snapshot());
  }

  async #reload(actor, program) {
    await this.idle();
    const before = actor.instance;
    const from = before.contract.stateVersion;
    let saved;
    await actor.attempt((instance) => (saved = instance.snapshot()));
    const old = actor.program;
    actor.install(program);
    try {
      await actor.attempt((instance) => instance.restore(saved, from));
      await actor.attempt((instance) => instance.postReload());
    } catch (error) {
      actor.program = old;
      actor.instance = before;
      throw error;
    }
    actor.kick();
    await this.idle();
  }

  // --- For actors ----------------------------------------------------------------------------------------------------------

  #create(program, options) {
    if (options.name !== undefined && this.named(options.name)) throw "name-taken";
    const actor = new TestActor(this, program, { id: ++this.#last, ...options });
    this.#actors.set(actor.pid.id, actor);
    return actor;
  }

  record(actor, entry) {
    this.log.push({ actor: actor.name, ...entry });
  }

  find(pid) {
    const actor = this.#actors.get(pid.id);
    return actor?.alive ? actor : undefined;
  }

  named(name) {
    return [...this.#actors.values()].find((actor) => actor.alive && actor.name === name);
  }

  /** The living actor of a pid, or the error of the WIT. */
  alive(pid) {
    const actor = this.find(pid);
    if (!actor) throw "unknown-actor";
    if (actor.ending) throw "stopped";
    return actor;
  }

  /** Remembers a message, with arguments as the receiver's contract has them. */
  #note(from, to, tag, bytes) {
    const found = to.program.contract.byTag.get(tag);
    let args = bytes;
    try {
      if (found) args = decodeArguments(found.message.types, viewOf(bytes), 0, bytes.length);
    } catch {
      // They stay bytes: the receiver will say what is wrong with them.
    }
    if (from) this.sent.push({ from: from.name, to: to.name, message: tag, args });
  }

  cast(from, pid, tag, bytes) {
    const to = this.alive(pid);
    this.#note(from, to, tag, bytes);
    outside(() => to.deliver((instance) => instance.handleCast(tag, bytes)));
  }

  castIfAlive(from, pid, tag, bytes) {
    if (this.find(pid)) this.cast(from, pid, tag, bytes);
  }

  #call(from, pid, tag, bytes, timeout, done, refused) {
    let to;
    try {
      to = this.alive(pid);
    } catch (error) {
      refused(error);
      return;
    }
    this.#note(from, to, tag, bytes);
    const number = ++this.#last;
    const timer = timeout === null ? undefined : this.clock.start(from, timeout, () => this.answerIfOpen(to, number, { tag: "err", val: "timeout" }));
    to.open.set(number, (outcome) => {
      this.clock.cancel(timer);
      done(outcome);
    });
    outside(() => to.deliver((instance) => this.#serve(to, instance, tag, bytes, number)));
  }

  #serve(to, instance, tag, bytes, number) {
    // The caller gave up before.
    if (!to.open.has(number)) return;
    const outcome = instance.handleCall(tag, bytes, number);
    if (outcome.tag === "reply") this.answerIfOpen(to, number, { tag: "ok", val: outcome.val });
    if (outcome.tag === "failed") this.answerIfOpen(to, number, { tag: "err", val: outcome });
  }

  answer(actor, number, outcome) {
    const done = actor.open.get(number);
    if (!done) throw "unknown-call";
    actor.open.delete(number);
    outside(() => done(outcome));
  }

  answerIfOpen(actor, number, outcome) {
    if (actor.open.has(number)) this.answer(actor, number, outcome);
  }

  /** Whether an actor waits, maybe through others, for another. */
  #waitsFor(actor, other, seen = new Set()) {
    if (actor === other) return true;
    if (seen.has(actor) || !actor.held) return false;
    seen.add(actor);
    return [...actor.asked.values()].some((next) => this.#waitsFor(next, other, seen));
  }

  ask(from, pid, tag, bytes, timeout) {
    const to = this.alive(pid);
    if (this.#waitsFor(to, from) && !from.program.life.reentrant) throw "would-deadlock";
    const token = ++this.#last;
    from.asked.set(token, to);
    const done = (outcome) => {
      if (from.asked.delete(token)) from.interrupt((instance) => instance.handleReply(token, outcome));
    };
    this.#call(from, pid, tag, bytes, timeout, done, (error) => {
      from.asked.delete(token);
      throw error;
    });
    return token;
  }

  /** A call for whose reply the caller stands still. The other actor must be able to answer at once. */
  callAtOnce(from, pid, tag, bytes, timeout) {
    const to = this.alive(pid);
    if (to.running || this.#waitsFor(to, from)) throw "would-deadlock";
    outside(() => to.catchUp());
    this.alive(pid);
    this.#note(from, to, tag, bytes);
    const number = ++this.#last;
    let outcome;
    to.open.set(number, (given) => (outcome = given));
    if (!to.held) outside(() => to.enterAtOnce((instance) => this.#serve(to, instance, tag, bytes, number)));
    to.open.delete(number);
    if (!outcome && !to.alive) throw "no-reply";
    if (!outcome && timeout !== null) throw "timeout";
    if (!outcome) throw new Error(`${to.name ?? "the actor"} doesn't answer ${tag} at once: a blocking call of a TestNode can't wait for it`);
    if (outcome.tag === "err") throw outcome.val;
    return outcome.val;
  }

  join(actor, group) {
    const members = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, members);
    if (members.has(actor)) return;
    members.add(actor);
    this.#changed(group, "joined", actor);
  }

  leave(actor, group) {
    if (this.#groups.get(group)?.delete(actor)) this.#changed(group, "left", actor);
  }

  members(group) {
    return [...(this.#groups.get(group) ?? [])].map((actor) => actor.pid);
  }

  groupsOf(scope) {
    return [...this.#groups].filter(([, members]) => members.size > 0).map(([group]) => JSON.parse(group)).filter(([of]) => of === scope).map(([, group]) => group);
  }

  #changed(key, change, actor) {
    const [scope, group] = JSON.parse(key);
    const val = { scope: scope === "default" ? null : scope, group, change, actors: [actor.pid] };
    for (const one of this.#actors.values()) if (one.alive && one.groupMonitors.has(key)) this.#tell(one, { tag: "group-changed", val });
  }

  #tell(actor, event) {
    outside(() => actor.interrupt((instance) => instance.handleEvent(event)));
  }

  spawn(parent, { module, name, arguments: bytes, groups }) {
    const program = this.#modules.get(module);
    if (!program) throw "unknown-module";
    const child = this.#create(program, { name: name ?? undefined, parent });
    parent.children.add(child);
    child.enterAtOnce((instance) => instance.preStart(bytes));
    if (!child.alive) throw { tag: "failed", val: child.failure };
    for (const group of groups) this.join(child, JSON.stringify(["default", group]));
    this.#tell(parent, { tag: "actor-started", val: { pid: child.pid, name: child.name ?? null } });
    outside(() => child.interrupt((instance) => instance.hook("postStart")));
    return child.pid;
  }

  /** An actor ended. */
  gone(actor, tag, reason) {
    if (!actor.alive) return;
    actor.alive = false;
    this.clock.cancelAll(actor);
    for (const [key, members] of this.#groups) if (members.delete(actor)) this.#changed(key, "left", actor);
    for (const child of [...actor.children]) this.gone(child, "actor-terminated", "its supervisor ended");
    for (const number of [...actor.open.keys()]) this.answer(actor, number, { tag: "err", val: "no-reply" });
    const val = { actor: { pid: actor.pid, name: actor.name ?? null }, reason: reason ?? null };
    actor.parent?.children.delete(actor);
    for (const one of this.#actors.values()) {
      if (one.alive && (one === actor.parent || one.monitors.has(actor.pid.id))) this.#tell(one, { tag, val });
    }
  }
}

