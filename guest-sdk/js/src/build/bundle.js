// One file of an actor, its packages and the SDK: componentize-qjs follows no links, and QuickJS has no packages.

import { builtinModules } from "node:module";
import { dirname, join } from "node:path";

import { build, formatMessagesSync } from "esbuild";

import { BuildError } from "./error.js";
import { Lines } from "./lines.js";
import { SDK } from "./sdk.js";

/** The interfaces that the world `complete-actor` imports. */
const IMPORTS = ["config", "groups", "identity", "lifecycle", "logging", "messaging", "random", "registry", "requests", "timers", "tracing"];
const PACKAGE = "ractor:actor";
const VERSION = "0.1.0";

/** How the bundle is called in stacks. */
export const BUNDLE = "actor.js";

const entry = (source) => `
import "ractor-guest/internal/install";
import { component, setLines } from "ractor-guest/internal/component";
${IMPORTS.map((name) => `import * as ${name} from "${PACKAGE}/${name}@${VERSION}";`).join("\n")}
import * as module from ${JSON.stringify(source)};
globalThis[Symbol.for("ractor.lines")] = setLines;
export const { actor, calls, replies, batch, reload, contract } = component(module.default, { ${IMPORTS.join(", ")} });
`;

/** The files behind the names that an actor, and the entry, import from this package. */
const OURS = new Map([
  ["ractor-guest", "src/index.js"],
  ["ractor-guest/protobuf", "src/protobuf.js"],
  ["ractor-guest/internal/install", "src/platform/install.js"],
  ["ractor-guest/internal/component", "src/component.js"],
]);

const NODE = new Set(builtinModules);

/** Finds packages: there is one SDK, the one that builds, and what it needs of the actor's packages is the actor's. */
const packages = (folder) => ({
  name: "ractor-guest",
  setup(build) {
    build.onResolve({ filter: /^ractor-guest(\/|$)/ }, ({ path }) => {
      const file = OURS.get(path);
      if (file) return { path: join(SDK, file) };
      const text = path === "ractor-guest/testing" ? "it is for tests, which run under Node" : "there is no such part of ractor-guest";
      return { errors: [{ text: `${path} can't be part of an actor: ${text}` }] };
    });
    build.onResolve({ filter: /^@bufbuild\/protobuf(\/|$)/ }, ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData || !resolveDir.startsWith(SDK)) return undefined;
      return build.resolve(path, { resolveDir: folder, kind, pluginData: true });
    });
    build.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path }) => {
      if (!path.startsWith("node:") && !NODE.has(path)) return undefined;
      return { errors: [{ text: `${path} belongs to Node; an actor runs in QuickJS, which has the language and what docs/guests/javascript.md lists` }] };
    });
  },
});

export async function bundle(source, work) {
  let built;
  try {
    built = await build({
      absWorkingDir: work,
      bundle: true,
      charset: "utf8",
      conditions: ["module", "import"],
      external: [`${PACKAGE}/*`],
      format: "esm",
      legalComments: "none",
      loader: { ".txt": "text", ".bin": "binary" },
      logLevel: "silent",
      mainFields: ["module", "main"],
      outfile: join(work, BUNDLE),
      platform: "neutral",
      plugins: [packages(dirname(source))],
      sourcemap: "external",
      sourcesContent: false,
      stdin: { contents: entry(source), resolveDir: dirname(source), sourcefile: "ractor-guest-entry.js" },
      // The SDK's promises are those that are awaited: see src/platform/promise.js.
      supported: { "async-await": false, "async-generator": false, "for-await": false, "top-level-await": false },
      target: "es2023",
      write: false,
    });
  } catch (error) {
    if (!error.errors) throw error;
    throw new BuildError(formatMessagesSync(error.errors, { kind: "error", color: false }).join("").trim());
  }
  const file = (end) => built.outputFiles.find(({ path }) => path.endsWith(end)).text;
  const lines = new Lines(file(".map"), { bundle: work, sdk: SDK, work });
  const { files, table } = lines.table();
  const code = `${file(BUNDLE)}globalThis[Symbol.for("ractor.lines")](${JSON.stringify(files)}, ${JSON.stringify(table)});\n`;
  return { code, lines, warnings: formatMessagesSync(built.warnings, { kind: "warning", color: false }) };
}
