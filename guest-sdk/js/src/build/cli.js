// The program `ractor-guest`.

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { buildActor, buildRuntime, buildSource } from "./build.js";
import { check, checkTests } from "./check.js";
import { BuildError } from "./error.js";
import { SDK } from "./sdk.js";

const HELP = `Builds and tests actors of ractor-host.

  ractor-guest build FILE [-o COMPONENT.wasm] [--no-check]
      Makes a WebAssembly component of the actor that FILE (.ts or .js) exports by default. TypeScript is checked first, strictly unless a
      tsconfig.json says otherwise. Without -o the component is FILE's name with .wasm, in the folder where this runs.
  ractor-guest source FILE -o SOURCE.js [--no-check]
      Makes one text of the same actor, which the runtime runs: what node.toml names as the module's \`source\`. It takes milliseconds.
  ractor-guest runtime -o RUNTIME.wasm
      Makes the runtime, a component that runs such a text.
  ractor-guest check FILE
      Checks the types alone.
  ractor-guest check-tests FILE…
      Checks the types of tests, with those of Node (the package @types/node has to be there).
  ractor-guest test [FILE…]
      Runs node --test; tests and actors may be TypeScript. Without files, these are all *.test.ts and *.test.js from here on.
  ractor-guest --version, --help
`;

const options = {
  output: { type: "string", short: "o" },
  "no-check": { type: "boolean" },
  version: { type: "boolean", short: "V" },
  help: { type: "boolean", short: "h" },
};

function arguments_(given) {
  try {
    return parseArgs({ args: given, options, allowPositionals: true });
  } catch (error) {
    throw new BuildError(`${error.message}\n\n${HELP}`);
  }
}

const only = (files) => {
  if (files.length === 1) return files[0];
  throw new BuildError(`one file is expected, and not ${files.length}\n\n${HELP}`);
};

async function build(files, { output, "no-check": unchecked }) {
  const entry = only(files);
  const target = output ?? basename(entry).replace(/\.[cm]?[jt]sx?$/, "") + ".wasm";
  const size = await buildActor({ entry, output: target, checked: !unchecked, warn: (text) => console.error(text) });
  console.log(`${target}: ${(size / 1_000_000).toFixed(1)} MB`);
}

const outputOf = ({ output }) => {
  if (output) return output;
  throw new BuildError(`-o FILE is expected: what is to be written\n\n${HELP}`);
};

const TEST = /[.\-_]test\.[cm]?[jt]s$/;

/** The tests in a folder and those in it. Node itself finds JavaScript alone, until version 22. */
function testsIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" || entry.name.startsWith(".") ? [] : testsIn(path);
    return TEST.test(entry.name) ? [path] : [];
  });
}

/** Runs node's own test runner, with the hook that reads TypeScript. */
function test(given) {
  const named = given.some((one) => !one.startsWith("-"));
  const files = named ? given : [...given, ...testsIn(".")];
  if (files.length === 0) throw new BuildError("there are no tests: a file with tests is called like counter.test.ts");
  const hook = pathToFileURL(join(SDK, "src/testing/register.js")).href;
  const ran = spawnSync(process.execPath, ["--import", hook, "--test", ...files], { stdio: "inherit" });
  return ran.status ?? 1;
}

/** Does what the command line says. Gives the exit status. */
export async function main(given) {
  try {
    if (given[0] === "test") return test(given.slice(1));
    const { values, positionals: [command, ...files] } = arguments_(given);
    if (values.version) {
      console.log(JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")).version);
      return 0;
    }
    if (values.help || command === undefined) {
      console.log(HELP);
      return values.help ? 0 : 2;
    }
    if (command === "build") await build(files, values);
    else if (command === "source") await buildSource({ entry: only(files), output: outputOf(values), checked: !values["no-check"], warn: (text) => console.error(text) });
    else if (command === "runtime") await buildRuntime({ output: outputOf(values) });
    else if (command === "check") await check(only(files));
    else if (command === "check-tests") await checkTests(files, process.cwd());
    else throw new BuildError(`there is no command ${command}\n\n${HELP}`);
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`error: ${error.message}`);
    return 1;
  }
}
