// News of other actors and of groups, as an actor's `event` gets it.

const subject = ({ pid, name }) => ({ pid, name: name ?? undefined });

export function eventOf({ tag, val }) {
  switch (tag) {
    case "actor-started":
      return { kind: "started", actor: subject(val) };
    case "actor-terminated":
      return { kind: "terminated", actor: subject(val.actor), reason: val.reason ?? undefined };
    case "actor-failed":
      return { kind: "failed", actor: subject(val.actor), reason: val.reason ?? undefined };
    default:
      return { kind: "group", group: val.group, scope: val.scope ?? undefined, change: val.change, actors: val.actors };
  }
}
