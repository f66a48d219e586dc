import type { Clock } from "../base/clock.ts";
import type { ModelFailure } from "./agent.ts";
import type { CallUse, ModelOutcome, ModelReply } from "./model-call.ts";
import { failure } from "./model-failure.ts";
import { startWatchdog } from "./watchdog.ts";

/** Puts an answer together as it comes; each part is undefined, or empty, while it is not there. */
export interface ReplyReader {
  text(): string;
  reply(): ModelReply | undefined;
  used(): CallUse | undefined;
}

export interface WatchedCallParts {
  clock: Clock;
  /** The longest silence of the server, milliseconds. */
  silenceMs: number;
  signal: AbortSignal;
  reader: ReplyReader;
  /** Reads all of the answer into the reader; `alive` whenever bytes came. */
  read(signal: AbortSignal, alive: () => void): Promise<unknown>;
  /** What an error of `read` means. */
  problemOf(error: unknown): ModelFailure;
}

/** A call that trickles on for so many times the longest silence is ended too. */
const TOTAL_SILENCES = 5;

const CUT = "The model's answer was cut off in the middle";

/** Reads one answer of a model, however its server speaks; ended by silence, length or the signal. */
export async function watchedCall(parts: WatchedCallParts): Promise<ModelOutcome> {
  const { clock, silenceMs, signal, reader } = parts;
  const ended = new AbortController();
  const abort = () => ended.abort();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const totalMs = silenceMs * TOTAL_SILENCES;
  const watchdog = startWatchdog({
    clock,
    silenceMs: () => silenceMs,
    totalMs,
    onExpired: abort,
  });
  const stopped = (problem: ModelFailure): ModelOutcome => ({
    ok: false,
    failure: problem,
    text: reader.text(),
    used: reader.used(),
  });
  const whole = (): ModelOutcome | undefined => {
    const [reply, used] = [reader.reply(), reader.used()];
    return reply && used && { ok: true, reply, used };
  };
  try {
    await unlessAborted(parts.read(ended.signal, watchdog.alive), ended.signal);
    const nothing = reader.used() === undefined;
    return whole() ?? stopped(
      nothing
        ? failure("unreadable", "The model's server answered with nothing")
        : failure("unreachable", CUT),
    );
  } catch (error) {
    const expired = watchdog.expired();
    if (expired === "silence") {
      return stopped(failure("timeout", `The model was silent for ${silenceMs / 1000} s`));
    }
    if (expired === "total") {
      return stopped(failure("timeout", `The model was not done after ${totalMs / 1000} s`));
    }
    const problem = parts.problemOf(error);
    const broke = problem.kind === "unreachable" && reader.used() !== undefined;
    // A connection that breaks after the last word has lost nothing.
    return (broke ? whole() : undefined) ??
      stopped(broke ? failure("unreachable", CUT) : problem);
  } finally {
    watchdog.stop();
    signal.removeEventListener("abort", abort);
    ended.abort();
  }
}

/** Settles when the signal does, whether or not the work listens to it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error("aborted"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
