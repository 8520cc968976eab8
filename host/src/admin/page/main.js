// The page: which view is shown, and the connection to the node.

import { Refused, Silent, follow, get } from "./api.js";
import { say } from "./dom.js";
import { Model } from "./model.js";
import { actorsView } from "./actors.js";
import { detailView } from "./detail.js";
import { logView } from "./log.js";
import { modulesView } from "./modules.js";
import { overviewView } from "./overview.js";
import { eventsView } from "./timeline.js";
import { treeView } from "./tree.js";
import { askForToken } from "./writing.js";

const RETRY = [500, 1000, 2000, 5000];
const THEME = "ractor-host.theme";

const model = new Model();
const content = document.getElementById("content");
let view = null;

const VIEWS = [
  [/^#\/actors$/, "Actors", actorsView],
  [/^#\/actor\/(.+)$/, "Actors", detailView],
  [/^#\/tree$/, "Tree", treeView],
  [/^#\/modules$/, "Modules", modulesView],
  [/^#\/events$/, "Events", eventsView],
  [/^#\/log$/, "Log", logView],
  [/^/, "Overview", overviewView],
];

let titled = "";
function entitle() {
  const words = `${titled} – ${model.node?.name ?? "ractor-host"}`;
  if (document.title !== words) document.title = words;
}

/** What an address means; one that is cut off in the middle of a character, what it says. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function show() {
  view?.end?.();
  const hash = location.hash || "#/";
  const [pattern, title, make] = VIEWS.find(([candidate]) => candidate.test(hash));
  view = make(model, decoded(hash.match(pattern)[1] ?? ""));
  content.replaceChildren(...view.elements);
  titled = title;
  entitle();
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.textContent === title) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  view.update?.("all");
}

// What comes within one frame is drawn at once.
const pending = new Set();
function draw(what) {
  if (pending.size === 0) {
    requestAnimationFrame(() => {
      const all = [...pending];
      pending.clear();
      bar();
      for (const one of all) view?.update?.(one);
    });
  }
  pending.add(what);
}

function bar() {
  const state = document.getElementById("state");
  const { connection, node } = model;
  const words = connection !== "live" ? connection : node.ready ? "ready" : "not ready";
  say(state, model.reason ? `${words}: ${model.reason}` : words);
  state.className = `badge ${connection === "live" ? (node.ready ? "good" : "bad") : connection === "connecting" ? "" : "bad"}`;
  say(document.getElementById("node-name"), node?.name ?? "");
  entitle();
  say(document.getElementById("token-button"), model.role ? `Token: ${model.role}` : "Token: none");
}

/** Asks for what has happened until now. What the stream tells of meanwhile comes behind it, so that nothing is missing between the two. */
function catchUp(signal) {
  let early = [];
  const done = (events) => {
    if (events) model.history(events);
    model.happened(early);
    early = null;
  };
  get("events?last=500", signal).then((page) => done(page.events), () => done(null));
  return (event) => (early ? early.push(event) : model.happened([event]));
}

async function read() {
  let failures = 0;
  for (;;) {
    const stopped = new AbortController();
    restart = () => stopped.abort();
    try {
      model.role = (await get("role", stopped.signal)).role;
      model.changed("role");
      let happened = null;
      await follow("stream", stopped.signal, (event, data) => {
        failures = 0;
        if (event === "snapshot") {
          model.snapshot(data);
          happened ??= catchUp(stopped.signal);
        } else if (event === "update") model.update(data);
        else if (event === "happened") (happened ??= catchUp(stopped.signal))(data);
        else if (event === "end") model.connected("disconnected", data.reason);
      });
      if (model.connection === "live") model.connected("disconnected");
    } catch (error) {
      if (stopped.signal.aborted) continue;
      if (error instanceof Refused && [401, 403].includes(error.status)) {
        model.connected("no access", "a token is needed");
        // Whoever has none now isn't asked again and again: the button in the bar is there.
        if (!(await askForToken(model, "Looking at this node takes a token of the role observe."))) await new Promise((resolve) => { restart = resolve; });
        continue;
      }
      const isSaid = error instanceof Refused || error instanceof Silent;
      model.connected("disconnected", isSaid ? error.message : "the node does not answer");
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY[Math.min(failures, RETRY.length - 1)]));
    failures += 1;
  }
}

/** Begins anew, with another token. */
let restart = () => {};

function theme() {
  const select = document.getElementById("theme");
  const apply = (value) => {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
  };
  select.value = sessionStorage.getItem(THEME) ?? "";
  apply(select.value);
  select.addEventListener("change", () => {
    sessionStorage.setItem(THEME, select.value);
    apply(select.value);
  });
}

theme();
model.addEventListener("change", (event) => draw(event.detail));
document.getElementById("token-button").addEventListener("click", async () => {
  if (await askForToken(model, "What this page may do is decided by the token that it shows.")) restart();
});
window.addEventListener("hashchange", () => {
  show();
  content.focus({ preventScroll: true });
});
// The part behind `#` says which view there is, so this link must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});
show();
read();
