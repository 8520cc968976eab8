// The SDK for actors in JavaScript and TypeScript. types/index.d.ts documents all of it.

export * from "./types/index.js";
export { call, cast, contract } from "./contract.js";
export { implement } from "./implement.js";
export { CallError, CallFailed, MonitorError, SpawnError, TimerError } from "./errors.js";
export { later } from "./runtime/replies.js";
export {
  address, children, config, configEntries, demonitor, demonitorGroup, exit, find, findOrThrow, groups, join, killChild, leave, localMembers,
  log, me, members, metadata, monitor, monitorGroup, ref, resolve, sleep, spawn, stop, stopAfter, stopChild, supervisor,
  traceContext,
} from "./api.js";
