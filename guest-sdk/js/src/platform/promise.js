// Promises as the language defines them, on jobs that are run here.

import { enqueue, heard, rejected } from "./jobs.js";

const isObject = (value) => value !== null && (typeof value === "object" || typeof value === "function");

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
  for (const reaction of waiting) enqueue(reaction);
}

function rejectWith(promise, reason) {
  if (promise._waiting.length === 0) rejected(promise);
  settle(promise, "rejected", reason);
}

function resolveWith(promise, value) {
  if (value === promise) return rejectWith(promise, new TypeError("a promise can't be resolved with itself"));
  if (!isObject(value)) return settle(promise, "fulfilled", value);
  let then;
  try {
    then = value.then;
  } catch (error) {
    return rejectWith(promise, error);
  }
  if (typeof then !== "function") return settle(promise, "fulfilled", value);
  enqueue(() => {
    const [resolve, reject] = ends(promise);
    try {
      then.call(value, resolve, reject);
    } catch (error) {
      reject(error);
    }
  });
}

export class ActorPromise {
  constructor(run) {
    if (typeof run !== "function") throw new TypeError("a promise is made with a function");
    this._status = "pending";
    this._value = undefined;
    this._waiting = [];
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
    heard(this);
    const Kind = this.constructor?.[Symbol.species] ?? ActorPromise;
    return new Kind((resolve, reject) => {
      const react = () => {
        const ok = this._status === "fulfilled";
        const handler = ok ? fulfilled : failed;
        if (typeof handler !== "function") return ok ? resolve(this._value) : reject(this._value);
        try {
          resolve(handler(this._value));
        } catch (error) {
          reject(error);
        }
      };
      if (this._status === "pending") this._waiting.push(react);
      else enqueue(react);
    });
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
    return value instanceof ActorPromise && value.constructor === this ? value : new this((resolve) => resolve(value));
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
