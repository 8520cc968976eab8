// Errors that users throw and catch.

import { TypeMismatch } from "./types/type.js";

/** Why a message was not accepted, or a call got no reply. */
export class CallError extends Error {
  constructor(kind, message) {
    super(message ?? MEANINGS[kind] ?? kind);
    this.kind = kind;
  }

  get name() {
    return "CallError";
  }
}

/** A call that the actor failed, for this reason. Thrown in a handler, it fails the handler's own call with exactly this text. */
export class CallFailed extends CallError {
  constructor(reason) {
    super("failed", reason);
  }

  get name() {
    return "CallFailed";
  }

  get reason() {
    return this.message;
  }
}

const MEANINGS = {
  "unknown-actor": "no such actor: it ended, or its node is gone",
  stopped: "the actor is stopping and accepts no more messages",
  "too-large": "the message, or its reply, is larger than this node's limit (`message_bytes` in node.toml)",
  timeout: "the call got no reply in time",
  "no-reply": "the actor dropped the call without a reply",
  "would-deadlock": "the actor waits, maybe through others, for a reply of this one",
  overloaded: "the actor, or its node, takes messages too slowly",
  denied: "node.toml doesn't let this actor send to that one",
  "too-many": "this actor waits for as many replies as it may",
};

/** Why a child was not started. */
export class SpawnError extends Error {
  constructor(kind, detail) {
    super(detail ? `${SPAWNING[kind] ?? kind}: ${detail}` : (SPAWNING[kind] ?? kind));
    this.kind = kind;
    this.detail = detail;
  }

  get name() {
    return "SpawnError";
  }
}

const SPAWNING = {
  denied: "node.toml doesn't let this actor start actors of that module",
  "unknown-module": "the node has no such module",
  "name-taken": "the name is taken or reserved",
  "too-many": "this actor has as many children as it may",
  failed: "the child didn't come to life",
};

/** Why an actor isn't monitored. */
export class MonitorError extends Error {
  constructor(kind) {
    super(kind === "too-many" ? "this actor monitors as many actors as it may" : MEANINGS[kind] ?? kind);
    this.kind = kind;
  }

  get name() {
    return "MonitorError";
  }
}

/** Why a timer wasn't started. */
export class TimerError extends Error {
  constructor(kind) {
    super(kind === "too-many" ? "this actor has as many timers as it may" : MEANINGS[kind] ?? kind);
    this.kind = kind;
  }

  get name() {
    return "TimerError";
  }
}

/** Errors of the WIT: the name of a case, or a case with its value, as itself or within what the bindings throw. */
function caseOf(thrown) {
  const value = thrown?.payload ?? thrown;
  if (typeof value === "string") return { kind: value };
  if (typeof value?.tag === "string") return { kind: value.tag, detail: value.val };
  return undefined;
}

/** Calls an import, and makes an error of ours of the one that it gives. */
function translate(how, make) {
  try {
    return how();
  } catch (thrown) {
    const found = caseOf(thrown);
    throw found ? make(found) : thrown;
  }
}

/** The error that a `call-error` or a `send-error` is. */
export const callError = ({ kind, detail }) => (kind === "failed" ? new CallFailed(detail ?? "") : new CallError(kind));
export const callErrorOf = (value) => callError(caseOf(value) ?? { kind: String(value) });

export const sending = (how) => translate(how, callError);
export const spawning = (how) => translate(how, ({ kind, detail }) => new SpawnError(kind, detail));
export const monitoring = (how) => translate(how, ({ kind }) => new MonitorError(kind));
export const timing = (how) => translate(how, ({ kind }) => new TimerError(kind));

/** Things that other engines have and QuickJS has not. A ReferenceError names them. */
const MISSING = /'?\b(Intl|URL|URLSearchParams|fetch|XMLHttpRequest|WebSocket|EventSource|Worker|Blob|File|FormData|Headers|Request|Response|process|Buffer|require|module|__dirname|__filename|global|window|document|navigator|localStorage|indexedDB|ReadableStream|WritableStream|TransformStream|CompressionStream|BroadcastChannel|MessageChannel|WebAssembly|setImmediate)'? is not defined/;

const OUT_OF_MEMORY = /^out of memory/;

/** What an error doesn't say of itself, and its reader needs. */
function hint(error) {
  const missing = error instanceof ReferenceError && MISSING.exec(error.message);
  if (missing) return ` (actors run in QuickJS, which has no ${missing[1]})`;
  if (error.name === "InternalError" && OUT_OF_MEMORY.test(error.message)) return " (the limit is `memory_bytes` in node.toml)";
  return "";
}

/** Errors whose kind says nothing that their text doesn't. */
const isPlain = (error) => error.name === "Error" || error instanceof CallFailed || error instanceof TypeMismatch;

/** What an error says, in one line or as many as its author wrote. */
export function textOf(error) {
  if (!(error instanceof Error)) return typeof error === "string" ? error : `thrown: ${String(error)}`;
  const text = isPlain(error) ? error.message || error.name : `${error.name}: ${error.message}`;
  return text + hint(error);
}
