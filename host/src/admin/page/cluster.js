// The cluster as a graph: this node in the middle, and the nodes that it has sessions with around it.

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

function node([x, y], name, kind) {
  return [svg("circle", { cx: x, cy: y, r: kind === "self" ? 13 : 10, class: kind }), svg("text", { x, y: y + 27 }, name)];
}

/** The graph of these sessions. */
export function graph(model) {
  const links = [...model.links.values()].sort((one, other) => one.name.localeCompare(other.name));
  const shown = links.slice(0, MOST);
  const height = shown.length > 2 ? 340 : 120;
  const places = shown.map((_, at) => place(at, shown.length, height));
  const name = model.node?.name ?? "";
  const more = links.length > MOST ? `and ${count(links.length - MOST)} more, which the table lists` : "";
  const names = shown.map((link) => link.name).join(", ");
  const words = links.length === 0 ? `${name}, alone` : `${name} with sessions to ${names} ${more}`.trim();
  return svg(
    "svg",
    { class: "graph", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `The cluster: ${words}` },
    shown.flatMap((link, at) => edge(link, places[at], height)),
    node([WIDTH / 2, height / 2], name, "self"),
    shown.flatMap((link, at) => node(places[at], link.name, "peer")),
    more && svg("text", { x: WIDTH / 2, y: height - 4, class: "label" }, more),
  );
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
