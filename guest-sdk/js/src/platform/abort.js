// AbortController and AbortSignal, and the events that they need.

import { running } from "../runtime/running.js";

export class Event {
  constructor(type) {
    this.type = String(type);
    this.target = null;
  }
}

export class EventTarget {
  #listeners = [];

  addEventListener(type, listener, options) {
    if (!listener || this.#listeners.some((one) => one.type === type && one.listener === listener)) return;
    const once = typeof options === "object" && options !== null && Boolean(options.once);
    this.#listeners.push({ type, listener, once });
  }

  removeEventListener(type, listener) {
    this.#listeners = this.#listeners.filter((one) => one.type !== type || one.listener !== listener);
  }

  dispatchEvent(event) {
    event.target = this;
    for (const { type, listener, once } of [...this.#listeners]) {
      if (type !== event.type) continue;
      if (once) this.removeEventListener(type, listener);
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    }
    return true;
  }
}

const aborted = () => new DOMException("This operation was aborted", "AbortError");

/** Aborts a signal, which has no method for it. */
let abort;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  onabort = null;

  static {
    abort = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? aborted() : reason;
      const event = new Event("abort");
      event.target = signal;
      signal.onabort?.(event);
      signal.dispatchEvent(event);
    };
  }

  get aborted() {
    return this.#aborted;
  }

  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason) {
    const signal = new AbortSignal();
    abort(signal, reason);
    return signal;
  }

  static timeout(ms) {
    const signal = new AbortSignal();
    running().waits.start(ms, () => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")));
    return signal;
  }

  static any(signals) {
    const made = new AbortSignal();
    for (const signal of signals) {
      if (signal.aborted) abort(made, signal.reason);
      else signal.addEventListener("abort", () => abort(made, signal.reason), { once: true });
    }
    return made;
  }
}

export class AbortController {
  signal = new AbortSignal();

  abort(reason) {
    abort(this.signal, reason);
  }
}
