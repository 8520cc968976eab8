// From an actor's source to a component.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { componentize } from "componentize-qjs";

import { BUNDLE, bundle } from "./bundle.js";
import { check } from "./check.js";
import { BuildError } from "./error.js";
import { SDK } from "./sdk.js";

const WORLD = "complete-actor";

/** What componentize-qjs says when the module itself throws. */
const EVALUATION = /^.*(?:Failed to evaluate user JavaScript module|module evaluation): ?/s;

function explain(error, lines) {
  const text = lines.translate(String(error?.message ?? error), BUNDLE);
  if (!EVALUATION.test(text)) return `componentize-qjs: ${text}`;
  const reason = text.replace(EVALUATION, "").trim();
  return `the module throws while it is evaluated, which happens once, when the component is built:\n  ${reason.replaceAll("\n", "\n  ")}`;
}

/** What componentize-qjs makes of a bundle, which it wants as a file too. */
async function componentOf(code) {
  const scratch = await mkdtemp(join(tmpdir(), "ractor-guest-"));
  try {
    const file = join(scratch, BUNDLE);
    await writeFile(file, code);
    const made = await componentize({ witPath: join(SDK, "wit"), world: WORLD, jsSource: code, jsPath: file, sync: true });
    return made.component;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Builds the actor that the module `entry` exports by default.
 * `output` is the file to write; `checked` says whether TypeScript checks it first; `warn` gets warnings.
 */
export async function buildActor({ entry, output, checked = true, work = process.cwd(), warn = () => {} }) {
  const source = resolve(work, entry);
  if (!existsSync(source)) throw new BuildError(`there is no file ${entry}`);
  if (checked) check(source);
  const { code, lines, warnings } = await bundle(source, work);
  warnings.forEach((text) => warn(text));
  let made;
  try {
    made = await componentOf(code);
  } catch (error) {
    throw new BuildError(explain(error, lines));
  }
  const target = resolve(work, output);
  await mkdir(dirname(target), { recursive: true });
  // Whoever watches the file sees it whole.
  await writeFile(`${target}.part`, made);
  await rename(`${target}.part`, target);
  return made.length;
}
