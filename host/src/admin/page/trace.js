// What passes one actor: a trace within bounds that are set before it begins, which ends by itself.

import { end, get, post } from "./api.js";
import { card, h, say } from "./dom.js";
import { bytes, count, microseconds } from "./units.js";

const MOST_ROWS = 500;
const MOST_CHARACTERS = 300;
const WAIT_MS = 20000;

/** What has passed, and what stands before the other side. */
const EVENTS = {
  "cast-in": ["got cast", "from"],
  "call-in": ["got call", "from"],
  handled: ["handled", ""],
  "reply-out": ["replied", "to"],
  "cast-out": ["sent cast", "to"],
  "call-out": ["sent call", "to"],
  "reply-in": ["got reply", "from"],
};

const ENDS = { time: "its time is over", count: "it has seen as many events as it was to", unread: "nobody has read it for a while", stopped: "somebody has ended it" };

const COLUMNS = ["Time", "Event", "Message", "Values", "Size", "Other side", "After"];

function short(text) {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

/** The time of the day by the node's clock, to the microsecond, in the time zone of whoever looks. */
function time(at) {
  return `${new Date(at / 1000).toTimeString().slice(0, 8)}.${String(at % 1e6).padStart(6, "0")}`;
}

function values({ event, values: said, failed }) {
  if (failed) return h("span", { class: "bad-text" }, `failed: ${failed}`);
  if (said === null || said === undefined) return "";
  const isMessage = ["cast-in", "call-in", "cast-out", "call-out"].includes(event);
  const text = isMessage && Array.isArray(said) ? said.map((one) => JSON.stringify(one)).join(", ") : JSON.stringify(said);
  return h("code", {}, short(text));
}

function row(event) {
  const [what, side] = EVENTS[event.event] ?? [event.event, ""];
  const cells = [
    time(event.at_us),
    event.call === null ? what : `${what} #${event.call}`,
    h("code", {}, event.message),
    values(event),
    event.event === "handled" ? "" : bytes(event.bytes),
    event.peer ? `${side} ${event.peer}` : "",
    event.took_us === null ? "" : microseconds(event.took_us),
  ];
  return h("tr", {}, cells.map((cell) => h("td", {}, cell)));
}

function bound(title, value, most) {
  const input = h("input", { type: "number", min: 1, max: most, value, required: true });
  return { input, label: h("label", {}, title, input) };
}

/** Ends a trace at the node, and says so. */
async function stopAt(begun) {
  if (!begun) return "Stopped.";
  try {
    await end(`traces/${begun.trace}`);
    return "Stopped. The trace has ended at the node, too.";
  } catch (error) {
    return `Stopped. The node ends a trace that nobody reads within ten seconds; it said: ${error.message}`;
  }
}

/** A card that traces `target`. The trace goes on until its end, `Stop`, or `end`. */
export function traceCard(model, target) {
  const message = h("input", { spellcheck: "false", autocomplete: "off", placeholder: "all" });
  const rate = bound("Events each second, at most", 100, 1000);
  const most = bound("Events, at most", 1000, 100000);
  const seconds = bound("Seconds, at most", 60, 600);
  const withValues = h("input", { type: "checkbox" });
  const hint = h("p", { class: "quiet" }, "What is in the messages may be secret, so it takes the role operate. The button at the top takes its token.");
  const begin = h("button", { type: "submit", class: "primary" }, "Begin to trace");
  const stop = h("button", { type: "button", disabled: true, onclick: () => stopped.abort() }, "Stop");
  const state = h("p", { role: "status" });
  const seen = h("p", { class: "quiet" });
  const body = h("tbody", {});
  const heads = h("tr", {}, COLUMNS.map((title) => h("th", { scope: "col" }, title)));
  const table = h("table", { "aria-label": `Trace of ${target}` }, h("thead", {}, heads), body);
  const shown = h("div", { class: "scroll trace-rows", tabindex: "0", role: "region", "aria-label": "Messages that have passed", hidden: true }, table);
  let stopped = new AbortController();

  const tell = (words, kind = "") => {
    state.className = kind && `notice ${kind}`;
    say(state, words);
  };
  const add = (events) => {
    const atEnd = shown.scrollHeight - shown.scrollTop - shown.clientHeight < 40;
    body.append(...events.slice(-MOST_ROWS).map(row));
    while (body.childElementCount > MOST_ROWS) body.firstChild.remove();
    if (atEnd) shown.scrollTop = shown.scrollHeight;
  };
  const read = async (trace, isWithValues, signal) => {
    let next = 0;
    let lost = 0;
    let number = 0;
    for (;;) {
      const page = await get(`traces/${trace}?${new URLSearchParams({ next, values: isWithValues, wait_ms: WAIT_MS })}`, signal);
      add(page.events);
      next = page.next;
      lost += page.lost;
      number += page.events.length;
      const gone = lost > 0 ? `, ${count(lost)} were lost: they came faster than they were read` : "";
      const left = page.left_out > 0 ? `, ${count(page.left_out)} were left out: they were too many in one second` : "";
      say(seen, `${count(number)} events${left}${gone}${number > MOST_ROWS ? `; the last ${MOST_ROWS} are here` : ""}.`);
      if (page.ended) return page.ended;
    }
  };
  const trace = async (event) => {
    event.preventDefault();
    stopped.abort();
    const { signal } = (stopped = new AbortController());
    const isWithValues = withValues.checked && model.may("operate");
    const wanted = { target, values: isWithValues, each_second: Number(rate.input.value), most: Number(most.input.value), for_ms: Number(seconds.input.value) * 1000 };
    if (message.value.trim()) wanted.message = message.value.trim();
    begin.disabled = true;
    stop.disabled = false;
    let begun;
    try {
      begun = await post("traces", wanted);
      body.replaceChildren();
      say(seen, "No events yet.");
      shown.hidden = false;
      const who = begun.actors.length > 0 ? begun.actors.join(", ") : `${target}, which is not there at present,`;
      tell(`Tracing ${who} for ${begun.for_ms / 1000} s: up to ${count(begun.most)} events, ${count(begun.each_second)} each second.`, "good");
      tell(`The trace has ended: ${ENDS[await read(begun.trace, isWithValues, signal)]}.`);
    } catch (error) {
      if (signal.aborted) tell(await stopAt(begun));
      else tell(error.message, "bad");
    }
    begin.disabled = false;
    stop.disabled = true;
  };
  const role = () => {
    withValues.disabled = !model.may("operate");
    hint.hidden = model.may("operate");
  };
  role();
  const form = h(
    "form",
    { class: "toolbar", onsubmit: trace },
    h("label", {}, "Only messages named", message),
    rate.label,
    most.label,
    seconds.label,
    h("label", { class: "check" }, withValues, "With what is in them"),
    begin,
    stop,
  );
  return {
    box: card("Trace", form, hint, state, seen, shown),
    role,
    end: () => stopped.abort(),
  };
}
