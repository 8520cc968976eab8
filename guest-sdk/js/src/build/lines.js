// Where the lines of a bundle come from, as a table that fits into the bundle.

import { relative, resolve, sep } from "node:path";

import { TraceMap, eachMapping, originalPositionFor } from "@jridgewell/trace-mapping";

/** How a source is called in stacks: from the folder where the build runs, and ours by the package's name. */
function called(source, folders) {
  const path = resolve(folders.bundle, source);
  const inSdk = relative(folders.sdk, path);
  if (!inSdk.startsWith("..")) return `ractor-guest/${inSdk.split(sep).join("/")}`;
  return relative(folders.work, path).split(sep).join("/");
}

export class Lines {
  constructor(map, folders) {
    this.map = new TraceMap(map);
    this.names = new Map(this.map.sources.map((source) => [source, called(source ?? "", folders)]));
  }

  /** The arguments of `setLines`: see src/platform/stacks.js. So many lines come before the bundle's first. */
  table(before = 0) {
    const files = [...new Set(this.names.values())];
    const table = [];
    let [at, file, line] = [-before, 0, 0];
    eachMapping(this.map, ({ generatedLine, source, originalLine }) => {
      if (source === null || generatedLine === at) return;
      const index = files.indexOf(this.names.get(source));
      table.push(generatedLine - at, index - file, originalLine - line);
      [at, file, line] = [generatedLine, index, originalLine];
    });
    return { files, table };
  }

  /** A text with places in the bundle, with those of the sources instead. */
  translate(text, bundle) {
    const place = new RegExp(`\\(?/?${bundle.replaceAll(".", "\\.")}:(\\d+):(\\d+)\\)?`, "g");
    return text.replace(place, (whole, line, column) => {
      const { source, line: found } = originalPositionFor(this.map, { line: Number(line), column: Math.max(0, Number(column) - 1) });
      return source === null ? whole : `(${this.names.get(source)}:${found})`;
    });
  }
}
