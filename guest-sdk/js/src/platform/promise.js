// Promises as the language defines them, on jobs that are run here.

import { enqueue, heard, rejected } from "./jobs.js";

const isObject = (value) => value !== null && (typeof value === "object" || typeof value === "function");

const [PENDING, FULFILLED, REJECTED] = [0, 1, 2];

/** Given to the constructor in place of a function: the promise is settled from here. */
const FROM_HERE = Symbol("from here");

/** The two ends of a promise, of which the first call counts. */
function ends(promise) {
  let called = false;
  const once = (what) => (value) => {
    if (called) return;
    called = true;
    what(promise, value);
  };
  return [once(resolveWith), once(rejectWith)];
}

function settle(promise, status, value) {
  promise._status = status;
  promise._value = value;
  const waiting = promise._waiting;
  promise._waiting = undefined;
  if (waiting) for (const reaction of waiting) enqueue(reaction);
}

function rejectWith(promise, reason) {
  if (!promise._waiting) rejected(promise);
  settle(promise, REJECTED, reason);
}

function resolveWith(promise, value) {
  if (value === promise) return rejectWith(promise, new TypeError("a promise can't be resolved with itself"));
  if (!isObject(value)) return settle(promise, FULFILLED, value);
  let then;
  try {
    then = value.then;
  } catch (error) {
    return rejectWith(promise, error);
  }
  if (typeof then !== "function") return settle(promise, FULFILLED, value);
  enqueue(() => {
    const [resolve, reject] = ends(promise);
    try {
      then.call(value, resolve, reject);
    } catch (error) {
      reject(error);
    }
  });
}

/** A promise of a kind, and its two ends. Most are of this kind, and need no functions for that. */
function capability(Kind) {
  if (Kind === ActorPromise) return { promise: new ActorPromise(FROM_HERE), resolve: resolveWith, reject: rejectWith };
  const made = {};
  made.promise = new Kind((resolve, reject) => {
    made.resolve = (_, value) => resolve(value);
    made.reject = (_, reason) => reject(reason);
  });
  return made;
}

/** What a promise that is settled does to the one that its `then` gave. */
function react(settled, fulfilled, failed, { promise, resolve, reject }) {
  const ok = settled._status === FULFILLED;
  const handler = ok ? fulfilled : failed;
  if (typeof handler !== "function") return ok ? resolve(promise, settled._value) : reject(promise, settled._value);
  let result;
  try {
    result = handler(settled._value);
  } catch (error) {
    return reject(promise, error);
  }
  resolve(promise, result);
}

export class ActorPromise {
  constructor(run) {
    this._status = PENDING;
    this._value = undefined;
    this._waiting = undefined;
    if (run === FROM_HERE) return;
    if (typeof run !== "function") throw new TypeError("a promise is made with a function");
    const [resolve, reject] = ends(this);
    try {
      run(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  /** Why it was rejected. */
  get reason() {
    return this._value;
  }

  get [Symbol.toStringTag]() {
    return "Promise";
  }

  static get [Symbol.species]() {
    return this;
  }

  then(fulfilled, failed) {
    const { constructor } = this;
    const target = capability(constructor === ActorPromise ? ActorPromise : (constructor?.[Symbol.species] ?? ActorPromise));
    const reaction = () => react(this, fulfilled, failed, target);
    if (this._status === PENDING) {
      (this._waiting ??= []).push(reaction);
    } else {
      if (this._status === REJECTED) heard(this);
      enqueue(reaction);
    }
    return target.promise;
  }

  catch(failed) {
    return this.then(undefined, failed);
  }

  finally(run) {
    if (typeof run !== "function") return this.then(run, run);
    const Kind = this.constructor?.[Symbol.species] ?? ActorPromise;
    return this.then(
      (value) => Kind.resolve(run()).then(() => value),
      (error) =>
        Kind.resolve(run()).then(() => {
          throw error;
        }),
    );
  }

  static resolve(value) {
    if (value instanceof ActorPromise && value.constructor === this) return value;
    const { promise, resolve } = capability(this);
    resolve(promise, value);
    return promise;
  }

  static reject(reason) {
    return new this((_, reject) => reject(reason));
  }

  static withResolvers() {
    const made = {};
    made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
  }

  static try(run, ...given) {
    return new this((resolve) => resolve(run(...given)));
  }

  static all(values) {
    return gather(this, values, (promise, slot, reject) => promise.then(slot, reject));
  }

  static allSettled(values) {
    return gather(this, values, (promise, slot) =>
      promise.then(
        (value) => slot({ status: "fulfilled", value }),
        (reason) => slot({ status: "rejected", reason }),
      ),
    );
  }

  static any(values) {
    return new this((resolve, reject) => {
      const failed = gather(this, values, (promise, slot) => promise.then(resolve, slot));
      failed.then((errors) => reject(new AggregateError(errors, "all promises were rejected")), reject);
    });
  }

  static race(values) {
    return new this((resolve, reject) => {
      for (const value of values) this.resolve(value).then(resolve, reject);
    });
  }
}

/** An array with a slot for each value, once all are filled. */
function gather(Kind, values, follow) {
  return new Kind((resolve, reject) => {
    const slots = [];
    let open = 1;
    const close = () => {
      if (--open === 0) resolve(slots);
    };
    let count = 0;
    for (const value of values) {
      const at = count++;
      open++;
      follow(Kind.resolve(value), (filled) => ((slots[at] = filled), close()), reject);
    }
    close();
  });
}

Object.defineProperty(ActorPromise, "name", { value: "Promise" });

/** `Array.fromAsync`, whose own promises would never be settled. */
export async function fromAsync(items, change = (value) => value) {
  const made = [];
  if (items[Symbol.asyncIterator]) for await (const item of items) made.push(await change(item, made.length));
  else for (const item of items[Symbol.iterator] ? items : Array.from(items)) made.push(await change(await item, made.length));
  return made;
}
