// Makes a program the exports of a component. What the build generates calls it.

import { Program } from "./implement.js";
import { drain } from "./platform/jobs.js";
import { setLines } from "./platform/stacks.js";
import { Instance } from "./runtime/instance.js";
import { provide } from "./runtime/running.js";

export { setLines };

export function component(program, host) {
  if (!(program instanceof Program)) {
    throw new TypeError("the module exports no actor: write `export default implement(…)`");
  }
  const instance = new Instance(program, host, () => drain(failed));
  const failed = (what, error) => instance.failUnasked(what, error);
  let awake = false;
  // While the component is built there is no node to ask.
  provide(() => (awake ? instance : undefined));
  const run = (what) => (...given) => {
    awake = true;
    return what(...given);
  };
  return {
    actor: {
      describe: () => instance.describeBefore(),
      preStart: run((bytes) => instance.preStart(bytes)),
      postStart: run(() => instance.hook("postStart")),
      handleCast: run((tag, bytes) => instance.handleCast(tag, bytes)),
      handleCall: run((tag, bytes, number) => instance.handleCallBefore(tag, bytes, number)),
      handleSupervisorEvt: run((event) => instance.handleEvent(event)),
      postStop: run(() => instance.postStop()),
    },
    calls: { handleCall: run((tag, bytes, number) => instance.handleCall(tag, bytes, number)) },
    replies: {
      handleReply: run((token, outcome) => instance.handleReply(token, outcome)),
      handleWake: run((timer) => instance.handleWake(timer)),
    },
    batch: { handleCasts: run((bytes, casts) => instance.handleCasts(bytes, casts)) },
    reload: {
      snapshot: run(() => instance.snapshot()),
      restore: run((bytes, from) => instance.restore(bytes, from)),
      postReload: run(() => instance.postReload()),
    },
    contract: { describe: () => instance.describe() },
  };
}
