// The modules of the node and their versions, and replacing them.

import { calmly, get } from "./api.js";
import { card, change, h, renew, table } from "./dom.js";
import { bytes, count, rate, version } from "./units.js";
import { reload, rollback } from "./writing.js";

const RELOADS = ["module-reloaded", "module-rolled-back", "reload-refused"];

/** See the top of the file. */
export function modulesView(model) {
  const box = h("div", {});
  let modules = [];
  let seen = -1;
  const columns = [
    { title: "Module" },
    { title: "Version" },
    { title: "Versions before" },
    { title: "Actors", number: true },
    { title: "Messages/s", number: true },
    { title: "Failures", number: true },
    { title: "Memory", number: true },
    { title: "Change" },
  ];
  const row = (module) => {
    const figures = model.modules.get(module.name);
    const buttons = [
      h("button", { type: "button", onclick: () => reload(model, module.name) }, `Reload ${module.name} …`),
      module.previous.length > 0 && h("button", { type: "button", onclick: () => rollback(model, module.name, module.previous[0]) }, `Roll ${module.name} back …`),
    ];
    return [
      [h("strong", {}, module.name), h("div", { class: "quiet" }, module.path)],
      [h("code", {}, version(module.digest)), h("div", { class: "quiet" }, [module.version && `says ${module.version}`, module.reloadable ? "gives its state on" : "starts afresh"].filter(Boolean).join(", "))],
      module.previous.length > 0 ? module.previous.map((digest) => h("div", {}, h("code", {}, version(digest)))) : "–",
      count(module.actors),
      figures ? rate(figures.rates.messages) : "–",
      figures ? count(figures.failures) : "–",
      figures ? bytes(figures.memory_bytes) : "–",
      h("div", { class: "toolbar" }, buttons),
    ];
  };
  const all = () => (modules.length === 0 ? h("p", { class: "quiet" }, "The node has no modules.") : table("Modules", columns, modules.map(row)));
  const load = calmly(async () => {
    try {
      ({ modules } = await get("status"));
      change(box, all());
    } catch (error) {
      change(box, h("p", { class: "notice bad" }, error.message));
    }
  });
  return {
    elements: [card("Modules", box)],
    update(what) {
      const last = model.events.filter((event) => RELOADS.includes(event.event)).at(-1)?.number ?? -1;
      if (what === "all" || what === "role" || last !== seen) {
        seen = last;
        load();
      } else if (what === "figures") {
        renew(box, all());
      }
    },
  };
}
