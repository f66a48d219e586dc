import type { IncomingMessage } from "node:http";
import { RefusedError, SchedulerError, UserError } from "../base/errors.ts";
import { exchange, noDaemon, textOf } from "./exchange.ts";
import { addressText } from "./exchange.ts";
import type { Address } from "./exchange.ts";
import { errorFrom, isFailureDocument } from "./failure.ts";
import { createFrameReader } from "./sse-text.ts";
import type { Frame } from "./sse-text.ts";

export interface Following {
  /** Go on behind this id; 0 from the beginning, absent from now on. */
  after?: number;
  signal?: AbortSignal;
  /** How long a daemon that went away is waited for; it may be restarting. Milliseconds. */
  patienceMs?: number;
  /** Silence that means a dead connection; the daemon says something every 15 s. */
  silenceMs?: number;
}

interface Opened extends Following {
  path: string;
  /** Where it is and what lets us in; asked for anew at each try, as a restart changes both. */
  door(isAgain: boolean): Promise<Door>;
}

export interface Door {
  address: Address;
  headers: Readonly<Record<string, string>>;
}

const PATIENCE_MS = 60_000;
const SILENCE_MS = 45_000;
const CONNECT_MS = 10_000;
const PAUSES = { shortest: 100, longest: 5000 };

/**
 * Hears a stream until its `end` frame or an abort, both of which resolve. Each
 * frame is waited for, so that a slow listener slows the stream and nothing piles up.
 */
export async function followEvents(
  opened: Opened,
  onEvent: (frame: Frame) => void | Promise<void>,
): Promise<void> {
  const { signal, patienceMs = PATIENCE_MS } = opened;
  let last = opened.after;
  let pause = PAUSES.shortest;
  let aliveAt = performance.now();
  let door = await opened.door(false);
  let restarts = false;
  while (!signal?.aborted) {
    try {
      const answer = await open(opened, door, last);
      restarts = false;
      const ended = await listen(answer, opened, async (frame) => {
        [pause, aliveAt] = [PAUSES.shortest, performance.now()];
        await onEvent(frame);
        if (frame.marked && frame.id !== undefined) last = Number(frame.id);
      });
      if (ended) return;
      restarts = true;
      aliveAt = performance.now();
    } catch (error) {
      if (signal?.aborted) return;
      // One that has just begun takes its sweeps one after the other.
      if (!mayReturn(error) && !restarts) throw error;
      if (performance.now() - aliveAt > patienceMs) throw noDaemon(addressText(door.address));
    }
    await rest(pause, signal);
    door = await opened.door(true);
    pause = Math.min(pause * 2, PAUSES.longest);
  }
}

/** Whether a later try may succeed: the daemon is away, or in the middle of a restart. */
function mayReturn(error: unknown): boolean {
  return error instanceof SchedulerError ||
    (error instanceof RefusedError && error.facts["daemon"] === "none");
}

async function open(
  { path, signal }: Opened,
  { address, headers }: Door,
  last: number | undefined,
): Promise<IncomingMessage> {
  const place = last === undefined ? {} : { "last-event-id": String(last) };
  const answer = await exchange(address, {
    method: "GET",
    path,
    headers: { ...headers, accept: "text/event-stream", ...place },
    timeoutMs: CONNECT_MS,
    signal,
  });
  const isStream = answer.headers["content-type"]?.startsWith("text/event-stream") === true;
  if (answer.statusCode === 200 && isStream) return answer;
  if (answer.statusCode === 200) {
    answer.destroy();
    throw new UserError(`Cannot follow "${path}": it is no stream`, {
      hint: "Streams are the paths that end in /events and /log/follow",
    });
  }
  const document: unknown = JSON.parse(await textOf(answer, CONNECT_MS));
  if (isFailureDocument(document)) throw errorFrom(document);
  throw new Error(`The daemon answered ${answer.statusCode}`);
}

/** True when the stream said that it has ended, false when it merely broke off. */
async function listen(
  answer: IncomingMessage,
  { signal, silenceMs = SILENCE_MS }: Opened,
  onFrame: (frame: Frame) => Promise<void>,
): Promise<boolean> {
  const read = createFrameReader();
  const decoder = new TextDecoder();
  const hangUp = () => answer.destroy();
  let silence = setTimeout(hangUp, silenceMs);
  signal?.addEventListener("abort", hangUp);
  const pieces = answer[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Only the connection breaks here: what the listener throws is its own affair.
      const piece = await pieces.next().catch(() => ({ done: true, value: undefined }));
      clearTimeout(silence);
      if (piece.done || signal?.aborted) return signal?.aborted === true;
      for (const frame of read(decoder.decode(piece.value, { stream: true }))) {
        if (frame.event === "end") return !endsForRestart(frame);
        await onFrame(frame);
        if (signal?.aborted) return true;
      }
      silence = setTimeout(hangUp, silenceMs);
    }
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener("abort", hangUp);
    answer.destroy();
  }
}

/** The daemon closes and still holds the sweep: another one may go on with it. */
function endsForRestart({ data }: Frame): boolean {
  try {
    return (JSON.parse(data) as { released?: unknown }).released === false;
  } catch {
    return false;
  }
}

function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
  });
}
