// A table of which only those rows are in the document that can be seen: ten thousand cost no more than fifty.

import { h, say } from "./dom.js";

const ROW = 32;
const SPARE = 8;

/** `columns` are `{key, title, number, class, cell(row), by(row)}`; `by` gives what rows are sorted by. */
export class VirtualTable {
  constructor(label, columns) {
    this.columns = columns;
    this.rows = [];
    this.sorted = { key: columns[0].key, down: false };
    this.heads = columns.map((column) => {
      const button = h("button", { type: "button", class: column.number && "number", onclick: () => this.sortBy(column) }, column.title);
      return h("th", { scope: "col", class: [column.class, column.number && "number"].filter(Boolean).join(" ") }, button);
    });
    this.body = h("tbody", {});
    this.table = h("table", { "aria-label": label }, h("thead", {}, h("tr", { "aria-rowindex": 1 }, this.heads)), this.body);
    this.element = h("div", { class: "virtual", tabindex: "0", role: "region", "aria-label": `${label}, scrollable`, onscroll: () => this.draw() }, this.table);
    this.mark();
  }

  /** Other rows, or other figures in them. */
  show(rows) {
    const { by } = this.columns.find((column) => column.key === this.sorted.key);
    const sign = this.sorted.down ? -1 : 1;
    const keyed = rows.map((row) => [by(row), row]);
    const text = typeof keyed[0]?.[0] === "string";
    keyed.sort(([one, first], [other, second]) => {
      const order = text ? (one < other ? -1 : one > other ? 1 : 0) : one - other;
      return order === 0 ? first.pid - second.pid : order * sign;
    });
    this.rows = keyed.map(([, row]) => row);
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    this.draw();
  }

  sortBy(column) {
    const again = this.sorted.key === column.key;
    this.sorted = { key: column.key, down: again ? !this.sorted.down : Boolean(column.number) };
    this.mark();
    this.show(this.rows);
  }

  mark() {
    this.columns.forEach((column, at) => {
      const isSorted = column.key === this.sorted.key;
      if (isSorted) this.heads[at].setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else this.heads[at].removeAttribute("aria-sort");
      say(this.heads[at].firstChild, isSorted ? `${column.title} ${this.sorted.down ? "↓" : "↑"}` : column.title);
    });
  }

  draw() {
    const height = this.element.clientHeight || 600;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - SPARE);
    const last = Math.min(this.rows.length, first + Math.ceil(height / ROW) + 2 * SPARE);
    const focused = document.activeElement?.closest?.("tr")?.dataset.pid;
    const gap = (rows) => {
      const cell = h("td", { class: "gap", colspan: this.columns.length });
      cell.style.height = `${rows * ROW}px`;
      return h("tr", { "aria-hidden": "true" }, cell);
    };
    const shown = this.rows.slice(first, last).map((row, at) => this.row(row, first + at));
    this.body.replaceChildren(...[first > 0 && gap(first), ...shown, last < this.rows.length && gap(this.rows.length - last)].filter(Boolean));
    // Whoever walks by the keyboard stays where they are.
    if (focused) this.body.querySelector(`tr[data-pid="${focused}"] a`)?.focus({ preventScroll: true });
  }

  row(row, at) {
    const cells = this.columns.map((column) => h("td", { class: column.number && "number" }, column.cell(row)));
    return h("tr", { "aria-rowindex": at + 2, "data-pid": row.pid }, cells);
  }
}
