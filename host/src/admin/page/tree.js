// Who supervises whom.

import { card, change, h, say } from "./dom.js";
import { count } from "./units.js";

const MOST = 200;

function restarts(actor) {
  return actor?.restarts > 0 ? ` ${count(actor.restarts)} restarts` : "";
}

/** `marks` gets the element that says how often each was restarted. */
function label(actor, marks) {
  const mark = h("span", { class: "warn-text" }, restarts(actor));
  marks.set(actor.pid, mark);
  return [h("a", { href: `#/actor/pid:${actor.pid}` }, actor.title), " ", h("span", { class: "tag" }, actor.module ?? actor.kind), mark];
}

function branch(actor, { children, open, marks }) {
  const below = children.get(actor.pid) ?? [];
  if (below.length === 0) return h("li", {}, label(actor, marks));
  const isOpen = open.has(actor.pid) ? open.get(actor.pid) : below.length <= MOST;
  const more = below.length > MOST ? h("li", { class: "quiet" }, `and ${count(below.length - MOST)} more, which the table of actors lists`) : null;
  const list = h("ul", {}, below.slice(0, MOST).map((child) => branch(child, { children, open, marks })), more);
  const toggled = (event) => open.set(actor.pid, event.target.open);
  // The link stands beside what opens and closes, since one can't be within the other.
  return h("li", {}, label(actor, marks), h("details", { open: isOpen, ontoggle: toggled }, h("summary", {}, `${count(below.length)} below it`), list));
}

/** See the top of the file. */
export function treeView(model) {
  const tree = h("div", { class: "tree" });
  const open = new Map();
  const marks = new Map();
  let shape = "";
  const update = () => {
    const actors = [...model.actors.values()].filter((actor) => actor.kind !== "local").sort((one, other) => (one.order < other.order ? -1 : one.order > other.order ? 1 : one.pid - other.pid));
    for (const [pid, mark] of marks) say(mark, restarts(model.actors.get(pid)));
    // Figures change all the time, and the tree only with its actors.
    const now = actors.map((actor) => `${actor.pid}:${actor.supervisor}:${actor.title}:${actor.module}`).join();
    if (now === shape) return;
    shape = now;
    const known = new Set(actors.map((actor) => actor.pid));
    const children = new Map();
    const roots = [];
    for (const actor of actors) {
      if (!known.has(actor.supervisor)) roots.push(actor);
      else if (children.has(actor.supervisor)) children.get(actor.supervisor).push(actor);
      else children.set(actor.supervisor, [actor]);
    }
    marks.clear();
    change(tree, h("ul", {}, roots.slice(0, MOST).map((root) => branch(root, { children, open, marks }))));
  };
  return {
    elements: [card("Supervision tree", tree)],
    update: (what) => ["all", "figures", "actors"].includes(what) && update(),
  };
}
