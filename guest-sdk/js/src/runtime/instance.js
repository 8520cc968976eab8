// One living actor: what the node calls, and what becomes of it in the handlers.

import { describe } from "../contract.js";
import { callErrorOf, textOf } from "../errors.js";
import { jobs } from "../platform/jobs.js";
import { withStack } from "../platform/stacks.js";
import { decodeArgument, decodeArguments } from "../types/arguments.js";
import { TypeMismatch } from "../types/type.js";
import { decodeUtf8 } from "../types/utf8.js";
import { Answer, encodeReply } from "./answer.js";
import { eventOf } from "./events.js";
import { readAnything, readState, writeState } from "./state.js";
import { Waits } from "./waits.js";

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const isPromise = (value) => value !== null && typeof value === "object" && typeof value.then === "function";

/** Throws if a hook is asynchronous that can't be. */
function refusePromise(value, name, why) {
  if (!isPromise(value)) return value;
  // Its own failure would be told besides.
  value.then(undefined, () => {});
  throw new TypeMismatch(`\`${name}\` can't be asynchronous, ${why}`);
}

export class Instance {
  /**
   * @param program what `implement` gave
   * @param host the interfaces of the WIT
   * @param drain runs the jobs of promises; a no-op where the engine does that by itself
   */
  constructor(program, host, drain) {
    const { contract, life, handlers } = program;
    this.contract = contract;
    this.life = life;
    this.host = host;
    this.drain = drain;
    this.waits = new Waits(this);
    this.state = undefined;
    /** Handlers that await something. */
    this.tasks = new Set();
    /** Why the actor fails at the end of what the node called, if it does. */
    this.failure = undefined;
    this.messages = new Map();
    for (const [tag, { key, message }] of contract.byTag) {
      this.messages.set(tag, { tag, message, types: message.types, reply: message.reply, named: message.names, hasOne: message.types.length === 1 && !message.names, run: handlers[key], open: this.isOpen(key) });
    }
    /** The tag that came last, its bytes, and its message: the same few come again and again. */
    this.lastTag = "";
    this.lastBytes = [];
    this.lastFound = this.messages.get("");
  }

  isOpen(key) {
    const { reentrant = false } = this.life;
    return Array.isArray(reentrant) ? reentrant.includes(key) : reentrant;
  }

  /** Runs something that the node called, and what it set off. What it throws fails the actor, with a text. */
  enter(what, run) {
    let result;
    try {
      result = run();
    } catch (error) {
      this.fail(what, error);
    }
    this.leave();
    return result;
  }

  leave() {
    if (jobs.any) this.drain();
    if (this.failure !== undefined) this.throwFailure();
    if (this.tasks.size > 0) this.host.requests.pending(this.mailbox());
  }

  throwFailure() {
    const { failure } = this;
    if (failure === undefined) return;
    this.failure = undefined;
    throw failure;
  }

  /** What becomes of messages while a handler awaits: `held` unless all of them may be interrupted. */
  mailbox() {
    for (const task of this.tasks) if (!task.open) return "held";
    return "open";
  }

  log(level, message) {
    this.host.logging.log(level, this.contract.name, message, []);
  }

  /** The actor fails with this, unless it fails already. */
  fail(what, error) {
    this.log("error", `${what}: ${withStack(error)}`);
    this.failure ??= textOf(error);
  }

  /** An error in something that nobody waits for. */
  failUnasked(what, error) {
    if (this.life.onCastError === "log") this.log("error", `${what}: ${withStack(error)}`);
    else this.fail(what, error);
  }

  /** Follows a handler that may await: `open` says whether others run meanwhile. */
  follow(value, open, done, failed) {
    const task = { open };
    this.tasks.add(task);
    value.then(
      (result) => {
        this.tasks.delete(task);
        done(result);
      },
      (error) => {
        this.tasks.delete(task);
        failed(error);
      },
    );
  }

  /** A hook, which may be asynchronous. */
  hook(name, ...given) {
    return this.enter(name, () => {
      const value = this.life[name]?.(this.state, ...given);
      if (isPromise(value)) this.follow(value, false, () => {}, (error) => this.fail(name, error));
    });
  }

  /** A hook that is done when it returns, because nobody would wait for it. */
  hookAtOnce(name, why) {
    return this.enter(name, () => {
      // Handlers that awaited won't go on.
      if (name === "postStop") this.tasks.clear();
      refusePromise(this.life[name]?.(this.state), name, why);
    });
  }

  postReload() {
    this.hookAtOnce("postReload", "because the old code may have to go on: await in a message to `me`");
  }

  postStop() {
    this.hookAtOnce("postStop", "because the actor ends when it returns");
  }

  preStart(bytes) {
    this.enter("start", () => {
      const { start } = this.contract;
      let argument;
      try {
        if (start) argument = start.decode(bytes);
        else if (bytes.length > 0) throw new TypeMismatch(`${this.contract.name} starts without an argument, and ${bytes.length} bytes came`);
      } catch (error) {
        throw new TypeMismatch(start ? `the start argument (${start.argument ? `${start.argument}: ` : ""}${start.name}): ${error.message}` : error.message);
      }
      this.state = refusePromise(this.life.start(argument), "start", "because the actor has no state before it is done: await in `postStart`");
    });
  }

  handleEvent(event) {
    this.hook("event", eventOf(event));
  }

