// The interfaces of the WIT, as a TestNode serves them to one of its actors. Errors are thrown as the bindings of a component throw them.

import { randomBytes } from "node:crypto";

const DEFAULT = "default";
const key = (group, scope) => JSON.stringify([scope ?? DEFAULT, group]);

function messaging(node, actor) {
  return {
    cast: (pid, tag, bytes) => node.cast(actor, pid, tag, bytes),
    call(pid, tag, bytes, timeout) {
      try {
        return node.callAtOnce(actor, pid, tag, bytes, timeout);
      } catch (error) {
        throw error?.tag === "failed" ? "no-reply" : error;
      }
    },
    reply: (number, bytes) => node.answer(actor, number, { tag: "ok", val: bytes }),
    dropCall: (number) => node.answerIfOpen(actor, number, { tag: "err", val: "no-reply" }),
    failCall: (number, reason) => node.answerIfOpen(actor, number, { tag: "err", val: { tag: "failed", val: reason } }),
    isWaiting: (number) => actor.open.has(number),
    metadata: () => null,
    nextCast: () => true,
  };
}

const requests = (node, actor) => ({
  call: (pid, tag, bytes, timeout) => node.callAtOnce(actor, pid, tag, bytes, timeout),
  ask: (pid, tag, bytes, timeout) => node.ask(actor, pid, tag, bytes, timeout),
  cancel: (token) => actor.asked.delete(token),
  // The node looks at what awaits when promises went on.
  pending() {},
});

const timers = (node, actor) => ({
  sendAfter: (pid, tag, bytes, ms) => node.clock.start(actor, ms, () => node.castIfAlive(actor, pid, tag, bytes)),
  sendInterval: (pid, tag, bytes, ms) => node.clock.start(actor, Math.max(1, ms), () => node.castIfAlive(actor, pid, tag, bytes), Math.max(1, ms)),
  stopAfter: (ms) => node.clock.start(actor, ms, () => actor.stop(undefined)),
  wakeAfter(ms) {
    const number = node.clock.start(actor, ms, () => actor.interrupt((instance) => instance.handleWake(number)));
    return number;
  },
  cancel: (timer) => node.clock.cancel(timer),
});

const groups = (node, actor) => ({
  join: (group, scope) => node.join(actor, key(group, scope)),
  leave: (group, scope) => node.leave(actor, key(group, scope)),
  members: (group, scope) => node.members(key(group, scope)),
  localMembers: (group, scope) => node.members(key(group, scope)),
  whichGroups: (scope) => node.groupsOf(scope ?? DEFAULT),
  monitor: (group, scope) => void actor.groupMonitors.add(key(group, scope)),
  demonitor: (group, scope) => void actor.groupMonitors.delete(key(group, scope)),
});

function lifecycle(node, actor) {
  const child = (pid) => [...actor.children].find((one) => one.pid.id === pid.id && one.alive);
  return {
    spawn: (wanted) => node.spawn(actor, wanted),
    children: () => [...actor.children].map((one) => one.pid),
    supervisor: () => actor.parent?.pid ?? null,
    stop: (reason) => actor.stop(reason ?? undefined),
    exit(reason) {
      actor.fail(reason);
      throw new Error(reason);
    },
    stopChild(pid, reason) {
      const found = child(pid);
      found?.stop(reason ?? undefined);
      return found !== undefined;
    },
    killChild(pid) {
      const found = child(pid);
      if (found) node.gone(found, "actor-terminated", "killed");
      return found !== undefined;
    },
    monitor(pid) {
      node.alive(pid);
      actor.monitors.add(pid.id);
    },
    demonitor: (pid) => void actor.monitors.delete(pid.id),
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const registry = (node) => ({
  whereIs: (name) => node.named(name)?.pid ?? null,
  address: (pid) => (node.find(pid) ? encoder.encode(`${pid.id}@${node.name}`) : null),
  resolve(address) {
    const [id, rest] = decoder.decode(address).split(/@(.*)/s);
    return rest === node.name ? (node.find({ id: Number(id) })?.pid ?? null) : null;
  },
});

export function hostOf(node, actor) {
  return {
    config: { value: (name) => actor.config[name] ?? null, entries: () => Object.entries(actor.config).sort(([a], [b]) => (a < b ? -1 : 1)) },
    groups: groups(node, actor),
    identity: { selfPid: () => actor.pid, selfName: () => actor.name ?? null, nodeName: () => node.name },
    lifecycle: lifecycle(node, actor),
    logging: { log: (level, target, message, fields) => node.record(actor, { level, target, message, fields: Object.fromEntries(fields) }) },
    messaging: messaging(node, actor),
    random: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    tracing: { current: () => null },
    registry: registry(node),
    requests: requests(node, actor),
    timers: timers(node, actor),
  };
}
