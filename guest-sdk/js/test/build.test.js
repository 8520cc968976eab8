// What the program `ractor-guest` makes, checks and complains about, and the package as npm would publish it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const SDK = dirname(dirname(fileURLToPath(import.meta.url)));
const PROGRAM = join(SDK, "bin/ractor-guest.js");

/** Does something in an empty folder that is removed afterwards. */
function scratch(files, run) {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "ractor-guest-test-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node's runner in a test would run nothing: it thinks itself part of these tests. */
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

const ractorGuest = (folder, ...given) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...given], { cwd: folder, encoding: "utf8", env });
  return { status, out: stdout + stderr };
};

const COUNTER = `import { call, cast, contract, implement, u64 } from "ractor-guest";
export const Counter = contract({ name: "Counter", start: u64, messages: { Add: cast(u64), Get: call().returns(u64) } });
export default implement(Counter, (count) => ({ count }), {
  Add(s, n) { s.count += n; },
  Get: (s) => s.count,
});
`;

test("the types catch what is wrong, and nothing that is right", () => {
  const compiler = join(SDK, "node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "--pretty", "false", "-p", join(SDK, "test/types")], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});

test("the types declare what the modules export, and no more", () => {
  const declared = (file) => [...readFileSync(join(SDK, "types", file), "utf8").matchAll(/^export (?:declare )?(?:const|function|class) (\w+)/gm)].map(([, name]) => name);
  return Promise.all(
    [["index.d.ts", "index.js"], ["protobuf.d.ts", "protobuf.js"], ["testing.d.ts", "testing/index.js"], ["build.d.ts", "build/index.js"]].map(async ([types, source]) => {
      assert.deepEqual([...new Set(declared(types))].sort(), Object.keys(await import(`../src/${source}`)).sort(), types);
    }),
  );
});

test("the globals declare what is installed", () => {
  const declared = [...readFileSync(join(SDK, "types/globals.d.ts"), "utf8").matchAll(/^declare (?:var|function|class) (\w+)/gm)].map(([, name]) => name);
  const own = readFileSync(join(SDK, "src/platform/install.js"), "utf8");
  // QuickJS itself has these.
  const engine = ["atob", "btoa", "performance", "DOMException"];
  for (const name of declared) assert.ok(engine.includes(name) || new RegExp(`\\b${name}\\b`).test(own), name);
});

test("an actor becomes a component", () => {
  scratch({ "src/counter.ts": COUNTER }, (folder) => {
    const { status, out } = ractorGuest(folder, "build", "src/counter.ts");
    assert.equal(status, 0, out);
    assert.match(out, /^counter\.wasm: \d\.\d MB\n$/);
    const component = readFileSync(join(folder, "counter.wasm"));
    assert.equal(component.subarray(0, 8).toString("hex"), "0061736d0d000100");
    assert.deepEqual(readdirSync(folder).sort(), ["counter.wasm", "src"]);
  });
});

/** A source, and what is said of it. */
const wrong = {
  "a mistake that TypeScript sees": [COUNTER.replace("s.count,", "String(s.count),"), /counter\.ts has mistakes that TypeScript found[^]*counter\.ts\(5,\d+\): error TS2322/],
  "a package that isn't there": [`import "nothing-here";\n${COUNTER}`, /Could not resolve "nothing-here"/],
  "a module of Node": [`import { readFileSync } from "node:fs";\nreadFileSync;\n${COUNTER}`, /node:fs belongs to Node; an actor runs in QuickJS/],
  "the fake node": [`import { TestNode } from "ractor-guest/testing";\nTestNode;\n${COUNTER}`, /ractor-guest\/testing can't be part of an actor: it is for tests/],
  "no actor": ["export const nothing = 1;\n", /the module exports no actor: write `export default implement\(…\)`/],
  "an error while it is evaluated": [`${COUNTER}\nfunction early() { throw new Error("too early"); }\nearly();\n`, /throws while it is evaluated, which happens once, when the component is built:\n.*too early[^]*src\/counter\.ts:8/],
  "an actor's doings outside of handlers": [`import { me } from "ractor-guest";\n${COUNTER}console.log(me.name);\n`, /no actor runs: what actors do goes into handlers/],
};

for (const [name, [source, expected]] of Object.entries(wrong)) {
  test(`no component is made of ${name}, and it is said why`, () => {
    scratch({ "src/counter.ts": source }, (folder) => {
      const unchecked = name.startsWith("a mistake") ? [] : ["--no-check"];
      const { status, out } = ractorGuest(folder, "build", "src/counter.ts", ...unchecked);
      assert.equal(status, 1, out);
      assert.match(out, expected);
      assert.ok(!existsSync(join(folder, "counter.wasm")));
    });
  });
}

test("a tsconfig.json decides what is checked", () => {
  scratch({ "counter.ts": COUNTER.replace("(s, n) {", "(s, n) { const unused = 1;"), "tsconfig.json": "{}", "package.json": "{}" }, (folder) => {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(SDK, join(folder, "node_modules/ractor-guest"));
    const config = { compilerOptions: { strict: true, target: "es2023", module: "esnext", moduleResolution: "bundler", noUnusedLocals: true, types: [] }, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { status, out } = ractorGuest(folder, "check", "counter.ts");
    assert.equal(status, 1);
    assert.match(out, /'unused' is declared but its value is never read/);
  });
});

test("what isn't understood is explained", () => {
  scratch({}, (folder) => {
    assert.match(ractorGuest(folder, "build", "nothing.ts").out, /^error: there is no file nothing\.ts\n/);
    assert.match(ractorGuest(folder, "bild").out, /^error: there is no command bild\n[^]*ractor-guest build/);
    assert.match(ractorGuest(folder, "build", "--fast", "a.ts").out, /--fast/);
    assert.match(ractorGuest(folder, "--version").out, /^\d+\.\d+\.\d+\n$/);
    assert.equal(ractorGuest(folder).status, 2);
  });
});

test("tests may be in TypeScript", () => {
  const unit = `import assert from "node:assert/strict";
    import test from "node:test";
    import { TestNode } from "ractor-guest/testing";
    import counter from "./counter.ts";
    test("it counts", async () => {
      const actor = await new TestNode().start(counter, { start: 5n });
      actor.add(3n);
      const count: bigint = await actor.get();
      assert.equal(count, 8n);
    });`;
  scratch({ "counter.ts": COUNTER, "counter.test.ts": unit, "package.json": '{"type":"module"}' }, (folder) => {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(SDK, join(folder, "node_modules/ractor-guest"));
    for (const named of [["counter.test.ts"], []]) {
      const { status, out } = ractorGuest(folder, "test", ...named);
      assert.equal(status, 0, out);
      assert.match(out, /pass 1\b/);
    }
  });
});

test("the package has what it needs: a component is built from its archive", () => {
  scratch({ "project/counter.ts": COUNTER, "project/package.json": '{"type":"module","private":true}' }, (folder) => {
    const [{ filename, files }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: SDK, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    assert.ok(files.every(({ path }) => !path.startsWith("test/")), "tests are left out");
    const project = join(folder, "project");
    const packages = join(project, "node_modules");
    mkdirSync(join(packages, "ractor-guest"), { recursive: true });
    execFileSync("tar", ["-xzf", join(folder, filename), "-C", join(packages, "ractor-guest"), "--strip-components=1"]);
    // What it depends on, in the pinned versions, as npm would install it; without a network.
    const { dependencies } = JSON.parse(readFileSync(join(packages, "ractor-guest/package.json"), "utf8"));
    for (const name of readdirSync(join(SDK, "node_modules")).filter((entry) => !entry.startsWith("."))) {
      symlinkSync(join(realpathSync(join(SDK, "node_modules")), name), join(packages, name));
    }
    for (const [name, version] of Object.entries(dependencies)) {
      assert.equal(JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")).version, version, `${name} is pinned`);
    }
    const built = spawnSync(process.execPath, [join(packages, "ractor-guest/bin/ractor-guest.js"), "build", "counter.ts"], { cwd: project, encoding: "utf8" });
    assert.equal(built.status, 0, built.stdout + built.stderr);
    assert.ok(existsSync(join(project, "counter.wasm")));
  });
});
