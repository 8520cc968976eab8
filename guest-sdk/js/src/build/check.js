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
    const compiler = require.resolve("typescript/package.json");
    const { bin } = JSON.parse(readFileSync(compiler, "utf8"));
    const ran = spawnSync(process.execPath, [resolve(dirname(compiler), bin.tsc), "--noEmit", "--pretty", "false", "-p", config ?? own], {
      cwd: dirname(entry),
      encoding: "utf8",
    });
    if (ran.error) throw new BuildError(`TypeScript can't be started: ${ran.error.message}`);
    if (ran.status !== 0) throw new BuildError(`${entry} has mistakes that TypeScript found (--no-check builds it all the same):\n${(ran.stdout + ran.stderr).trim()}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function withoutConfig(entry) {
  const types = (name) => [join(SDK, "types", `${name}.d.ts`)];
  const paths = { "ractor-guest": types("index"), "ractor-guest/protobuf": types("protobuf"), "ractor-guest/testing": types("testing") };
  return { compilerOptions: { ...options, types: [], paths }, files: [entry, ...types("globals")] };
}
