// Puts in place what QuickJS has not. Imported first of all, because a module may use it while it is evaluated.

import { AbortController, AbortSignal, Event, EventTarget } from "./abort.js";
import { structuredClone } from "./clone.js";
import { console } from "./console.js";
import { enqueue } from "./jobs.js";
import { ActorPromise, fromAsync } from "./promise.js";
import { crypto, random } from "./random.js";
import { TextDecoder, TextEncoder } from "./text.js";
import { clearTimeout, setInterval, setTimeout } from "./timers.js";

const put = (on, name, value) => Object.defineProperty(on, name, { value, writable: true, configurable: true, enumerable: false });

const ours = {
  AbortController, AbortSignal, Event, EventTarget, Promise: ActorPromise, TextDecoder, TextEncoder, clearInterval: clearTimeout, clearTimeout, console,
  crypto, self: globalThis, setInterval, setTimeout, structuredClone,
};
for (const [name, value] of Object.entries(ours)) put(globalThis, name, value);
put(globalThis, "queueMicrotask", (job) => {
  if (typeof job !== "function") throw new TypeError("queueMicrotask runs a function");
  enqueue(job);
});
put(Math, "random", random);
put(Array, "fromAsync", fromAsync);
