// Everything of one actor.

import { calmly, get } from "./api.js";
import { checkpointsCard } from "./checkpoints.js";
import { card, h, renewCards, sparkline, table } from "./dom.js";
import { logTail } from "./log.js";
import { traceCard } from "./trace.js";
import { bytes, clock, count, lasting, microseconds, rate, share, version } from "./units.js";
import { steer } from "./writing.js";

const EVERY_MS = 2000;

function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function figures({ row, version: said, children }, actor, model) {
  const now = row.figures;
  const link = (pid) => h("a", { href: `#/actor/pid:${pid}` }, model.actors.get(pid)?.title ?? `pid ${pid}`);
  const some = children.slice(0, 50).flatMap((pid) => [link(pid), " "]);
  return facts([
    ["Pid", String(row.pid)],
    ["Kind", row.kind],
    ["Module", row.module && [`${row.module.name} @ `, h("code", {}, version(row.module.digest)), said ? `, which says ${said}` : ""]],
    ["Groups", row.groups.length > 0 ? row.groups.join(", ") : "none"],
    ["Supervisor", row.supervisor ? link(row.supervisor) : null],
    ["Children", children.length > 0 ? [some, children.length > 50 ? `and ${count(children.length - 50)} more` : ""].flat() : null],
    ["Started", now && `${lasting(now.age_ms)} ago`],
    ["Messages", now && [`${count(now.messages)}, now ${rate(actor?.rate ?? 0)} each second`, sparkline(actor?.history ?? [], "Messages each second, the last minute")]],
    ["Calls", now && `${count(now.calls_answered)} answered, ${count(now.calls_failed)} failed, ${count(now.open_calls)} open`],
    ["Processor", now && `${microseconds(now.busy_us)}, now ${share(actor?.share ?? 0)}`],
    ["Memory", now && `${bytes(now.memory_bytes)}${now.resident_bytes === null ? "" : `, ${bytes(now.resident_bytes)} resident`}`],
    ["Waiting", row.waiting !== null && `${count(row.waiting)} messages`],
    ["Failures", now && `${count(now.failures)}, ${count(now.restarts)} restarts in place`],
  ]);
}

function limits(detail) {
  const shown = (key, value) => (key.endsWith("bytes") ? bytes(value) : count(value));
  const rows = detail.limits.map(({ key, used, limit }) => [h("code", {}, key), h("meter", { min: 0, max: limit, high: limit * 0.8, value: used, "aria-label": key }), `${shown(key, used)} of ${shown(key, limit)}`]);
  return table("Limits", [{ title: "Limit" }, { title: "How full" }, { title: "Used", number: true }], rows);
}

function failure({ last_failure: last }) {
  if (!last) return null;
  const trace = last.backtrace.length > 0 ? h("pre", {}, last.backtrace.join("\n")) : null;
  return card("Last failure", h("p", {}, `${clock(last.at_ms)}, in ${last.during}`), h("p", { class: "bad-text" }, last.reason), trace);
}

function reloads({ reloads: all }) {
  if (all.length === 0) return null;
  const rows = all.map((one) => [clock(one.at_ms), h("code", {}, version(one.from)), h("code", {}, version(one.to)), microseconds(one.pause_us), one.failed ?? "well"]);
  return card("Reloads", table("Reloads", [{ title: "When" }, { title: "From" }, { title: "To" }, { title: "Pause", number: true }, { title: "Went" }], rows));
}

/** `target` is a name or `pid:N`. What is made anew by each look is in `parts`, and what people type into or press stands below. */
export function detailView(model, target) {
  // A pid is that of one life. Once the name is known, it is by this that the actor is followed and steered.
  let who = model.find(target)?.name ?? target;
  let ended = false;
  const heading = h("h2", {}, model.find(target)?.title ?? target);
  const parts = h("div", { class: "columns" });
  const problem = h("div", { role: "status" });
  const tail = logTail(who);
  const trace = traceCard(model, who);
  const checkpoints = checkpointsCard(model, who, () => load());
  const actions = ["restart", "start", "stop", "kill"].map((action) =>
    h("button", { type: "button", class: ["stop", "kill"].includes(action) ? "danger" : "", onclick: () => steer(model, action, who, heading.textContent) }, `${action[0].toUpperCase()}${action.slice(1)} …`),
  );
  const load = calmly(async () => {
    try {
      const detail = await get(`actors/${encodeURIComponent(who)}`);
      if (ended) return;
      who = detail.row.name ?? who;
      tail.about(who);
      heading.textContent = detail.row.name ?? `pid ${detail.row.pid}`;
      problem.replaceChildren();
      const actor = model.actors.get(detail.row.pid);
      const grants = detail.grants.length > 0 ? h("ul", {}, detail.grants.map((grant) => h("li", {}, grant))) : h("p", { class: "quiet" }, "It was granted nothing.");
      const cards = [
        card("Figures", figures(detail, actor, model)),
        detail.limits.length > 0 && card("Limits", limits(detail)),
        detail.row.module && card("Granted", grants),
        failure(detail),
        reloads(detail),
      ];
      renewCards(parts, cards.filter(Boolean));
      checkpoints.show(detail.checkpoints, heading.textContent);
      trace.box.hidden = !detail.row.module;
    } catch (error) {
      problem.replaceChildren(h("p", { class: "notice bad" }, error.message));
    }
  });
  load();
  const timer = setInterval(load, EVERY_MS);
  return {
    elements: [
      h("section", { class: "card", "aria-label": "Actor" }, heading, h("div", { class: "toolbar" }, actions), problem),
      parts,
      checkpoints.box,
      trace.box,
      card("Log", tail.box),
    ],
    update(what) {
      if (what === "events") load();
      if (what === "role") trace.role();
    },
    end() {
      ended = true;
      clearInterval(timer);
      tail.end();
      trace.end();
    },
  };
}
