// Figures as people read them.

/** Bytes, in binary units. */
export function bytes(count) {
  let value = count;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024 || unit === "GiB") return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1024;
  }
  return `${value}`;
}

/** A count, with a thin space between its thousands. */
export function count(value) {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** How often each second. */
export function rate(value) {
  if (value === 0) return "0";
  if (value < 10) return value.toFixed(1);
  return count(value);
}

/** A part of one processor. */
export function share(value) {
  return `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
}

/** A time in microseconds. */
export function microseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1000) return `${value} µs`;
  if (value < 1e6) return `${(value / 1000).toFixed(1)} ms`;
  return `${(value / 1e6).toFixed(1)} s`;
}

/** How long something has lasted, in milliseconds. */
export function lasting(value) {
  const seconds = Math.floor(value / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** The time of day, and the date if that is not today's. */
export function clock(at) {
  const date = new Date(at);
  const time = date.toTimeString().slice(0, 8);
  return date.toDateString() === new Date().toDateString() ? time : `${date.toISOString().slice(0, 10)} ${time}`;
}

/** The digits of a digest that tell versions apart. */
export function version(digest) {
  return digest ? digest.replace("sha256:", "").slice(0, 12) : "–";
}
