// The kept states of one actor, and the way back to one.

import { card, h, table } from "./dom.js";
import { bytes, clock, version } from "./units.js";
import { goBack } from "./writing.js";

const MOST = 100;
const COLUMNS = [{ title: "Number", number: true }, { title: "Taken" }, { title: "Size", number: true }, { title: "State version", number: true }, { title: "Code" }, { title: "Change" }];

/** A card that is there once `show` was given states. `done` is called when the actor has gone back. */
export function checkpointsCard(model, target, done) {
  const rows = h("div", {});
  const box = card("Checkpoints", rows);
  box.hidden = true;
  let last = "";

  const row = (kept, name) => [
    String(kept.number),
    clock(kept.taken_ms),
    bytes(kept.bytes),
    String(kept.state_version),
    [kept.module, " @ ", h("code", {}, version(kept.digest))],
    h("button", { type: "button", onclick: () => goBack(model, target, name, kept).then(done) }, `Go back to ${kept.number} …`),
  ];
  return {
    box,
    show(checkpoints, name) {
      const now = JSON.stringify(checkpoints);
      // A button that has the focus stays the one that has it.
      if (now === last || rows.contains(document.activeElement)) return;
      last = now;
      box.hidden = checkpoints.length === 0;
      const more = checkpoints.length > MOST && h("p", { class: "quiet" }, `There are ${checkpoints.length - MOST} older ones, which \`ractor-host checkpoints\` lists.`);
      rows.replaceChildren(...[table("Checkpoints", COLUMNS, checkpoints.slice(0, MOST).map((kept) => row(kept, name))), more].filter(Boolean));
    },
  };
}
