// Stacks in lines of the source instead of the bundle.

/** For each line of the bundle, "FILE:LINE" of the source, or nothing. The build says it. */
let lines = [];
/** The same of the text that the runtime evaluates, if this is the runtime. */
let sourceLines;

/**
 * @param files the sources
 * @param table for each line of the bundle that is from a source: how many lines further than the last one it is, the file's number less
 *   the last one's, and the line's number less the last one's
 */
function places(files, table) {
  const made = [];
  let at = 0;
  let file = 0;
  let line = 0;
  for (let index = 0; index < table.length; index += 3) {
    at += table[index];
    file += table[index + 1];
    line += table[index + 2];
    made[at] = { place: `${files[file]}:${line}`, ours: files[file].startsWith("ractor-guest/") };
  }
  return made;
}

export function setLines(files, table) {
  lines = places(files, table);
}

/** The runtime itself is the SDK's, so that no line of it is in a stack. */
export function setSourceLines(files, table) {
  sourceLines = places(files, table);
}

const FRAME = /^\s*at (?:(.*) )?\(?(.*?):(\d+)(?::(\d+))?\)?$/;

/** What QuickJS calls a text that is evaluated. */
const EVALUATED = "<input>";

/** Where a line comes from, if that is known; and whether it is known of lines at all. */
function origin(file, line) {
  if (!sourceLines) return [lines[line], lines.length > 0];
  return [file === EVALUATED ? sourceLines[line] : undefined, true];
}

/** The lines of a stack. Those of the SDK are left out: they say nothing of what the author wrote. */
export function mapStack(stack) {
  const mapped = [];
  for (const frame of stack.split("\n").filter((text) => text.trim() !== "")) {
    const [, name, file, line] = FRAME.exec(frame) ?? [];
    const [found, isKnown] = line ? origin(file, Number(line)) : [];
    if (found?.ours || (isKnown && !found)) continue;
    mapped.push(found ? `    at ${name && name !== "<anonymous>" ? `${name} (${found.place})` : found.place}` : `    ${frame.trim()}`);
  }
  return mapped.join("\n");
}

/** An error with its stack, and those of its causes. */
export function withStack(error) {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const text = error.message ? `${error.name}: ${error.message}` : error.name;
  // Some engines repeat the text at the beginning of the stack.
  const raw = typeof error.stack === "string" ? error.stack : "";
  const frames = mapStack(raw.startsWith(text) ? raw.slice(text.length) : raw.slice(Math.max(0, raw.search(/^\s*at /m))));
  const inner = error instanceof AggregateError ? error.errors.map((one) => `\n  of: ${withStack(one)}`).join("") : "";
  const cause = error.cause === undefined ? "" : `\ncaused by: ${withStack(error.cause)}`;
  return `${text}${frames ? `\n${frames}` : ""}${inner}${cause}`;
}
