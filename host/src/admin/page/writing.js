// Changing the node: the page says first what will be done, asks for the token that it takes, and shows what came of it.

import { get, post, requestId, token } from "./api.js";
import { h } from "./dom.js";
import { bytes, clock } from "./units.js";

const WHAT_A_ROLE_MAY = {
  observe: "Looking at the node",
  operate: "Steering actors and the node",
  deploy: "Replacing code",
};

/** The kind of a problem that says that the node has checked something, and is against it. */
const REFUSED = "urn:ractor-host:problem:refused";

function open(title, ...children) {
  const dialog = h("dialog", { "aria-label": title }, h("h2", {}, title), ...children);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

function close(event, value) {
  event.target.closest("dialog").close(value);
}

function tokenField(name) {
  const input = h("input", { type: "password", name, autocomplete: "off", spellcheck: "false" });
  return { input, label: h("label", {}, "Token", input) };
}

/** Shows this token from now on, and learns what may be done with it. A token that is wrong changes nothing. */
async function show(text, model) {
  const before = token.value();
  token.set(text.trim());
  try {
    model.role = (await get("role")).role;
    model.changed("role");
  } catch (error) {
    token.set(before);
    throw error;
  }
}

/** Asks for a token. True if there is another one now. */
export async function askForToken(model, why) {
  const { input, label } = tokenField("token");
  const problem = h("p", { role: "alert" });
  const send = async (event) => {
    event.preventDefault();
    try {
      await show(input.value, model);
      close(event, "shown");
    } catch (error) {
      problem.className = "notice bad";
      problem.textContent = error.message;
    }
  };
  const said = await open(
    "Token",
    h(
      "form",
      { onsubmit: send },
      h("p", {}, why),
      h("p", { class: "quiet" }, "The files that [admin] of node.toml names have the tokens. This page keeps one until the tab is closed, and sends it to this node alone."),
      label,
      problem,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", onclick: (event) => close(event, "") }, "Cancel"),
        h("button", { type: "button", onclick: (event) => { token.set(""); close(event, "shown"); } }, "Use none"),
        h("button", { type: "submit", class: "primary" }, "Use this token"),
      ),
    ),
  );
  return said === "shown";
}

/**
 * Does something once the operator has read what it will do. `plan` gives what is known of it beforehand, if there is more to say than
 * `what`; `run` does it, and gives what came of it as elements. Both are told whether it is to be done although the node's checks are
 * against it: that is offered only once `plan` was refused, and what was planned before doesn't hold for it.
 */
export async function write(model, { role, title, what, verb, danger, plan, run }) {
  const { input, label } = tokenField("token");
  const needsToken = h("div", {}, h("p", { class: "notice" }, `${WHAT_A_ROLE_MAY[role]} takes a token of the role ${role}.`), label);
  const planned = h("div", { "aria-live": "polite" });
  const outcome = h("div", { role: "status" });
  const cancel = h("button", { type: "button", onclick: (event) => close(event, "") }, "Cancel");
  const go = h("button", { type: "submit", class: danger ? "danger" : "primary" }, verb);
  let isPlanned = !plan;
  const anyway = h("input", { type: "checkbox", name: "anyway", onchange: () => forget() });
  const offer = h("label", { class: "choice", hidden: true }, anyway, " Do it although the checks are against it");

  const ready = () => {
    needsToken.hidden = model.may(role);
    go.textContent = isPlanned ? verb : "Show what it will do";
  };
  const fail = (error) => outcome.replaceChildren(h("p", { class: "notice bad" }, error.message));
  const forget = () => {
    isPlanned = !plan;
    planned.replaceChildren();
    outcome.replaceChildren();
    ready();
  };
  const look = async () => {
    planned.replaceChildren(h("p", { class: "quiet" }, "Asking the node what it would do …"));
    go.disabled = anyway.disabled = true;
    try {
      planned.replaceChildren(...(await plan(anyway.checked)));
      isPlanned = true;
    } catch (error) {
      planned.replaceChildren();
      fail(error);
      if (error.kind === REFUSED) offer.hidden = false;
    }
    go.disabled = anyway.disabled = false;
  };
  const send = async (event) => {
    event.preventDefault();
    outcome.replaceChildren();
    go.disabled = anyway.disabled = true;
    try {
      if (!model.may(role)) await show(input.value, model);
      if (!model.may(role)) throw new Error(`This token has the role ${model.role ?? "of nobody"}; ${role} is needed.`);
      if (!isPlanned) {
        await look();
      } else {
        outcome.replaceChildren(...(await run(anyway.checked)));
        go.hidden = offer.hidden = true;
        cancel.textContent = "Close";
        cancel.focus();
      }
    } catch (error) {
      // What was planned can have changed since.
      forget();
      fail(error);
    }
    go.disabled = anyway.disabled = false;
    ready();
  };
  ready();
  if (plan && model.may(role)) look().then(ready);
  await open(
    title,
    h("form", { onsubmit: send }, h("ul", {}, what.map((line) => h("li", {}, line))), planned, needsToken, outcome, offer, h("div", { class: "buttons" }, cancel, go)),
  );
}

const ACTIONS = {
  restart: {
    verb: "Restart",
    what: (name) => [`${name} goes on afresh: a guest with a fresh instance as the same actor, another one as a new actor.`, "Its messages stay in its mailbox; what it knew is lost, unless it keeps states."],
  },
  stop: {
    verb: "Stop",
    danger: true,
    what: (name) => [`${name} ends in order, and stays down until somebody starts it.`, "Messages to it are dead letters meanwhile."],
  },
  kill: {
    verb: "Kill",
    danger: true,
    what: (name) => [`${name} ends at once, in the middle of what it does.`, "Its supervisor then does what it does after any failure."],
  },
  start: { verb: "Start", what: (name) => [`${name}, which an operator has stopped, is started.`] },
};

