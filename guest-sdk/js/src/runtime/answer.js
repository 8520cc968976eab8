// What becomes of a call.

import { CallFailed, textOf } from "../errors.js";
import { withStack } from "../platform/stacks.js";
import { TypeMismatch } from "../types/type.js";
import { Later, Reply, deliver } from "./replies.js";

/** The bytes of a reply. */
export function encodeReply({ tag, reply }, value) {
  try {
    return reply.encode(value);
  } catch (error) {
    throw new TypeMismatch(`the reply of ${tag}: ${error.message}`);
  }
}

/** What becomes of a call, within its `handle-call` or after it. */
export class Answer {
  constructor(instance, found, number) {
    this.instance = instance;
    this.found = found;
    this.number = number;
    this.given = undefined;
    /** `handle-call` has returned. */
    this.left = false;
  }

  give(value) {
    if (value instanceof Later) return this.giveLater(value);
    let bytes;
    try {
      bytes = encodeReply(this.found, value);
    } catch (error) {
      return this.failed(error);
    }
    if (this.left) deliver(this.number, bytes);
    else this.given = { tag: "reply", val: bytes };
    return this;
  }

  giveLater(later) {
    try {
      later.take(new Reply(this.number, this.found.reply));
      this.given = { tag: "later" };
    } catch (error) {
      this.failed(error);
    }
    return this;
  }

  /** The handler threw, or its reply can't be written. Its author's own refusals need no stack in the log. */
  failed(error) {
    if (!(error instanceof CallFailed)) this.instance.log("error", `${this.found.tag}: ${withStack(error)}`);
    const reason = textOf(error);
    if (this.left) this.instance.host.messaging.failCall(this.number, reason);
    else this.given = { tag: "failed", val: reason };
    return this;
  }

  outcome() {
    this.left = true;
    return this.given ?? { tag: "later" };
  }
}
