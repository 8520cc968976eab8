// The runtime of sources: a component that runs the text that node.toml names as `source`. What the build generates calls it.
//
// QuickJS evaluates a text at any time, but no modules, and it never runs the jobs of its own promises in a component. So the text is what
// esbuild makes of an actor and its packages: one script, without `import`, and with `async` functions in terms of generators.

import { component } from "./component.js";
import { setSourceLines, withStack } from "./platform/stacks.js";
import { SOURCE_MARK } from "./source-mark.js";

/** What a component exports: see src/component.js. */
const EXPORTS = {
  actor: ["describe", "preStart", "postStart", "handleCast", "handleCall", "handleSupervisorEvt", "postStop"],
  calls: ["handleCall"],
  replies: ["handleReply", "handleWake"],
  batch: ["handleCasts"],
  reload: ["snapshot", "restore", "postReload"],
  contract: ["describe"],
};

/** Indirectly, so that the text sees nothing but globals. */
const evaluate = globalThis.eval;

/** The module that a text is. What it imports is in `modules`. */
function run(text, modules) {
  const require = (name) => {
    if (Object.hasOwn(modules, name)) return modules[name];
    throw new TypeError(`this runtime has no ${name}; build it and the source with one version of ractor-host`);
  };
  const module = { exports: {} };
  // On the first line of the text, whose lines keep their numbers.
  evaluate(`(function (require, module, exports, lines) {${text}\n})`)(require, module, module.exports, setSourceLines);
  return module.exports.default;
}

/** An error on one line for the first, with the line of the source that it comes from. */
function described(error) {
  const [text, ...frames] = withStack(error).split("\n");
  const place = /\(?([^\s()]+):(\d+)\)?$/.exec(frames.find((frame) => /^\s*at /.test(frame)) ?? "");
  return place ? `${place[1]}, line ${place[2]}: ${text}` : text;
}

/** The exports of a component that runs the source of each instance. */
export function interpreter(modules, source, host) {
  let made;
  const load = () => {
    const file = source.load();
    if (!file) {
      return source.refuse('this component is a runtime of JavaScript and has nothing to run: write `source = "build/FILE.js"` beside its `path`');
    }
    if (!file.text.startsWith(SOURCE_MARK)) {
      return source.refuse(
        `${file.name} is a source as it was written; the runtime runs what \`ractor-host build --runtime js --source ${file.name}\` makes of it, which is in build/`,
      );
    }
    try {
      return component(run(file.text, modules), host);
    } catch (error) {
      return source.refuse(described(error));
    }
  };
  const wrapped = Object.entries(EXPORTS).map(([face, names]) => [
    face,
    Object.fromEntries(names.map((name) => [name, (...given) => (made ??= load())[face][name](...given)])),
  ]);
  return Object.fromEntries(wrapped);
}
