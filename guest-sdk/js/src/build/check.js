// Checks types with the package's own TypeScript.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { BuildError } from "./error.js";
import { SDK } from "./sdk.js";

const require = createRequire(import.meta.url);

/** The nearest tsconfig.json, in this folder or above it, but not above the package. */
export function configOf(folder) {
  for (let at = folder; ; at = dirname(at)) {
    const config = join(at, "tsconfig.json");
    if (existsSync(config)) return config;
    if (existsSync(join(at, "package.json")) || at === dirname(at)) return undefined;
  }
}

/** What is checked where there is no tsconfig.json. */
const options = {
  allowImportingTsExtensions: true,
  lib: ["es2024"],
  module: "esnext",
  moduleResolution: "bundler",
  noEmit: true,
  skipLibCheck: true,
  strict: true,
  target: "es2023",
  verbatimModuleSyntax: true,
};

/** Throws what TypeScript says about an actor. JavaScript is checked only where a tsconfig.json asks for it. */
export function check(entry) {
  const config = configOf(dirname(entry));
  if (!config && !/\.[cm]?tsx?$/.test(entry)) return;
  const scratch = mkdtempSync(join(tmpdir(), "ractor-guest-"));
  try {
    const own = join(scratch, "tsconfig.json");
    if (!config) writeFileSync(own, JSON.stringify(withoutConfig(entry)));
    const found = mistakes(config ?? own, dirname(entry));
    if (found) throw new BuildError(`${entry} has mistakes that TypeScript found (--no-check builds it all the same):\n${found}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What TypeScript says about what a tsconfig.json asks for; nothing if all is well. */
function mistakes(config, work) {
  const compiler = require.resolve("typescript/package.json");
  const { bin } = JSON.parse(readFileSync(compiler, "utf8"));
  const ran = spawnSync(process.execPath, [resolve(dirname(compiler), bin.tsc), "--noEmit", "--pretty", "false", "-p", config], { cwd: work, encoding: "utf8" });
  if (ran.error) throw new BuildError(`TypeScript can't be started: ${ran.error.message}`);
  return ran.status === 0 ? undefined : (ran.stdout + ran.stderr).trim();
}

/**
 * Throws what TypeScript says about tests, which run under Node and so have its types besides. The rest is as the nearest tsconfig.json of
 * the first has it.
 */
export function checkTests(tests, work) {
  const files = tests.map((test) => resolve(work, test));
  const config = configOf(dirname(files[0]));
  const types = dirname(dirname(require.resolve("@types/node/package.json")));
  const scratch = mkdtempSync(join(tmpdir(), "ractor-guest-"));
  try {
    const own = join(scratch, "tsconfig.json");
    const base = config ? { extends: config, compilerOptions: {} } : withoutConfig(files[0]);
    const all = { ...base, files: [...files, join(SDK, "types/globals.d.ts")], include: [] };
    const node = { noEmit: true, skipLibCheck: true, typeRoots: [types], types: ["node"] };
    writeFileSync(own, JSON.stringify({ ...all, compilerOptions: { ...base.compilerOptions, ...node } }));
    const found = mistakes(own, work);
    if (found) throw new BuildError(`the tests have mistakes that TypeScript found:\n${found}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function withoutConfig(entry) {
  const types = (name) => [join(SDK, "types", `${name}.d.ts`)];
  const paths = { "ractor-guest": types("index"), "ractor-guest/protobuf": types("protobuf"), "ractor-guest/testing": types("testing") };
  return { compilerOptions: { ...options, types: [], paths }, files: [entry, ...types("globals")] };
}
