// The jobs of promises. An export of a component returns at once, and QuickJS runs none of its own jobs then: these are run at the end of
// each export instead.

let waiting = [];
/** Whether there may be anything to do. After most messages there isn't, and a call to find that out takes as long as a handler. */
export const jobs = { any: false };
/** Promises that were rejected with nobody to hear of it, so far. */
let unheard = new Set();

export function enqueue(job) {
  waiting.push(job);
  jobs.any = true;
}

export function rejected(promise) {
  unheard.add(promise);
  jobs.any = true;
}

export function heard(promise) {
  unheard.delete(promise);
}

/** Runs jobs, and those that they set off, until there are none. What a job throws goes to `failed`. */
export function drain(failed) {
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    for (const job of batch) {
      try {
        job();
      } catch (error) {
        failed("a job", error);
      }
    }
  }
  // What is still to come sets it again.
  jobs.any = false;
  if (unheard.size === 0) return;
  const lost = unheard;
  unheard = new Set();
  for (const promise of lost) failed("a promise that nobody awaits", promise.reason);
}
