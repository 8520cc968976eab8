// `ractor-guest/build`: what the program `ractor-guest` does, for other programs.

export { buildActor, buildRuntime, buildSource } from "./build.js";
export { check } from "./check.js";
export { BuildError } from "./error.js";
