// The node as far as this page knows it: what the stream has told, and what follows from that.

const HISTORY = 60;
const MOST_EVENTS = 1000;

// Two clocks may differ so much.
const CLOCKS_MS = 5000;

/** A figure that only grows, and how fast it does. */
class Meter {
  constructor(value) {
    this.value = value;
    this.rate = 0;
  }

  now(value, seconds) {
    this.rate = seconds > 0 ? Math.max(0, value - this.value) / seconds : 0;
    this.value = value;
  }
}

/** One actor. */
class Actor {
  constructor(row, at) {
    this.identify(row);
    this.numbers(row.numbers);
    this.rate = 0;
    this.share = 0;
    this.seen = at;
    this.history = [];
  }

  identify(row) {
    this.pid = row.pid;
    this.name = row.name;
    this.kind = row.kind;
    this.module = row.module;
    this.digest = row.digest;
    this.groups = row.groups ?? [];
    this.supervisor = row.supervisor;
    // So that worker-2 comes before worker-10.
    this.order = this.title.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(9, "0"));
    this.text = [row.name, row.kind, row.module, row.pid, ...this.groups].join(" ").toLowerCase();
  }

  numbers([messages, busy, waiting, memory, failures, restarts]) {
    Object.assign(this, { messages, busy, waiting, memory, failures, restarts });
  }

  add(messages, busy, kept, at) {
    const seconds = Math.max(0.2, (at - this.seen) / 1000);
    this.messages += messages;
    this.busy += busy;
    const [waiting = this.waiting, memory = this.memory, failures = this.failures, restarts = this.restarts] = kept;
    Object.assign(this, { waiting, memory, failures, restarts });
    this.rate = messages / seconds;
    this.share = busy / 1e6 / seconds;
    this.mark(at);
  }

  idle(at) {
    this.rate = 0;
    this.share = 0;
    this.mark(at);
  }

  mark(at) {
    this.seen = at;
    this.history.push(this.rate);
    if (this.history.length > HISTORY) this.history.shift();
  }

  get title() {
    return this.name ?? `${this.kind} ${this.pid}`;
  }
}

/** See the top of the file. */
export class Model extends EventTarget {
  constructor() {
    super();
    this.node = null;
    this.links = new Map();
    this.modules = new Map();
    this.actors = new Map();
    this.events = [];
    this.heard = 0;
    this.cpu = new Meter(0);
    this.throughput = [];
    this.connection = "connecting";
    this.reason = "";
    this.role = null;
  }

