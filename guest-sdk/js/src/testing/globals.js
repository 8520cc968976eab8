// What actors find in place of Node's own, and nobody else: time, which stands still until a test moves it, and the log.

import { AsyncLocalStorage } from "node:async_hooks";

import { console as actorConsole } from "../platform/console.js";
import * as timers from "../platform/timers.js";
import { provide, runningOrNone } from "../runtime/running.js";

/** The actor whose code runs, also after it awaited something. */
const scope = new AsyncLocalStorage();

provide(() => scope.getStore());

export const within = (instance, run) => scope.run(instance, run);

/** Nobody's: for the node's own work. */
export const outside = (run) => scope.exit(run);

const theirs = { setTimeout, clearTimeout, setInterval, clearInterval: clearTimeout };
const ours = { ...timers, clearInterval: timers.clearTimeout };
for (const [name, original] of Object.entries({ ...theirs, clearInterval })) {
  const both = (...given) => (runningOrNone() ? ours[name] : original)(...given);
  // Node has more on them, like util.promisify's own kind of setTimeout.
  Object.defineProperties(both, Object.getOwnPropertyDescriptors(original));
  globalThis[name] = both;
}

for (const [name, ourOne] of Object.entries(actorConsole)) {
  const original = console[name];
  console[name] = (...given) => (runningOrNone() ? ourOne : original).apply(console, given);
}

const timeout = AbortSignal.timeout;
AbortSignal.timeout = (ms) => {
  const instance = runningOrNone();
  if (!instance) return timeout.call(AbortSignal, ms);
  const controller = new AbortController();
  instance.waits.start(ms, () => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")));
  return controller.signal;
};
