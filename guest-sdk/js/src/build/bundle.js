// One file of an actor, its packages and the SDK: componentize-qjs follows no links, and QuickJS has no packages.

import { builtinModules } from "node:module";
import { dirname, join } from "node:path";

import { build, formatMessagesSync } from "esbuild";

import { BuildError } from "./error.js";
import { Lines } from "./lines.js";
import { SOURCE_MARK } from "../source-mark.js";
import { SDK } from "./sdk.js";

/** The interfaces that the world `complete-actor` imports. */
const IMPORTS = ["config", "groups", "identity", "lifecycle", "logging", "messaging", "random", "registry", "requests", "timers", "tracing"];
const PACKAGE = "ractor:actor";
const VERSION = "0.1.0";

/** How the bundle is called in stacks. */
export const BUNDLE = "actor.js";

const imports = (names) => names.map((name) => `import * as ${name} from "${PACKAGE}/${name}@${VERSION}";`).join("\n");
const EXPORTS = "export const { actor, calls, replies, batch, reload, contract }";

const entry = (source) => `
import "ractor-guest/internal/install";
import { component, setLines } from "ractor-guest/internal/component";
${imports(IMPORTS)}
import * as module from ${JSON.stringify(source)};
globalThis[Symbol.for("ractor.lines")] = setLines;
${EXPORTS} = component(module.default, { ${IMPORTS.join(", ")} });
`;

/** What the parts of the SDK that are bundled with a source import of the one in the runtime: two of it would not know each other's types. */
const SHARED = ["types/base64.js", "types/others.js", "types/type.js"];
const INTERNAL = "ractor-guest/internal/";

const runtimeEntry = `
import "ractor-guest/internal/install";
import { interpreter } from "ractor-guest/internal/interpreter";
import * as sdk from "ractor-guest";
${SHARED.map((file, index) => `import * as shared${index} from ${JSON.stringify(join(SDK, "src", file))};`).join("\n")}
${imports([...IMPORTS, "source"])}
const modules = { "ractor-guest": sdk, ${SHARED.map((file, index) => `"${INTERNAL}${file}": shared${index}`).join(", ")} };
${EXPORTS} = interpreter(modules, source, { ${IMPORTS.join(", ")} });
`;

/** The files behind the names that an actor, and the entry, import from this package. */
const OURS = new Map([
  ["ractor-guest", "src/index.js"],
  ["ractor-guest/protobuf", "src/protobuf.js"],
  ["ractor-guest/internal/install", "src/platform/install.js"],
  ["ractor-guest/internal/component", "src/component.js"],
  ["ractor-guest/internal/interpreter", "src/interpreter.js"],
]);

/** Leaves to the runtime what it has. */
const runtimeParts = {
  name: "ractor-guest-runtime",
  setup(build) {
    build.onResolve({ filter: /^ractor-guest$/ }, ({ path }) => ({ path, external: true }));
    build.onResolve({ filter: /^\.\/types\// }, ({ path, importer }) => {
      const file = path.slice("./".length);
      if (dirname(importer) !== join(SDK, "src") || !SHARED.includes(file)) return undefined;
      return { path: INTERNAL + file, external: true };
    });
  },
};

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

/** What esbuild makes: the text, where its lines come from, and what it warns of. */
async function bundled(work, options) {
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
      sourcemap: "external",
      sourcesContent: false,
      // The SDK's promises are those that are awaited: see src/platform/promise.js.
      supported: { "async-await": false, "async-generator": false, "for-await": false, "top-level-await": false },
      target: "es2023",
      write: false,
      ...options,
    });
  } catch (error) {
    if (!error.errors) throw error;
    throw new BuildError(formatMessagesSync(error.errors, { kind: "error", color: false }).join("").trim());
  }
  const file = (end) => built.outputFiles.find(({ path }) => path.endsWith(end)).text;
  const lines = new Lines(file(".map"), { bundle: work, sdk: SDK, work });
  return { text: file(BUNDLE), lines, warnings: formatMessagesSync(built.warnings, { kind: "warning", color: false }) };
}

const from = (contents, folder) => ({ stdin: { contents, resolveDir: folder, sourcefile: "ractor-guest-entry.js" } });

/** An actor as one module, for a component of its own. */
export async function bundle(source, work) {
  const folder = dirname(source);
  const { text, lines, warnings } = await bundled(work, { plugins: [packages(folder)], ...from(entry(source), folder) });
  const { files, table } = lines.table();
  const code = `${text}globalThis[Symbol.for("ractor.lines")](${JSON.stringify(files)}, ${JSON.stringify(table)});\n`;
  return { code, lines, warnings };
}

/** An actor as one text, for the runtime, which has the SDK: see src/interpreter.js. Its first line says where the others come from. */
export async function bundleSource(source, work) {
  const plugins = [runtimeParts, packages(dirname(source))];
  const { text, lines, warnings } = await bundled(work, { entryPoints: [source], format: "cjs", plugins });
  const { files, table } = lines.table(1);
  return { code: `${SOURCE_MARK}lines(${JSON.stringify(files)}, ${JSON.stringify(table)});\n${text}`, warnings };
}

/** The runtime of such texts. */
export async function bundleRuntime(work) {
  const { text, lines } = await bundled(work, { plugins: [packages(work)], ...from(runtimeEntry, work) });
  return { code: text, lines };
}
