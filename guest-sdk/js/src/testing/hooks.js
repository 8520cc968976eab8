// Makes JavaScript of TypeScript files as Node imports them. Types are not checked here: `ractor-guest check` and the build do that.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

const TYPESCRIPT = /\.[cm]?tsx?$/;

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    // TypeScript's own way to write imports names the JavaScript that a file becomes.
    const source = specifier.replace(/\.js$/, ".ts");
    if (source === specifier || error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return await next(source, context).catch(() => {
      throw error;
    });
  }
}

export async function load(url, context, next) {
  if (!url.startsWith("file:") || !TYPESCRIPT.test(url) || url.includes("/node_modules/")) return next(url, context);
  const file = fileURLToPath(url);
  const { code } = await transform(await readFile(file, "utf8"), { format: "esm", loader: "ts", sourcefile: file, sourcemap: "inline", target: "node20" });
  return { format: "module", source: code, shortCircuit: true };
}
