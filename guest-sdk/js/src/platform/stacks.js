// Stacks in lines of the source instead of the bundle.

/** For each line of the bundle, "FILE:LINE" of the source, or nothing. The build says it. */
let lines = [];

/**
 * @param files the sources
 * @param table for each line of the bundle that is from a source: how many lines further than the last one it is, the file's number less
 *   the last one's, and the line's number less the last one's
 */
export function setLines(files, table) {
  lines = [];
  let at = 0;
  let file = 0;
  let line = 0;
  for (let index = 0; index < table.length; index += 3) {
    at += table[index];
    file += table[index + 1];
    line += table[index + 2];
    lines[at] = { place: `${files[file]}:${line}`, ours: files[file].startsWith("ractor-guest/") };
  }
}

const FRAME = /^\s*at (?:(.*) )?\(?(?:.*?):(\d+)(?::(\d+))?\)?$/;

/** The lines of a stack. Those of the SDK are left out: they say nothing of what the author wrote. */
export function mapStack(stack) {
  const mapped = [];
  for (const frame of stack.split("\n").filter((text) => text.trim() !== "")) {
    const [, name, line] = FRAME.exec(frame) ?? [];
    const found = line && lines[Number(line)];
    if (found?.ours || (lines.length > 0 && line && !found)) continue;
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