/** Stops, starts, kills or restarts an actor. */
export function steer(model, action, target, name = target) {
  const { verb, danger, what } = ACTIONS[action];
  return write(model, {
    role: "operate",
    title: `${verb} ${name}`,
    verb,
    danger,
    what: what(name),
    run: async () => {
      const { actors } = await post("steer", { action, target });
      return actors.map((actor) => {
        const done = actor.done ? `${actor.name ?? name}: done` : `${actor.name ?? name} is as it was`;
        return h("p", { class: `notice ${actor.done ? "good" : "bad"}` }, actor.note ? `${done}. ${actor.note}` : done);
      });
    },
  });
}

/** Has an actor go on with a state that was kept. */
export function goBack(model, target, name, kept) {
  return write(model, {
    role: "operate",
    title: `Go back to checkpoint ${kept.number} of ${name}`,
    verb: "Go back",
    danger: true,
    what: [
      `${name} goes on with what it knew at ${clock(kept.taken_ms)}, ${bytes(kept.bytes)}. Its messages stay in its mailbox.`,
      "What it knows now becomes a checkpoint as well, to which there is a way forward again. If one state alone of it is kept, it is lost.",
    ],
    run: async () => {
      const back = await post(`actors/${encodeURIComponent(target)}/back`, { number: kept.number });
      const before = back.kept ? "What it knew until now was kept, too." : "What it knew until now is gone.";
      return [h("p", { class: "notice good" }, `${back.actor} went back to checkpoint ${back.to.number}. ${before}`)];
    },
  });
}

/** Has the node stop in order. */
export function drain(model) {
  return write(model, {
    role: "operate",
    title: `Drain ${model.node?.name ?? "the node"}`,
    verb: "Drain",
    danger: true,
    what: [
      "The node is not ready from now on, and leaves its groups, so that other nodes send it nothing more.",
      "Its actors handle what waits for them and end, and their states are kept.",
      "Then the process ends. Only whoever runs it can start it again, and this page ends with it.",
    ],
    run: async () => {
      await post("drain", {});
      return [h("p", { class: "notice good" }, "The node leaves.")];
    },
  });
}

function report({ report: { module, old, new: fresh, verdict, changes, actors, unrecorded } }) {
  const isWell = ["reloaded", "dry-run"].includes(verdict);
  const words = { reloaded: "runs the new code", "dry-run": "would be reloaded", "rolled-back": "was rolled back", mixed: "runs in part what it ran before" };
  const failed = actors.filter((actor) => actor.reason);
  const pauses = actors.map((actor) => actor.pause_us).filter((pause) => pause !== null && pause !== undefined);
  return [
    h("p", { class: `notice ${isWell ? "good" : "bad"}` }, `${module} ${words[verdict] ?? verdict}: ${old.slice(7, 19)} → ${fresh.slice(7, 19)}, ${actors.length} actors`),
    pauses.length > 0 && h("p", {}, `The longest pause was ${(Math.max(...pauses) / 1000).toFixed(1)} ms.`),
    changes.length > 0 && h("ul", {}, changes.map((change) => h("li", {}, change))),
    failed.length > 0 && h("ul", {}, failed.slice(0, 20).map((actor) => h("li", { class: "bad-text" }, `${actor.name ?? actor.pid}: ${actor.step}: ${actor.reason}`))),
    unrecorded && h("p", { class: "notice bad" }, unrecorded),
  ].filter(Boolean);
}

/** Gives a module the code that its file has now. */
export function reload(model, module) {
  const ask = (how) => post(`modules/${encodeURIComponent(module)}/reload`, { id: requestId(), ...how });
  let next;
  return write(model, {
    role: "deploy",
    title: `Reload ${module}`,
    verb: "Reload",
    what: [`Module ${module} gets the code that its file has now, and all of its actors with it.`, "Each actor stands still for a moment and keeps its state. If one of them fails, all go back to what they run now."],
    plan: async (force) => {
      const planned = await ask({ dry_run: true, force });
      next = planned.report.new;
      return report(planned);
    },
    // The file may be another one by now: what was shown is done, or nothing.
    run: async (force) => report(await ask({ force, planned: next })),
  });
}

/** Goes back to the version before. */
export function rollback(model, module, previous) {
  return write(model, {
    role: "deploy",
    title: `Roll ${module} back`,
    verb: "Roll back",
    danger: true,
    what: [`Module ${module} goes back to ${previous.slice(7, 19)}, the version before, and all of its actors with it.`, "Each actor stands still for a moment and keeps its state."],
    run: async () => report(await post(`modules/${encodeURIComponent(module)}/rollback`, { id: requestId(), planned: previous })),
  });
}

/** Changes what is logged, for good or for some minutes. */
export function changeLogging(model, directive, minutes) {
  const lasting = minutes > 0 ? `For ${minutes} minutes, then it is as before.` : "Until somebody changes it again, or the node is started anew.";
  return write(model, {
    role: "operate",
    title: "Change what is logged",
    verb: "Change",
    what: [`The node logs ${directive}, as RUST_LOG says it, except for actors with a level of their own.`, lasting],
    run: async () => {
      const change = { change: "all", directive, ...(minutes > 0 ? { seconds: minutes * 60 } : {}) };
      const now = await post("loglevels", change);
      return [h("p", { class: "notice good" }, `The node logs ${now.directive}.`)];
    },
  });
}
