// Replies that come later than their handler returns.

import { TypeMismatch } from "../types/type.js";
import { textOf } from "../errors.js";
import { host } from "./running.js";

/** A call that waits for its answer. */
export class Reply {
  #open = true;

  constructor(number, type) {
    this.number = number;
    this.type = type;
  }

  /** False once it was answered, or the caller is known to have given up. */
  get waiting() {
    return this.#open && host().messaging.isWaiting(this.number);
  }

  /** Answers. False if the caller has given up. */
  send(value) {
    this.#close();
    let bytes;
    try {
      bytes = this.type.encode(value);
    } catch (error) {
      host().messaging.failCall(this.number, `the reply: ${textOf(error)}`);
      throw new TypeMismatch(`the reply: ${error.message}`);
    }
    return deliver(this.number, bytes);
  }

  /** Fails the call for a reason that the caller hears. */
  fail(reason) {
    this.#close();
    host().messaging.failCall(this.number, textOf(reason));
  }

  /** Leaves the call without an answer: its caller gets `no-reply` at once. */
  drop() {
    this.#close();
    host().messaging.dropCall(this.number);
  }

  #close() {
    if (!this.#open) throw new Error("the call was answered before");
    this.#open = false;
  }
}

/** Answers a call. A reply that is too large fails the call, which would wait for its timeout otherwise. */
export function deliver(number, bytes) {
  const { messaging } = host();
  try {
    messaging.reply(number, bytes);
    return true;
  } catch (thrown) {
    if ((thrown?.payload ?? thrown) !== "too-large") return false;
    messaging.failCall(number, `the reply of ${bytes.length} bytes is larger than its node's limit`);
    return false;
  }
}

/** What a handler returns that answers later. */
export class Later {
  constructor(take) {
    this.take = take;
  }
}

/** Answers later: `take` gets the reply and keeps it. */
export function later(take) {
  return new Later(take);
}
