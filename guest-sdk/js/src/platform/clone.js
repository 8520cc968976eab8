// `structuredClone`, of what a component can have.

const uncloneable = (value) => new DOMException(`${String(value)} can't be cloned`, "DataCloneError");

function cloneView(value, clone) {
  const buffer = clone(value.buffer);
  if (value instanceof DataView) return new DataView(buffer, value.byteOffset, value.byteLength);
  return new value.constructor(buffer, value.byteOffset, value.length);
}

const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(value, clone) {
  const Kind = ERRORS[value.name] ?? Error;
  const made = new Kind(value.message, "cause" in value ? { cause: clone(value.cause) } : undefined);
  Object.defineProperty(made, "stack", { value: value.stack, writable: true, configurable: true });
  return made;
}

export function structuredClone(value) {
  /** What was cloned already: an object that is there twice, or within itself, stays one. */
  const seen = new Map();
  const remember = (original, made) => (seen.set(original, made), made);
  const clone = (one) => {
    if (typeof one === "function" || typeof one === "symbol") throw uncloneable(one);
    if (one === null || typeof one !== "object") return one;
    return seen.get(one) ?? cloneObject(one);
  };
  const cloneObject = (one) => {
    if (one instanceof Boolean || one instanceof Number || one instanceof String) return remember(one, Object(one.valueOf()));
    if (one instanceof Date) return remember(one, new Date(one.getTime()));
    if (one instanceof RegExp) return remember(one, new RegExp(one.source, one.flags));
    if (one instanceof ArrayBuffer) return remember(one, one.slice(0));
    if (ArrayBuffer.isView(one)) return remember(one, cloneView(one, clone));
    if (one instanceof Error) return remember(one, cloneError(one, clone));
    if (one instanceof Map) {
      const made = remember(one, new Map());
      for (const [key, item] of one) made.set(clone(key), clone(item));
      return made;
    }
    if (one instanceof Set) {
      const made = remember(one, new Set());
      for (const item of one) made.add(clone(item));
      return made;
    }
    if (one instanceof WeakMap || one instanceof WeakSet || one[Symbol.toStringTag] === "Promise") throw uncloneable(one);
    const made = remember(one, Array.isArray(one) ? new Array(one.length) : {});
    for (const key of Object.keys(one)) made[key] = clone(one[key]);
    return made;
  };
  return clone(value);
}
