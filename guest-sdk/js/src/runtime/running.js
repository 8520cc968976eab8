// The actor that runs. A component is one actor; under `ractor-guest/testing` there are several, and each finds itself.

let find = () => undefined;

/** Says how the actor that runs is found. */
export function provide(how) {
  find = how;
}

/** The actor that runs. */
export function running() {
  const instance = find();
  if (!instance) {
    throw new Error(
      "no actor runs: what actors do goes into handlers and hooks, because the rest of a module runs once, when the component is built; and in tests, into those of an actor of a TestNode",
    );
  }
  return instance;
}

/** What the node offers the actor that runs: the interfaces of the WIT. */
export const host = () => running().host;

/** The actor that runs, or undefined where none does. */
export const runningOrNone = () => find();
