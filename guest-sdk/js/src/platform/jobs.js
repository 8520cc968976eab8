// The jobs of promises. An export of a component returns at once, and QuickJS runs none of its own jobs then: these are run at the end of
// each export instead.

let jobs = [];
/** Promises that were rejected with nobody to hear of it, so far. */
let unheard = new Set();

export function enqueue(job) {
  jobs.push(job);
}

export function rejected(promise) {
  unheard.add(promise);
}

export function heard(promise) {
  unheard.delete(promise);
}

/** Runs jobs, and those that they set off, until there are none. What a job throws goes to `failed`. */
export function drain(failed) {
  while (jobs.length > 0) {
    const batch = jobs;
    jobs = [];
    for (const job of batch) {
      try {
        job();
      } catch (error) {
        failed("a job", error);
      }
    }
  }
  if (unheard.size === 0) return;
  const lost = unheard;
  unheard = new Set();
  for (const promise of lost) failed("a promise that nobody awaits", promise.reason);
}
