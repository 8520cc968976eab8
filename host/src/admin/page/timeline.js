// What happened on the node: restarts, reloads, nodes that came and went.

import { card, change, h, say } from "./dom.js";
import { clock, count, version } from "./units.js";

const WORDS = {
  "node-up": ["node", "good-text", (event) => `The node came up with ${count(event.actors)} actors`],
  "node-leaves": ["node", "warn-text", () => "The node begins to stop"],
  "actor-started": ["start", "good-text", (event) => `${event.actor} started`],
  "actor-ended": ["end", "", (event) => `${event.actor} ended: ${event.reason}`],
  "actor-failed": ["failure", "bad-text", (event) => `${event.actor} failed: ${event.reason}`],
  "actor-restarted": ["restart", "warn-text", (event) => `${event.actor} goes on afresh: ${event.reason}`],
  "child-events-left-out": ["left out", "", (event) => `${event.events} more events of children were left out, most of them of ${event.families.join(", ")}`],
  "actor-given-up": ["given up", "bad-text", (event) => `${event.actor} was given up by ${event.supervisor}: ${event.reason}`],
  "module-reloaded": ["reload", "", (event) => reloaded(event, "reload")],
  "module-rolled-back": ["rollback", "", (event) => reloaded(event, "way back")],
  "reload-refused": ["reload", "bad-text", (event) => `${event.module} was not reloaded: ${event.reason}`],
  "session-up": ["node up", "good-text", (event) => `Session with ${event.peer}`],
  "session-down": ["node down", "bad-text", (event) => `Session with ${event.peer} is over: ${event.reason}`],
};

function reloaded(event, what) {
  const failed = event.failed > 0 ? `, ${count(event.failed)} failed: ${event.reason}` : "";
  return `${event.module}: ${what} from ${version(event.from)} to ${version(event.to)} ended ${event.verdict}, ${count(event.actors)} actors${failed}`;
}

/** An event as an item of a list. */
export function eventItem(event) {
  const [kind, tone, words] = WORDS[event.event] ?? [event.event, "", () => ""];
  const at = new Date(event.at_ms);
  const who = event.pid ? h("a", { href: `#/actor/pid:${event.pid}` }, `show ${event.actor}`) : null;
  return h("li", { "data-event": event.event }, h("time", { datetime: at.toISOString() }, clock(event.at_ms)), h("span", { class: tone }, kind), h("span", { class: "what" }, words(event), who && " · ", who));
}

const KINDS = [
  ["", "everything"],
  ["actor-restarted actor-failed actor-given-up actor-started actor-ended child-events-left-out", "actors"],
  ["module-reloaded module-rolled-back reload-refused", "reloads"],
  ["session-up session-down node-up node-leaves", "nodes"],
];

/** See the top of the file. */
export function eventsView(model) {
  const list = h("ol", { class: "events" });
  const tally = h("p", { class: "count", role: "status" });
  let kinds = "";
  const update = () => {
    const events = model.events.filter((event) => kinds === "" || kinds.split(" ").includes(event.event));
    change(list, ...events.slice(-500).reverse().map(eventItem));
    say(tally, `${count(events.length)} events`);
  };
  const select = h("select", { onchange: (event) => { kinds = event.target.value; update(); } }, KINDS.map(([value, title]) => h("option", { value }, title)));
  return {
    elements: [card("Events", h("div", { class: "toolbar" }, h("label", {}, "Show", select), tally), list)],
    update: (what) => ["all", "events"].includes(what) && update(),
  };
}
