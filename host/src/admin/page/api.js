// Asking the node: requests with the token that the operator gave, and the stream of what happens.

const KEPT = "ractor-host.token";

// The node says something every 10 seconds at least, and keeps nobody waiting for longer than 20.
const SILENCE_MS = 30000;

/** What the node refused, in its words. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : `The node answered with status ${status}`);
    this.status = status;
    this.kind = problem.type ?? "";
  }
}

/** The token, which is kept as long as this tab and nowhere else. */
export const token = {
  value: () => sessionStorage.getItem(KEPT),
  set(text) {
    if (text) sessionStorage.setItem(KEPT, text);
    else sessionStorage.removeItem(KEPT);
  },
};

function headers(more) {
  const shown = token.value();
  return shown ? { ...more, authorization: `Bearer ${shown}` } : { ...more };
}

async function answer(response) {
  if (response.ok) return response.json();
  throw new Refused(response.status, await response.json().catch(() => ({})));
}

/** What the node says at an address below /v1. */
export async function get(path, signal) {
  const patience = AbortSignal.timeout(SILENCE_MS);
  const either = signal ? AbortSignal.any([signal, patience]) : patience;
  return answer(await fetch(`v1/${path}`, { headers: headers(), signal: either, cache: "no-store" }));
}

/** What does the same as `ask`, but never twice at a time, and not more often than this. */
export function calmly(ask, everyMs = 1000) {
  let isAsking = false;
  let isWanted = false;
  return async () => {
    isWanted = true;
    if (isAsking) return;
    isAsking = true;
    while (isWanted) {
      isWanted = false;
      await ask();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    isAsking = false;
  };
}

/** Has the node do something. */
export async function post(path, body) {
  const said = headers({ "content-type": "application/json" });
  return answer(await fetch(`v1/${path}`, { method: "POST", headers: said, body: JSON.stringify(body) }));
}

/** Has the node give something up. */
export async function end(path) {
  return answer(await fetch(`v1/${path}`, { method: "DELETE", headers: headers() }));
}

/** A number by which a request can be asked for again. */
export function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Nothing has come for too long. */
export class Silent extends Error {
  constructor(silenceMs) {
    super(`nothing has come from the node for ${silenceMs / 1000} seconds`);
  }
}

/** Reads server-sent events until they end, or nothing comes any more. `fetch` and not EventSource, which can't show a token. */
export async function follow(path, signal, on, silenceMs = SILENCE_MS) {
  const silent = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), silenceMs);
  };
  heard();
  try {
    await read(path, AbortSignal.any([signal, silent.signal]), heard, on);
  } catch (error) {
    throw silent.signal.aborted ? new Silent(silenceMs) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function read(path, signal, heard, on) {
  const response = await fetch(`v1/${path}`, { headers: headers({ accept: "text/event-stream" }), signal, cache: "no-store" });
  if (!response.ok) await answer(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const fields = Object.fromEntries(frame.split("\n").map((line) => line.split(/: ?(.*)/s)));
      if (fields.data) on(fields.event, JSON.parse(fields.data));
    }
  }
}
