// `setTimeout` and its kin, on timers of the node. They end when the code is replaced: `ref.$after` gives timers that don't.

import { running } from "../runtime/running.js";

const callable = (run, what) => {
  if (typeof run !== "function") throw new TypeError(`${what} runs a function`);
};

export function setTimeout(run, ms = 0, ...given) {
  callable(run, "setTimeout");
  return running().waits.start(ms, () => settled(run(...given)), false);
}

export function setInterval(run, ms = 0, ...given) {
  callable(run, "setInterval");
  return running().waits.start(ms, () => settled(run(...given)), true);
}

/** A function that is asynchronous has nobody who awaits it. */
function settled(value) {
  if (typeof value?.then === "function") value.then(undefined, (error) => running().failUnasked("a timer", error));
}

export function clearTimeout(id) {
  running().waits.stop(id);
}
