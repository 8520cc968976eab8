// From an actor's source to a component.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { BUNDLE, bundle, bundleRuntime, bundleSource } from "./bundle.js";
import { check } from "./check.js";
import { BuildError } from "./error.js";
import { SDK } from "./sdk.js";

/** The worlds of an actor, and of a runtime. */
const [ACTOR, RUNTIME] = ["complete-actor", "scripted-actor"];

/** What componentize-qjs says when the module itself throws. */
const EVALUATION = /^.*(?:Failed to evaluate user JavaScript module|module evaluation): ?/s;

function explain(error, lines) {
  const text = lines.translate(String(error?.message ?? error), BUNDLE);
  if (!EVALUATION.test(text)) return `componentize-qjs: ${text}`;
  const reason = text.replace(EVALUATION, "").trim();
  return `the module throws while it is evaluated, which happens once, when the component is built:\n  ${reason.replaceAll("\n", "\n  ")}`;
}

/** What componentize-qjs makes of a bundle, which it wants as a file too. */
async function componentOf(code, world) {
  // Not for a source: it takes a while to load.
  const { componentize } = await import("componentize-qjs");
  const scratch = await mkdtemp(join(tmpdir(), "ractor-guest-"));
  try {
    const file = join(scratch, BUNDLE);
    await writeFile(file, code);
    const made = await componentize({ witPath: join(SDK, "wit"), world, jsSource: code, jsPath: file, sync: true });
    return made.component;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Makes the component, or says what is wrong in lines of the source. */
async function made({ code, lines }, world) {
  try {
    return await componentOf(code, world);
  } catch (error) {
    throw new BuildError(explain(error, lines));
  }
}

async function write(output, content, work) {
  const target = resolve(work, output);
  await mkdir(dirname(target), { recursive: true });
  // Whoever watches the file sees it whole.
  await writeFile(`${target}.part`, content);
  await rename(`${target}.part`, target);
  return content.length;
}

function sourceOf(entry, work) {
  const source = resolve(work, entry);
  if (!existsSync(source)) throw new BuildError(`there is no file ${entry}`);
  return source;
}

/** The bundle of a source whose types are checked meanwhile. The first mistake counts, and nobody waits for the other. */
async function beside(source, checked, bundling) {
  const end = new AbortController();
  try {
    const [bundled] = await Promise.all([bundling, checked ? check(source, end.signal) : undefined]);
    return bundled;
  } finally {
    end.abort();
  }
}

/**
 * Builds the actor that the module `entry` exports by default.
 * `output` is the file to write; `checked` says whether TypeScript checks it; `warn` gets warnings.
 */
export async function buildActor({ entry, output, checked = true, work = process.cwd(), warn = () => {} }) {
  const source = sourceOf(entry, work);
  const built = await beside(source, checked, bundle(source, work));
  built.warnings.forEach((text) => warn(text));
  return write(output, await made(built, ACTOR), work);
}

/** Writes the same actor as one text, which the runtime runs. */
export async function buildSource({ entry, output, checked = true, work = process.cwd(), warn = () => {} }) {
  const source = sourceOf(entry, work);
  const { code, warnings } = await beside(source, checked, bundleSource(source, work));
  warnings.forEach((text) => warn(text));
  return write(output, code, work);
}

/** Builds the runtime: a component that runs what `buildSource` writes. */
export async function buildRuntime({ output, work = process.cwd() }) {
  return write(output, await made(await bundleRuntime(work), RUNTIME), work);
}
