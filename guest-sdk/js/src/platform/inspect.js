// Values as `console.log` shows them.

const DEEPEST = 4;
const MOST = 100;

const quoted = (text) => JSON.stringify(text);
const keyed = (key) => (typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key));

function entries(list, show, open, close) {
  const shown = list.slice(0, MOST).map(show);
  if (list.length > MOST) shown.push(`… ${list.length - MOST} more`);
  const line = shown.join(", ");
  if (line.length === 0) return `${open}${close}`;
  return line.length > 100 ? `${open}\n  ${shown.join(",\n").replaceAll("\n", "\n  ")}\n${close}` : `${open} ${line} ${close}`;
}

function inspectObject(value, path, stack) {
  if (value instanceof Error) return stack(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (path.includes(value)) return "[circular]";
  const name = value.constructor?.name ?? "null prototype";
  if (path.length >= DEEPEST) return Array.isArray(value) ? "[array]" : `[${name}]`;
  const inner = (item) => inspect(item, stack, [...path, value]);
  if (Array.isArray(value)) return entries(value, inner, "[", "]");
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return entries([...value.subarray(0, MOST + 1)], inner, `${name}(${value.length}) [`, "]");
  if (value instanceof Map) return entries([...value], ([key, item]) => `${inner(key)} => ${inner(item)}`, `Map(${value.size}) {`, "}");
  if (value instanceof Set) return entries([...value], inner, `Set(${value.size}) {`, "}");
  if (value[Symbol.toStringTag] === "Promise") return "Promise {}";
  return entries(Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key)), (key) => `${keyed(key)}: ${inner(value[key])}`, name === "Object" ? "{" : `${name} {`, "}");
}

/** A value as text. `stack` shows an error. */
export function inspect(value, stack, path = []) {
  switch (typeof value) {
    case "string":
      return path.length > 0 ? quoted(value) : value;
    case "bigint":
      return `${value}n`;
    case "symbol":
      return String(value);
    case "function":
      return `[function ${value.name || "without a name"}]`;
    case "object":
      return value === null ? "null" : inspectObject(value, path, stack);
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}

const DIRECTIVES = /%[sdifjoOc%]/g;

/** The arguments of `console.log` as text: `%s` and the like in the first are replaced. */
export function format(values, stack) {
  const rest = [...values];
  const show = (value) => inspect(value, stack);
  const parts = [];
  if (typeof rest[0] === "string" && rest.length > 1) {
    const first = rest.shift();
    parts.push(
      first.replace(DIRECTIVES, (directive) => {
        if (directive === "%%") return "%";
        if (rest.length === 0) return directive;
        const value = rest.shift();
        if (directive === "%c") return "";
        if (directive === "%d") return typeof value === "bigint" ? show(value) : String(Number(value));
        if (directive === "%i") return typeof value === "bigint" ? show(value) : String(Number.parseInt(value, 10));
        if (directive === "%f") return String(Number.parseFloat(value));
        if (directive === "%j") return JSON.stringify(value);
        return show(value);
      }),
    );
  }
  return [...parts, ...rest.map(show)].join(" ");
}
