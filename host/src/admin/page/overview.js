// The node at one glance.

import { graph, linkTable, unknownLinks } from "./cluster.js";
import { calmly, get } from "./api.js";
import { card, change, h, renew, sparkline } from "./dom.js";
import { eventItem } from "./timeline.js";
import { bytes, count, lasting, rate, share } from "./units.js";
import { drain, steer } from "./writing.js";

const LATEST = 12;

// The interval at which other nodes are asked for their sessions.
const OTHERS_MS = 5000;

function tile(title, value, note) {
  return h("div", { class: "tile" }, h("dt", {}, title), h("dd", {}, value, note ? h("small", {}, note) : null));
}

function tiles(model) {
  const { node } = model;
  if (!node) return [];
  const waiting = node.waiting;
  return [
    tile("Guests", count(node.guests), node.guests_limit ? `of at most ${count(node.guests_limit)}` : null),
    tile("Messages/s", rate(model.rate()), sparkline(model.throughput, "Messages each second, the last minute")),
    tile("Processor", share(model.cpu.rate / 1e6), `of ${node.workers} threads for actors`),
    tile("Memory", bytes(node.resident_bytes), `guests have ${bytes(node.guests_resident_bytes ?? node.guests_memory_bytes)}`),
    tile("Waiting", count(waiting), "messages for guests"),
    tile("Sessions", count(node.sessions), "with other nodes"),
    tile("Up for", lasting(node.uptime_ms), `version ${node.version}`),
  ];
}

/** See the top of the file. */
export function overviewView(model) {
  const figures = h("dl", { class: "tiles", "aria-label": "Figures of the node" });
  const picture = h("div", {});
  const links = h("div", {});
  const latest = h("ol", { class: "events" });
  const down = h("div", { class: "empty" });
  const unknown = h("div", {});
  let drawn = 0;
  let nodes = [];

  // What other nodes say of their sessions. They are asked as long as somebody looks.
  const others = calmly(async () => {
    try {
      ({ nodes } = await get("cluster"));
      renew(unknown, ...[unknownLinks(nodes)].filter(Boolean));
    } catch {
      // Then its own sessions are all there is to draw.
      nodes = [];
    }
  }, OTHERS_MS);

  // What operators have stopped, and what was given up, is asked for when something happens.
  const trouble = calmly(async () => {
    try {
      const { given_up: givenUp, stopped } = await get("status");
      const rows = [
        ...givenUp.map((actor) => h("p", { class: "notice bad" }, `${actor.actor} was given up by ${actor.supervisor}: ${actor.reason}`)),
        ...stopped.map((actor) => h("p", { class: "notice" }, `${actor.name} was stopped by an operator. `, h("button", { type: "button", onclick: () => steer(model, "start", actor.name) }, `Start ${actor.name}`))),
      ];
      change(down, ...rows);
    } catch {
      // The bar says that the node doesn't answer.
    }
  });

  return {
    elements: [
      down,
      figures,
      h(
        "div",
        { class: "columns" },
        card("Cluster", picture, unknown, links),
        card("Latest events", latest, h("p", {}, h("a", { href: "#/events" }, "All events"))),
      ),
      card("The node", h("p", { class: "quiet" }, "Draining makes the node leave the cluster in order, and end."), h("p", {}, h("button", { type: "button", class: "danger", onclick: () => drain(model) }, "Drain the node …"))),
    ],
    update(what) {
      if (["all", "figures", "actors"].includes(what) && performance.now() - drawn > 500) {
        drawn = performance.now();
        renew(figures, ...tiles(model));
        if (model.node) renew(picture, graph(model, nodes));
        if (model.links.size > 0) others();
        renew(links, linkTable(model));
      }
      if (["all", "events"].includes(what)) {
        const events = model.events.slice(-LATEST).reverse().map(eventItem);
        change(latest, ...(events.length > 0 ? events : [h("li", {}, "Nothing has happened yet.")]));
        trouble();
      }
    },
  };
}
