// Checks types with the package's own TypeScript.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

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

/**
 * Throws what TypeScript says about an actor, unless the signal ends that before. JavaScript is checked only where a tsconfig.json asks for it.
 */
export async function check(entry, signal) {
  const config = configOf(dirname(entry));
  if (!config && !/\.[cm]?tsx?$/.test(entry)) return;
  const scratch = mkdtempSync(join(tmpdir(), "ractor-guest-"));
  try {
    const own = join(scratch, "tsconfig.json");
    if (!config) writeFileSync(own, JSON.stringify(withoutConfig(entry)));
    const found = await mistakes(config ?? own, dirname(entry), signal);
    if (found) throw new BuildError(`${entry} has mistakes that TypeScript found (--no-check builds it all the same):\n${found}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The compiler and its first arguments. The package's own program would start Node once more, only to find the same file. */
async function compiler() {
  const manifest = require.resolve("typescript/package.json");
  const folder = dirname(manifest);
  try {
    const { default: program } = await import(pathToFileURL(join(folder, "lib/getExePath.js")).href);
    return [program()];
  } catch {
    // Another version than the one that is pinned for projects.
    return [process.execPath, resolve(folder, JSON.parse(readFileSync(manifest, "utf8")).bin.tsc)];
  }
}

/** What TypeScript says about what a tsconfig.json asks for; nothing if all is well. */
async function mistakes(config, work, signal) {
  const [program, ...first] = await compiler();
  const ran = spawn(program, [...first, "--noEmit", "--pretty", "false", "-p", config], { cwd: work, signal, stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const stream of [ran.stdout, ran.stderr]) stream.on("data", (part) => said.push(part));
  return new Promise((done, failed) => {
    ran.on("error", (error) => failed(signal?.aborted ? error : new BuildError(`TypeScript can't be started: ${error.message}`)));
    ran.on("close", (status) => done(status === 0 ? undefined : Buffer.concat(said).toString().trim()));
  });
}

/**
 * Throws what TypeScript says about tests, which run under Node and so have its types besides. The rest is as the nearest tsconfig.json of
 * the first has it.
 */
export async function checkTests(tests, work) {
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
    const found = await mistakes(own, work);
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
