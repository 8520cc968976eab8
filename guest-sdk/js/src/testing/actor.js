// An actor of a TestNode: its instance, its mailbox and what becomes of it.

import { Instance } from "../runtime/instance.js";
import { within } from "./globals.js";
import { hostOf } from "./host.js";

/** Lets promises go on: Node has run all of their jobs when this comes back. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const NOTHING_TO_COME =
  "a handler awaits, and nothing is to come that could have it go on: no reply, no timer and no news. What another message brings needs `later`, or `reentrant`";

/** An instance that says when a handler is done that awaited something. */
class TestInstance extends Instance {
  onDone = () => {};

  follow(value, open, done, failed) {
    const then = (what) => (result) => {
      what(result);
      this.onDone();
    };
    super.follow(value, open, then(done), then(failed));
  }
}

export class TestActor {
  alive = true;
  /** Why it failed or was stopped. */
  failure = undefined;
  reason = undefined;
  /** It began to fail or to stop, and handles nothing any more. */
  ending = false;
  /** It takes one thing after the other from its mailbox. */
  busy = false;
  /** Its code is on the stack. */
  running = false;
  messages = [];
  urgent = [];
  children = new Set();
  monitors = new Set();
  groupMonitors = new Set();
  /** Calls that wait for this actor's answer, by number. */
  open = new Map();
  /** Calls that this actor waits for, by number. */
  asked = new Map();

  constructor(node, program, { id, name, config = {}, parent, isProbe = false }) {
    this.node = node;
    this.pid = Object.freeze({ node: 0, id });
    this.name = name;
    this.config = config;
    this.parent = parent;
    this.isProbe = isProbe;
    this.install(program);
  }

  install(program) {
    this.program = program;
    this.instance = new TestInstance(program, hostOf(this.node, this), () => {});
    this.instance.onDone = () => this.kick();
  }

  get held() {
    return this.instance.tasks.size > 0 && this.instance.mailbox() === "held";
  }

  get idle() {
    return !this.busy && this.urgent.length === 0 && (this.messages.length === 0 || this.held || this.ending);
  }

  /** What comes whenever nothing runs: replies, timers of handlers, news, a stop. */
  interrupt(run) {
    this.urgent.push(run);
    this.kick();
  }

  deliver(run) {
    this.messages.push(run);
    this.kick();
  }

  next() {
    if (!this.alive) return undefined;
    return this.urgent.shift() ?? (this.held || this.ending ? undefined : this.messages.shift());
  }

  async kick() {
    if (this.busy) return;
    this.busy = true;
    for (let run = this.next(); run; run = this.next()) {
      await this.enter(run);
      if (this.ending && this.alive && this.instance.tasks.size === 0) await this.end();
    }
    this.busy = false;
    if (this.alive && this.waitsForNothing) this.fail(NOTHING_TO_COME);
  }

  /** Whether a handler that holds the mailbox awaits what nothing can bring any more. A node fails such an actor, too. */
  get waitsForNothing() {
    // The answer of a probe may wait for the test itself.
    if (this.isProbe || !this.held || this.urgent.length > 0) return false;
    const news = this.children.size + this.monitors.size + this.groupMonitors.size;
    return news === 0 && this.asked.size === 0 && this.node.clock.count(this) === 0;
  }

  /** Runs something of the instance, with all that it set off. A failure ends the actor. */
  async enter(run) {
    this.enterAtOnce(run);
    await settled();
    try {
      this.instance.throwFailure();
    } catch (error) {
      this.fail(error);
    }
  }

  /** As `enter`, and throws the failure instead. */
  async attempt(run) {
    try {
      within(this.instance, () => run(this.instance));
      await settled();
      this.instance.throwFailure();
    } catch (text) {
      throw new Error(String(text?.message ?? text));
    }
  }

  /** Runs something of the instance, without what goes on when promises do. */
  enterAtOnce(run) {
    this.running = true;
    try {
      return within(this.instance, () => run(this.instance));
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      this.running = false;
    }
  }

  /** Handles what came before, because somebody waits for what comes now. */
  catchUp() {
    for (let run = this.next(); run; run = this.next()) this.enterAtOnce(run);
  }

  fail(text) {
    if (!this.alive) return;
    this.failure = String(text?.message ?? text);
    this.node.gone(this, "actor-failed", this.failure);
  }

  stop(reason) {
    this.ending = true;
    this.reason = reason;
    this.interrupt(() => {});
  }

  async end() {
    this.ending = false;
    await this.enter((instance) => instance.postStop());
    if (this.alive) this.node.gone(this, "actor-terminated", this.reason);
  }
}