  /** Runs the handler of a cast. Arguments that can't be decoded are the sender's fault: they are dropped. */
  cast(tag, found, view, at, end) {
    let one, values;
    try {
      if (found === undefined || found.reply) throw new TypeMismatch(`${this.contract.name} has no cast of that name`);
      // Most have one argument. An array of it, and a spread of that, take as long as the handler.
      if (found.hasOne) one = decodeArgument(found.types, view, at, end);
      else {
        values = decodeArguments(found.types, view, at, end);
        if (found.named) values = found.message.gather(values);
      }
    } catch (error) {
      this.log("warn", `dropped a cast ${tag}: ${error.message}`);
      return;
    }
    try {
      const value = found.hasOne ? found.run(this.state, one) : found.run(this.state, ...values);
      if (value !== undefined && isPromise(value)) this.follow(value, found.open, () => {}, (error) => this.failUnasked(tag, error));
    } catch (error) {
      this.failUnasked(tag, error);
    }
  }

  handleCast(tag, bytes) {
    this.cast(tag, this.messages.get(tag), viewOf(bytes), 0, bytes.length);
    this.leave();
  }

  handleCasts(bytes, casts) {
    const view = viewOf(bytes);
    const { tasks } = this;
    const { nextCast } = this.host.messaging;
    const count = casts.length;
    let at = 0;
    for (let index = 0; index < count; index++) {
      if (index > 0 && !nextCast()) return;
      const sizes = casts[index];
      const args = at + sizes.variant;
      const end = args + sizes.args;
      const tag = this.tag(bytes, at, args);
      this.cast(tag, this.lastFound, view, args, end);
      at = end;
      if (jobs.any || this.failure !== undefined || tasks.size > 0) {
        this.leave();
        // The node ends a batch with a cast that awaits.
        if (tasks.size > 0) return;
      }
    }
  }

  tag(bytes, at, end) {
    const { lastBytes } = this;
    const size = end - at;
    if (size === lastBytes.length) {
      let same = 0;
      while (same < size && bytes[at + same] === lastBytes[same]) same++;
      if (same === size) return this.lastTag;
    }
    const found = bytes.subarray(at, end);
    this.lastBytes = Array.from(found);
    this.lastTag = decodeUtf8(found);
    this.lastFound = this.messages.get(this.lastTag);
    return this.lastTag;
  }

  /** Runs the handler of a call. Gives the outcome of the WIT. */
  handleCall(tag, bytes, number) {
    const found = this.messages.get(tag);
    let outcome;
    try {
      if (!found?.reply) throw new TypeMismatch(`${this.contract.name} has no call of that name`);
      let values = decodeArguments(found.types, viewOf(bytes), 0, bytes.length);
      if (found.named) values = found.message.gather(values);
      outcome = this.call(found, values, number);
    } catch (error) {
      outcome = { tag: "failed", val: `${tag}: ${error.message}` };
    }
    this.leave();
    return outcome instanceof Answer ? outcome.outcome() : outcome;
  }

  /** What becomes of a call whose arguments are known: an outcome, or an `Answer` that will be one. Throws nothing. */
  call(found, values, number) {
    let value;
    try {
      value = found.run(this.state, ...values);
      // Most are done here.
      if (value === null || typeof value !== "object") return { tag: "reply", val: encodeReply(found, value) };
    } catch (error) {
      return new Answer(this, found, number).failed(error);
    }
    const answer = new Answer(this, found, number);
    if (!isPromise(value)) return answer.give(value);
    this.follow(value, found.open, (result) => void answer.give(result), (error) => void answer.failed(error));
    return answer;
  }

  /** As `handleCall`, for nodes that know no failed calls. */
  handleCallBefore(tag, bytes, number) {
    const outcome = this.handleCall(tag, bytes, number);
    if (outcome.tag === "reply") return outcome.val;
    if (outcome.tag === "failed") {
      this.log("warn", `dropped a call: ${outcome.val}`);
      this.host.messaging.dropCall(number);
    }
    return null;
  }

  handleReply(token, outcome) {
    this.enter("a reply", () => this.waits.replied(token, outcome.tag === "ok" ? () => outcome.val : () => { throw callErrorOf(outcome.val); }));
  }

  handleWake(timer) {
    this.enter("a timer", () => this.waits.woke(timer));
  }

  snapshot() {
    return this.enter("snapshot", () => {
      if (this.life.snapshot) return this.life.snapshot(this.state);
      return writeState(this.state, this.life.state);
    });
  }

  restore(bytes, from) {
    this.enter("restore", () => {
      const { life, contract } = this;
      if (life.restore) this.state = life.restore(bytes, from);
      else if (from === contract.stateVersion) this.state = readState(bytes, life.state);
      else if (life.migrate) this.state = life.migrate(readAnything(bytes), from);
      else throw new TypeMismatch(`the state has version ${from}, and this code has version ${contract.stateVersion} of it: write \`migrate\``);
    });
  }

  describe() {
    return describe(this.contract);
  }

  /** What nodes ask for that know no contracts. */
  describeBefore() {
    const { name, version, stateVersion, start, messages } = describe(this.contract);
    return {
      name,
      version,
      stateVersion,
      arguments: start?.type ?? "unit",
      messages: messages.map((message) => ({ name: message.name, arguments: message.arguments.map(({ type }) => type), reply: message.reply })),
    };
  }
}
