// The table of all actors.

import { card, h, say, sparkline } from "./dom.js";
import { VirtualTable } from "./rows.js";
import { bytes, count, rate, share, version } from "./units.js";

const COLUMNS = [
  { key: "name", title: "Actor", class: "wide", by: (actor) => actor.order, cell: (actor) => h("a", { href: `#/actor/pid:${actor.pid}` }, actor.title) },
  { key: "pid", title: "Pid", class: "pid", number: true, by: (actor) => actor.pid, cell: (actor) => String(actor.pid) },
  { key: "kind", title: "Kind", by: (actor) => actor.kind, cell: (actor) => actor.kind },
  { key: "module", title: "Module", class: "wide", by: (actor) => actor.module ?? "", cell: (actor) => (actor.module ? `${actor.module} @ ${version(actor.digest)}` : "–") },
  { key: "rate", title: "Msg/s", number: true, by: (actor) => actor.rate, cell: (actor) => rate(actor.rate) },
  { key: "history", title: "Last minute", by: (actor) => Math.max(0, ...actor.history), cell: (actor) => sparkline(actor.history, `Messages each second of ${actor.title}, the last minute`) },
  { key: "share", title: "Processor", number: true, by: (actor) => actor.share, cell: (actor) => share(actor.share) },
  { key: "waiting", title: "Waiting", number: true, by: (actor) => actor.waiting, cell: (actor) => count(actor.waiting) },
  { key: "memory", title: "Memory", number: true, by: (actor) => actor.memory, cell: (actor) => (actor.memory ? bytes(actor.memory) : "–") },
  { key: "restarts", title: "Restarts", number: true, by: (actor) => actor.restarts, cell: (actor) => count(actor.restarts) },
];

// What was asked for stays while somebody looks at something else.
const asked = { text: "", kind: "" };

/** See the top of the file. */
export function actorsView(model) {
  const table = new VirtualTable("Actors", COLUMNS);
  const tally = h("p", { class: "count", role: "status" });
  const update = () => {
    const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    for (const actor of model.actors.values()) {
      if (asked.kind === "" && actor.kind === "local") continue;
      if (asked.kind !== "" && asked.kind !== "all" && actor.kind !== asked.kind) continue;
      if (words.every((word) => actor.text.includes(word))) rows.push(actor);
    }
    table.show(rows);
    say(tally, `${count(rows.length)} of ${count(model.actors.size)} actors`);
  };
  const filter = h("input", { type: "search", value: asked.text, placeholder: "name, module, group or pid", oninput: (event) => { asked.text = event.target.value; update(); } });
  const kinds = [["", "all but the node's own"], ["guest", "guests"], ["native", "native actors"], ["supervisor", "supervisors"], ["all", "all"]];
  const kind = h("select", { onchange: (event) => { asked.kind = event.target.value; update(); } }, kinds.map(([value, title]) => h("option", { value, selected: value === asked.kind }, title)));
  return {
    elements: [card("Actors", h("div", { class: "toolbar" }, h("label", {}, "Filter", filter), h("label", {}, "Kind", kind), tally), table.element)],
    update: (what) => ["all", "figures", "actors"].includes(what) && update(),
  };
}
