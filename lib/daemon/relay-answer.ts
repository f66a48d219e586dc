import { withoutSecrets } from "../agent/credentials.ts";
import { createUseMeter } from "../agent/use-meter.ts";
import type { RelayCall } from "../backends/relay-call.ts";
import type { Clock } from "../base/clock.ts";
import type { TokenPrice } from "../sweep/config.ts";
import type { RelayEnd, RelayFrame } from "../tasks/relay-files.ts";
import { priceUse } from "../tasks/use-price.ts";

export interface AnswerParts {
  call: RelayCall;
  price: TokenPrice | undefined;
  clock: Clock;
  fetch: typeof fetch;
  signal: AbortSignal;
  /** Throws when nobody can be told any more. */
  write(frame: RelayFrame): void;
}

const SILENT_MS = 5 * 60_000;
const TOTAL_MS = 25 * 60_000;
const ALIVE_MS = 20_000;
/** Pieces that come close together are told together. Milliseconds. */
const TOGETHER_MS = 60;
const LONGEST_ANSWER = 64 * 1024 * 1024;
const LONGEST_ERROR = 64 * 1024;

/** Asks the model and hands on what it says as it comes. Resolves to what it used. Throws what broke it. */
export async function answerCall(parts: AnswerParts): Promise<RelayEnd["use"]> {
  const { call, clock, write } = parts;
  const over = new AbortController();
  const stop = () => over.abort(parts.signal.reason);
  parts.signal.addEventListener("abort", stop, { once: true });
  if (parts.signal.aborted) stop();
  const watch = startWatch(clock, over, write);
  let meter: ReturnType<typeof createUseMeter> | undefined;
  let isTold = false;
  const used = () => useOf(meter, parts);
  try {
    const response = await parts.fetch(call.url, {
      method: "POST",
      headers: call.headers,
      body: call.body,
      // Another host would get the key along.
      redirect: "manual",
      signal: over.signal,
    });
    watch.alive();
    const { status, headers } = response;
    const type = headers.get("content-type")?.slice(0, 200) ?? "application/octet-stream";
    if (status >= 300 && status < 400) {
      await response.body?.cancel();
      return refuse(write, 502, "The model's address redirects elsewhere");
    }
    const retryAfter = headers.get("retry-after")?.slice(0, 100);
    write({
      head: { status, type, ...(retryAfter === undefined ? {} : { retryAfter }) },
    });
    isTold = true;
    if (!response.ok) {
      const text = await textOf(response, watch.alive);
      write({ data: Buffer.from(withoutSecrets(text, call.secrets)).toString("base64") });
      write({ end: {} });
      return undefined;
    }
    meter = createUseMeter(call.kind, {
      isStream: type.startsWith("text/event-stream"),
      promptLength: call.body.length,
    });
    await pass(response, { ...parts, meter, alive: watch.alive });
    const use = used();
    write({ end: use === undefined ? {} : { use } });
    return use;
  } catch (error) {
    const why = parts.signal.aborted ? "The call was given up" : watch.why();
    const clean = withoutSecrets(why ?? messageOf(error), call.secrets);
    tell(() =>
      isTold ? write({ broken: clean }) : void refuse(write, why === undefined ? 502 : 504, clean)
    );
    return used();
  } finally {
    watch.stop();
    parts.signal.removeEventListener("abort", stop);
    over.abort();
  }
}

async function pass(
  response: Response,
  { clock, write, meter, alive }: AnswerParts & {
    meter: ReturnType<typeof createUseMeter>;
    alive(): void;
  },
): Promise<void> {
  let held: Uint8Array[] = [];
  let sum = 0;
  let flushing: Promise<void> | undefined;
  let failed: unknown;
  const flush = () => {
    if (held.length > 0) write({ data: Buffer.concat(held).toString("base64") });
    held = [];
  };
  for await (const bytes of response.body ?? []) {
    alive();
    sum += bytes.byteLength;
    if (sum > LONGEST_ANSWER) throw new Error("The model's answer is longer than any may be");
    if (failed !== undefined) throw failed;
    meter.add(bytes);
    held.push(bytes);
    flushing ??= clock.sleep(TOGETHER_MS).then(flush).catch((error) => {
      failed = error;
    }).finally(() => flushing = undefined);
  }
  await flushing;
  if (failed !== undefined) throw failed;
  flush();
}

/** Ends a call that says nothing for too long, and says meanwhile that it is worked on. */
function startWatch(clock: Clock, over: AbortController, write: (frame: RelayFrame) => void) {
  const begun = clock.now();
  const ended = new AbortController();
  let heardAt = begun;
  let why: string | undefined;
  void (async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(ALIVE_MS, ended.signal);
      const now = clock.now();
      if (now - heardAt > SILENT_MS) why = `The model was silent for ${SILENT_MS / 1000} s`;
      if (now - begun > TOTAL_MS) why = `The model was not done after ${TOTAL_MS / 60_000} minutes`;
      if (why !== undefined) return over.abort();
      write({ alive: true });
    }
  })().catch(() => ended.signal.aborted || over.abort());
  return {
    alive: () => heardAt = clock.now(),
    why: () => why,
    stop: () => ended.abort(),
  };
}

function useOf(
  meter: ReturnType<typeof createUseMeter> | undefined,
  { call: { model }, price }: AnswerParts,
): RelayEnd["use"] {
  const used = meter?.used();
  if (used === undefined) return undefined;
  const { usd } = priceUse({ model, ...used.tokens, usd: used.usd }, { model, price });
  return { model, ...used.tokens, ...(usd === null ? {} : { usd }) };
}

/** As both kinds of API tell an error. */
export function refuse(
  write: (frame: RelayFrame) => void,
  status: number,
  message: string,
): undefined {
  const text = JSON.stringify({ type: "error", error: { type: "relay_error", message } });
  write({ head: { status, type: "application/json" } });
  write({ data: Buffer.from(text).toString("base64") });
  write({ end: {} });
}

async function textOf(response: Response, alive: () => void): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    alive();
    text += decoder.decode(bytes, { stream: true });
    if (text.length > LONGEST_ERROR) return text.slice(0, LONGEST_ERROR);
  }
  return text + decoder.decode();
}

function messageOf(error: unknown): string {
  return `The model's server cannot be reached: ${(error as Error).message ?? "unknown"}`
    .slice(0, 300);
}

/** Whoever asked may be gone, and its files with it. */
function tell(write: () => void): void {
  try {
    write();
  } catch {
    // Nobody is there to be told.
  }
}