  /** Something has changed: `what` is "figures", "actors", "events", "connection" or "role". */
  changed(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  connected(connection, reason = "") {
    this.connection = connection;
    this.reason = reason;
    this.changed("connection");
  }

  /** `at` is the node's own time in milliseconds: how long something took to arrive is no part of any rate. */
  snapshot(data, at = data.node.uptime_ms ?? performance.now()) {
    const isAnother = this.isAnotherLife(data.node);
    if (isAnother) this.forgetEvents();
    this.node = data.node;
    this.at = at;
    this.heard = performance.now();
    this.cpu = new Meter(data.node.cpu_us);
    this.links = new Map(data.links.map((link) => [link.session, this.link(link)]));
    this.modules = new Map(data.modules.map((module) => [module.module, this.module(module)]));
    const known = isAnother ? new Map() : this.actors;
    this.actors = new Map(data.actors.map((row) => [row.pid, new Actor(row, at)]));
    for (const [pid, actor] of this.actors) actor.history = known.get(pid)?.history ?? [];
    this.connected("live");
    this.changed("actors");
  }

  /** A node that was started anew is up for less time than the one that was known would be by now. */
  isAnotherLife(node) {
    return this.node !== null && node.uptime_ms + CLOCKS_MS < this.node.uptime_ms + performance.now() - this.heard;
  }

  update(data, at = data.node.uptime_ms ?? performance.now()) {
    if (!this.node) return;
    this.cpu.now(data.node.cpu_us, (at - this.at) / 1000);
    this.at = at;
    this.heard = performance.now();
    this.node = data.node;
    for (const session of data.links_gone ?? []) this.links.delete(session);
    for (const module of data.modules_gone ?? []) this.modules.delete(module);
    this.renew(this.links, data.links ?? [], data.links_waiting, "session", (row) => this.link(row));
    this.renew(this.modules, data.modules ?? [], data.modules_waiting, "module", (row) => this.module(row));
    for (const pid of data.gone ?? []) this.actors.delete(pid);
    for (const row of data.actors ?? []) this.come(row, at);
    const come = new Set((data.actors ?? []).map((row) => row.pid));
    this.count(data.numbers ?? [], come, data.covers, at);
    this.throughput.push(this.rate());
    if (this.throughput.length > HISTORY) this.throughput.shift();
    this.changed("figures");
  }

  /** Rows that are told are new, and those that aren't have stood still, unless some had to wait. */
  renew(known, rows, waiting, key, make) {
    const told = new Set(rows.map((row) => row[key]));
    for (const [name, row] of waiting ? [] : known) {
      if (!told.has(name)) known.set(name, { ...row, rates: Object.fromEntries(Object.keys(row.rates).map((rate) => [rate, 0])) });
    }
    for (const row of rows) known.set(row[key], make(row));
  }

  link(row) {
    return this.rated(row, this.links.get(row.session), ["sent_messages", "sent_bytes", "received_messages", "received_bytes"]);
  }

  module(row) {
    return this.rated(row, this.modules.get(row.module), ["messages", "busy_us"]);
  }

  /** What was added to each, by the time in which it was. */
  rated(row, before, keys) {
    const seconds = (row.over_ms ?? 0) / 1000;
    const isKnown = before && !before.unsaid && seconds > 0;
    const each = (key) => (isKnown ? Math.max(0, row[key] - before[key]) / seconds : 0);
    return { ...row, rates: Object.fromEntries(keys.map((key) => [key, each(key)])) };
  }

  come(row, at) {
    const known = this.actors.get(row.pid);
    if (!known) {
      this.actors.set(row.pid, new Actor(row, at));
      return;
    }
    known.identify(row);
    const [messages, busy, ...kept] = row.numbers;
    known.add(messages - known.messages, busy - known.busy, kept, at);
  }

  /** `told` are those whose numbers are known already. */
  count(numbers, told, covers, at) {
    for (const [pid, messages, busy, ...kept] of numbers) {
      told.add(pid);
      this.actors.get(pid)?.add(messages, busy, kept, at);
    }
    const [from, until] = covers ?? [0, Infinity];
    const isCovered = (pid) => (from <= until ? pid >= from && pid < until : pid >= from || pid < until);
    for (const actor of this.actors.values()) {
      if (!told.has(actor.pid) && isCovered(actor.pid)) actor.idle(at);
    }
  }

  /** Messages that all guests handle each second. */
  rate() {
    let sum = 0;
    for (const module of this.modules.values()) sum += module.rates.messages;
    return sum;
  }

  /** Events, some of which may be known. */
  happened(events) {
    const last = this.events.at(-1)?.number ?? -1;
    const fresh = events.filter((event) => event.number > last);
    if (fresh.length === 0) return;
    this.events.push(...fresh);
    this.events.splice(0, Math.max(0, this.events.length - MOST_EVENTS));
    this.changed("events");
  }

  /** The last events that the node has, after a connection to it: of one that was started anew, none is known. */
  history(events) {
    const known = new Map(this.events.map((event) => [event.number, event.at_ms]));
    const isAnother = (event) => known.has(event.number) && known.get(event.number) !== event.at_ms;
    const isBehind = (events.at(-1)?.number ?? -1) < (this.events.at(-1)?.number ?? -1);
    if (isBehind || events.some(isAnother)) this.forgetEvents();
    this.happened(events);
    // Whoever asks for more when something happens has missed what happened meanwhile.
    this.changed("events");
  }

  forgetEvents() {
    this.events = [];
  }

  find(target) {
    if (target.startsWith("pid:")) return this.actors.get(Number(target.slice(4)));
    for (const actor of this.actors.values()) if (actor.name === target) return actor;
    return undefined;
  }

  may(role) {
    const order = ["observe", "operate", "deploy"];
    return order.indexOf(this.role) >= order.indexOf(role);
  }
}
