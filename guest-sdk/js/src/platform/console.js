// `console`, which writes to the node's log.

import { running } from "../runtime/running.js";
import { format, inspect } from "./inspect.js";
import { withStack } from "./stacks.js";

/** The console's groups, each of which indents what is in it. */
let indent = "";
const counts = new Map();
const times = new Map();

function write(level, values) {
  const text = format(values, withStack);
  running().log(level, indent ? indent + text.replaceAll("\n", `\n${indent}`) : text);
}

const at = (level) => (...values) => write(level, values);
const since = (label) => `${label}: ${(performance.now() - times.get(label)).toFixed(3)} ms`;

export const console = {
  log: at("info"),
  info: at("info"),
  debug: at("debug"),
  warn: at("warn"),
  error: at("error"),
  trace: (...values) => write("trace", [format(values, withStack) + "\n" + withStack(new Error("")).split("\n").slice(1).join("\n")]),
  dir: (value) => write("info", [inspect(value, withStack)]),
  table: (value) => write("info", [inspect(value, withStack)]),
  assert: (condition, ...values) => {
    if (!condition) write("error", ["assertion failed", ...values]);
  },
  group(...values) {
    if (values.length > 0) write("info", values);
    indent += "  ";
  },
  groupEnd() {
    indent = indent.slice(2);
  },
  count(label = "default") {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    write("info", [`${label}: ${counts.get(label)}`]);
  },
  countReset: (label = "default") => void counts.delete(label),
  time: (label = "default") => void times.set(label, performance.now()),
  timeLog: (label = "default", ...values) => times.has(label) && write("info", [since(label), ...values]),
  timeEnd(label = "default") {
    if (times.has(label)) write("info", [since(label)]);
    times.delete(label);
  },
};
console.groupCollapsed = console.group;
