// Elements without HTML text: what a name or a message contains is always text.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.setAttribute("class", value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of HTML with attributes, listeners (`onclick`) and children. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same of SVG. */
export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Writes a text only if it is another one, so that selections and screen readers are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A line of what was lately, the newest at the right. */
export function sparkline(values, label) {
  const most = Math.max(1e-9, ...values);
  const last = Math.max(1, values.length - 1);
  const points = Array.from(values, (value, at) => `${((at / last) * 100).toFixed(1)},${(19 - (value / most) * 18).toFixed(1)}`);
  return svg(
    "svg",
    { class: "spark", viewBox: "-1 0 102 20", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("polyline", { points: points.join(" ") }),
  );
}

/** A table that is written anew at once: `columns` are `{title, number?}`, `rows` are lists of cells. */
export function table(caption, columns, rows) {
  const heads = columns.map((column) => h("th", { scope: "col", class: column.number && "number" }, column.title));
  const cells = (row) => row.map((cell, at) => h("td", { class: columns[at].number && "number" }, cell));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { "aria-label": caption },
      h("thead", {}, h("tr", {}, heads)),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))),
    ),
  );
}

/** A card with a heading. */
export function card(title, ...children) {
  return h("section", { class: "card", "aria-label": title }, h("h2", {}, title), children);
}

/** Whether somebody is in a box with the keyboard, or has marked some of its text. */
function isBusy(box) {
  if (box.contains(document.activeElement)) return true;
  const selection = document.getSelection();
  return Boolean(selection) && !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(box);
}

/** Puts the figures of now into a box, unless somebody is busy in it: there will be newer ones. */
export function renew(box, ...children) {
  if (!isBusy(box)) box.replaceChildren(...children);
}

/** The same of a list of cards, each by itself. */
export function renewCards(box, cards) {
  const labels = (all) => all.map((one) => one.getAttribute("aria-label")).join("\n");
  const before = [...box.children];
  if (labels(before) !== labels(cards)) renew(box, ...cards);
  else before.forEach((old, at) => isBusy(old) || old.replaceWith(cards[at]));
}

/** Puts something else into a box. The focus stays with what is the same in it. */
export function change(box, ...children) {
  const held = box.contains(document.activeElement) ? document.activeElement : null;
  const isSame = (one) => one.tagName === held.tagName && one.textContent === held.textContent && one.getAttribute("href") === held.getAttribute("href");
  box.replaceChildren(...children);
  if (held && !box.contains(document.activeElement)) [...box.querySelectorAll(held.tagName)].find(isSame)?.focus({ preventScroll: true });
}
