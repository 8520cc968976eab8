/** What can't be built, for a reason that its text says whole. */
export class BuildError extends Error {}

/**
 * Builds the actor that a module exports by default. Gives the size of the component in bytes. Throws `BuildError`.
 */
export function buildActor(options: {
  /** The module, TypeScript or JavaScript. */
  entry: string;
  /** The component to write. */
  output: string;
  /** Whether TypeScript checks the module meanwhile; it does unless this is false. */
  checked?: boolean;
  /** The folder that relative paths, and the names of sources in stacks, are from. */
  work?: string;
  /** Gets warnings. */
  warn?: (text: string) => void;
}): Promise<number>;

/**
 * Writes the same actor as one text, which the runtime runs: the `source` of a module in node.toml. Takes milliseconds, and the check of types
 * half a second. Gives the size of the text in UTF-16 units. Throws `BuildError`.
 */
export function buildSource(options: {
  /** The module, TypeScript or JavaScript. */
  entry: string;
  /** The text to write. */
  output: string;
  /** Whether TypeScript checks the module meanwhile; it does unless this is false. */
  checked?: boolean;
  /** The folder that relative paths, and the names of sources in stacks, are from. */
  work?: string;
  /** Gets warnings. */
  warn?: (text: string) => void;
}): Promise<number>;

/** Builds the runtime, a component that runs what `buildSource` writes. Gives its size in bytes. */
export function buildRuntime(options: {
  /** The component to write. */
  output: string;
  /** The folder that a relative path is from. */
  work?: string;
}): Promise<number>;

/** Checks the types of a module. Throws `BuildError`. */
export function check(entry: string, signal?: AbortSignal): Promise<void>;
