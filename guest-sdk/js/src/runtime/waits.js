// What an actor waits for without standing still: replies and timers.

import { sending, timing } from "../errors.js";

export class Waits {
  constructor(instance) {
    this.instance = instance;
    /** By the number of the call. */
    this.asked = new Map();
    /** By the number that the host gave. */
    this.wakes = new Map();
    /** Timers by the number that setTimeout or setInterval gave. */
    this.timers = new Map();
    this.lastTimer = 0;
  }

  /** A call whose reply comes later. `decode` makes the reply of its bytes. */
  ask(pid, tag, bytes, decode, { timeout, signal } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const { requests } = this.instance.host;
      const token = sending(() => requests.ask(pid, tag, bytes, timeout ?? null));
      const aborted = () => {
        if (!this.asked.delete(token)) return;
        requests.cancel(token);
        reject(signal.reason);
      };
      signal?.addEventListener("abort", aborted);
      this.asked.set(token, (take) => {
        signal?.removeEventListener("abort", aborted);
        try {
          resolve(decode(take()));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  replied(token, take) {
    const told = this.asked.get(token);
    this.asked.delete(token);
    told?.(take);
  }

  /** A number under which `run` is called after some time, once or again and again. */
  start(ms, run, again) {
    // As in other engines: what is no number of milliseconds is none to wait for.
    const delay = Number.isFinite(Number(ms)) ? Math.max(again ? 1 : 0, Math.ceil(Number(ms))) : again ? 1 : 0;
    const timer = { id: ++this.lastTimer, delay, run, again, wake: undefined };
    this.arm(timer);
    this.timers.set(timer.id, timer);
    return timer.id;
  }

  arm(timer) {
    timer.wake = timing(() => this.instance.host.timers.wakeAfter(timer.delay));
    this.wakes.set(timer.wake, timer);
  }

  stop(id) {
    const timer = this.timers.get(id);
    if (!timer) return;
    this.timers.delete(id);
    this.wakes.delete(timer.wake);
    this.instance.host.timers.cancel(timer.wake);
  }

  woke(wake) {
    const timer = this.wakes.get(wake);
    this.wakes.delete(wake);
    // None: it was set before the code was replaced, or ended at the same time.
    if (!timer) return;
    if (timer.again) this.arm(timer);
    else this.timers.delete(timer.id);
    try {
      timer.run();
    } catch (error) {
      this.instance.failUnasked("a timer", error);
    }
  }
}

