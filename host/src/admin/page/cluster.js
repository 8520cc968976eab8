// The cluster as a graph: this node in the middle, and the nodes that it has sessions with around it, and what these have with each other.

import { h, svg, table } from "./dom.js";
import { bytes, count, microseconds, rate } from "./units.js";

const MOST = 40;
const WIDTH = 720;

/** Where a node stands, around a middle at half of the height. One or two are on a line with it. */
function place(at, of, height) {
  const angle = (at / of) * 2 * Math.PI - (of > 2 ? Math.PI / 2 : 0);
  return [WIDTH / 2 + Math.cos(angle) * (WIDTH / 2 - 90), height / 2 + Math.sin(angle) * (height / 2 - 45)];
}

function messages(link) {
  return link.rates.sent_messages + link.rates.received_messages;
}

function edge(link, [x, y], height) {
  const busy = messages(link);
  const width = 1 + Math.min(6, Math.log10(1 + busy) * 1.5);
  const [middleX, middleY] = [WIDTH / 2 + (x - WIDTH / 2) * 0.55, height / 2 + (y - height / 2) * 0.55];
  return [
    svg("line", { x1: WIDTH / 2, y1: height / 2, x2: x, y2: y, "stroke-width": width.toFixed(1), class: busy > 0 ? "busy" : "" }),
    svg("text", { x: middleX, y: middleY - 5, class: "label" }, `${microseconds(link.round_trip_us)} · ${rate(busy)} msg/s`),
  ];
}

/** A link between two others, around the middle: a straight line between opposite ones would pass through this node. */
function farEdge([fromX, fromY], [toX, toY], height, words) {
  const [x, y] = [(fromX + toX) / 2, (fromY + toY) / 2];
  const isThroughMiddle = Math.hypot(x - WIDTH / 2, y - height / 2) < 40;
  const bend = isThroughMiddle ? [x, y + height * 0.35] : [x + (x - WIDTH / 2) * 0.25, y + (y - height / 2) * 0.25];
  return svg("path", { d: `M ${fromX} ${fromY} Q ${bend[0]} ${bend[1]} ${toX} ${toY}`, class: "far" }, svg("title", {}, words));
}

function node([x, y], name, kind) {
  return [svg("circle", { cx: x, cy: y, r: kind === "self" ? 13 : 10, class: kind }), svg("text", { x, y: y + 27 }, name)];
}

/** The links that don't end at this node, each once: `[name, name, microseconds]`. */
function farLinks(nodes, own) {
  const far = new Map();
  for (const { node: from, links } of nodes) {
    for (const { name: to, round_trip_us: pinged } of links) {
      if (from === own || to === own || from === to) continue;
      const [one, other] = [from, to].sort();
      const key = `${one} ${other}`;
      if (!far.has(key) || far.get(key)[2] === null) far.set(key, [one, other, pinged]);
    }
  }
  return [...far.values()];
}

/** The graph of these sessions, and of `nodes`: what the other nodes say of theirs. */
export function graph(model, nodes = []) {
  const links = [...model.links.values()].sort((one, other) => one.name.localeCompare(other.name));
  const name = model.node?.name ?? "";
  const far = farLinks(nodes, name);
  const near = new Map(links.map((link) => [link.name, link]));
  // Nodes that only others have sessions with come last.
  const beyond = far.flatMap(([one, other]) => [one, other]).filter((peer) => !near.has(peer)).sort();
  const all = [...new Set([...near.keys(), ...beyond])];
  const shown = all.slice(0, MOST);
  const height = shown.length > 2 ? 340 : 120;
  const places = new Map(shown.map((peer, at) => [peer, place(at, shown.length, height)]));
  const more = all.length > MOST ? `and ${count(all.length - MOST)} more` : "";
  const drawn = far.filter(([one, other]) => places.has(one) && places.has(other));
  const between = drawn.map(([one, other]) => `${one} and ${other}`).join(", ");
  const words = [
    links.length === 0 ? `${name}, alone` : `${name} with sessions to ${[...near.keys()].slice(0, MOST).join(", ")} ${more}`.trim(),
    drawn.length > 0 && `sessions between ${between}`,
  ];
  return svg(
    "svg",
    { class: "graph", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `The cluster: ${words.filter(Boolean).join("; ")}` },
    drawn.map(([one, other, pinged]) => farEdge(places.get(one), places.get(other), height, `${one} and ${other}: ${microseconds(pinged)}`)),
    shown.filter((peer) => near.has(peer)).flatMap((peer) => edge(near.get(peer), places.get(peer), height)),
    node([WIDTH / 2, height / 2], name, "self"),
    shown.flatMap((peer) => node(places.get(peer), peer, near.has(peer) ? "peer" : "peer far-node")),
    more && svg("text", { x: WIDTH / 2, y: height - 4, class: "label" }, more),
  );
}

/** The nodes whose links aren't known, and why. */
export function unknownLinks(nodes) {
  const unknown = nodes.filter((node) => node.unknown);
  if (unknown.length === 0) return null;
  return h("p", { class: "quiet" }, `Not known are the sessions of ${unknown.map((node) => `${node.node} (${node.unknown})`).join(", ")}.`);
}

/** The same in figures. */
export function linkTable(model) {
  const links = [...model.links.values()].sort((one, other) => one.name.localeCompare(other.name));
  if (links.length === 0) return h("p", { class: "quiet" }, "There are no sessions with other nodes.");
  const columns = [
    { title: "Node" },
    { title: "Ping", number: true },
    { title: "Sent/s", number: true },
    { title: "Received/s", number: true },
    { title: "Outbox", number: true },
    { title: "Dead letters", number: true },
  ];
  const each = (messages, size) => `${rate(messages)} · ${bytes(size)}`;
  const rows = links.map((link) => [
    [link.name, h("div", { class: "quiet" }, `${link.address}, ${link.version === "stock" ? "ractor_cluster" : link.version}`)],
    microseconds(link.round_trip_us),
    each(link.rates.sent_messages, link.rates.sent_bytes),
    each(link.rates.received_messages, link.rates.received_bytes),
    bytes(link.outbox_bytes),
    String(link.dead_letters),
  ]);
  return table("Sessions with other nodes", columns, rows);
}
