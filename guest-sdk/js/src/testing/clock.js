// Time that stands still until a test moves it.

export class Clock {
  now = 0;
  #timers = new Map();
  #last = 0;

  /** Runs something after a number of milliseconds; `period` again and again. Gives a number to cancel it by. */
  start(owner, ms, run, period) {
    const id = ++this.#last;
    this.#timers.set(id, { id, owner, at: this.now + ms, run, period });
    return id;
  }

  cancel(id) {
    return this.#timers.delete(id);
  }

  cancelAll(owner) {
    for (const timer of this.#timers.values()) if (timer.owner === owner) this.#timers.delete(timer.id);
  }

  /** How many timers of an owner are running. */
  count(owner) {
    return [...this.#timers.values()].filter((timer) => timer.owner === owner).length;
  }

  /** Moves to the first timer that is due until then, and runs it. False if there is none: then it is then. */
  step(until) {
    const [first] = [...this.#timers.values()].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.id - b.id);
    if (!first) {
      this.now = until;
      return false;
    }
    this.now = first.at;
    if (first.period) first.at += Math.max(1, first.period);
    else this.#timers.delete(first.id);
    first.run();
    return true;
  }
}
