// The log: its last lines, and those to come.

import { get } from "./api.js";
import { card, h } from "./dom.js";
import { changeLogging } from "./writing.js";

const MOST = 2000;
const LAST = 200;
const WAIT_MS = 20000;
const PAUSE_MS = 2000;

/** The lines about `target`, or all of them. It goes on until `end` is called. */
export function logTail(target, tall = false) {
  const box = h("div", { class: tall ? "log tall mono" : "log mono", tabindex: "0", role: "log", "aria-label": target ? `Log of ${target}` : "Log of the node" });
  let stopped = new AbortController();
  let level = "";

  const add = (lines, lost) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    if (lost > 0) box.append(h("div", { class: "warn" }, `(${lost} lines were lost)`));
    box.append(...lines.map((line) => h("div", { class: line.level }, line.text)));
    while (box.childElementCount > MOST) box.firstChild.remove();
    if (atEnd) box.scrollTop = box.scrollHeight;
  };
  const divide = (text) => add([{ level: "quiet", text: `— ${text} —` }], 0);
  const read = async (signal) => {
    let next = null;
    let failed = null;
    while (!signal.aborted) {
      const asked = new URLSearchParams(next === null ? { last: LAST } : { next, wait_ms: WAIT_MS });
      if (target) asked.set("target", target);
      if (level) asked.set("level", level);
      try {
        const page = await get(`logs?${asked}`, signal);
        if (next !== null && page.next < next) {
          // The numbers are of another life of the node, and its first lines are below this one.
          next = null;
          divide("the node has started anew");
          continue;
        }
        if (failed !== null) divide(`the node answers again; its last ${LAST} lines`);
        failed = null;
        add(page.lines, page.lost);
        next = page.next;
      } catch (error) {
        if (signal.aborted) return;
        if (error.message !== failed) add([{ level: "warn", text: `(${error.message})` }], 0);
        failed = error.message;
        next = null;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  };
  const begin = () => {
    stopped.abort();
    stopped = new AbortController();
    box.replaceChildren();
    read(stopped.signal);
  };
  begin();
  return {
    box,
    end: () => stopped.abort(),
    /** Goes on with the lines about this one, which may be known by another name. */
    about: (other) => {
      if (other === target) return;
      target = other;
      begin();
    },
    select: (value) => {
      level = value;
      begin();
    },
  };
}

/** The log of the whole node. */
export function logView(model) {
  const tail = logTail(null, true);
  const levels = [["", "all that is logged"], ["error", "errors"], ["warn", "warnings and errors"], ["info", "info and above"]];
  const select = h("select", { onchange: (event) => tail.select(event.target.value) }, levels.map(([value, title]) => h("option", { value }, title)));
  const directive = h("input", { value: "info", required: true, spellcheck: "false" });
  const minutes = h("input", { type: "number", min: 0, max: 43200, value: 10 });
  const change = (event) => {
    event.preventDefault();
    changeLogging(model, directive.value.trim(), Number(minutes.value));
  };
  get("loglevels").then((levels) => { directive.value = levels.directive; }, () => {});
  const form = h(
    "form",
    { class: "toolbar", onsubmit: change },
    h("label", {}, "Log from now on", directive),
    h("label", {}, "for minutes (0: for good)", minutes),
    h("button", { type: "submit" }, "Change …"),
  );
  return {
    elements: [card("Log", h("div", { class: "toolbar" }, h("label", {}, "Lines", select), form), tail.box)],
    end: tail.end,
  };
}
