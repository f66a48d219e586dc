import type { Clock } from "../base/clock.ts";
import type { AgentSettings } from "../sweep/config.ts";
import type { ModelFailure } from "./agent.ts";
import { shownUrl, withoutSecrets } from "./credentials.ts";
import type { ModelCall, ModelOutcome } from "./model-call.ts";
import { failure, ModelError, modelFailure } from "./model-failure.ts";
import { openAiBody, type OpenAiHabits } from "./openai-body.ts";
import { createChunkReader } from "./openai-reader.ts";
import { type OpenAiWireParts, postChat, RefusedParameterError } from "./openai-wire.ts";
import { startWatchdog } from "./watchdog.ts";

export interface OpenAiCallParts {
  /** Up to and without `/chat/completions`. */
  url: string;
  /** Undefined for a server that wants none. */
  apiKey: string | undefined;
  /** Beside herd's own; they win. */
  headers: Readonly<Record<string, string>>;
  model: string;
  dialect: OpenAiHabits["dialect"];
  thinking: OpenAiHabits["thinking"];
  settings: AgentSettings;
  clock: Clock;
  fetch?: typeof fetch;
}

/** A call that trickles on for so many times the longest silence is ended too. */
const TOTAL_SILENCES = 5;
/** What may be left out, or said in another way, when a server refuses it. */
const OPTIONAL: readonly string[] = [
  "max_tokens",
  "reasoning",
  "reasoning_effort",
  "stream_options",
  "usage",
];
const CUT = "The model's answer was cut off in the middle";

/**
 * The call that the loop makes. It remembers which optional parameters the server refused: older
 * models know no `reasoning_effort`, newer ones no `max_tokens`.
 */
export function createOpenAiCall(
  parts: OpenAiCallParts,
): (call: ModelCall) => Promise<ModelOutcome> {
  const refused = new Set<string>();
  return async (call) => {
    for (;;) {
      const outcome = await callOnce(call, parts, refused);
      const { parameter } = outcome;
      if (parameter === undefined || refused.has(parameter)) return outcome.outcome;
      refused.add(parameter);
    }
  };
}

interface Once {
  outcome: ModelOutcome;
  /** An optional parameter that the server refuses. */
  parameter?: string;
}

async function callOnce(
  call: ModelCall,
  parts: OpenAiCallParts,
  refused: ReadonlySet<string>,
): Promise<Once> {
  const { clock, dialect, thinking } = parts;
  const silenceMs = parts.settings.timeoutSeconds * 1000;
  const body = openAiBody(call, parts.model, { dialect, thinking, refused });
  const reader = createChunkReader(call.onText, JSON.stringify(body).length);
  const ended = new AbortController();
  const abort = () => ended.abort();
  call.signal.addEventListener("abort", abort, { once: true });
  if (call.signal.aborted) abort();
  const watchdog = startWatchdog({
    clock,
    silenceMs: () => silenceMs,
    totalMs: silenceMs * TOTAL_SILENCES,
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
    const wire = wireOf(parts, watchdog.alive);
    const read = postChat(wire, {
      body,
      signal: ended.signal,
      onChunk(chunk) {
        if (!reader.add(chunk)) throw tooLong();
      },
    });
    await unlessAborted(read, ended.signal);
    const nothing = reader.used() === undefined;
    return {
      outcome: whole() ?? stopped(
        nothing
          ? failure("unreadable", "The model's server answered with nothing")
          : failure("unreachable", CUT),
      ),
    };
  } catch (error) {
    const expired = watchdog.expired();
    if (expired !== undefined) return { outcome: stopped(tooSlow(expired, silenceMs)) };
    const problem = modelFailure(error, {
      url: shownUrl(parts.url),
      now: clock.now(),
      clean: (text) => withoutSecrets(text, secretsOf(parts)),
    });
    const broke = problem.kind === "unreachable" && reader.used() !== undefined;
    // A connection that breaks after the last word has lost nothing.
    const outcome = (broke ? whole() : undefined) ??
      stopped(broke ? failure("unreachable", CUT) : problem);
    return error instanceof RefusedParameterError && OPTIONAL.includes(error.parameter)
      ? { outcome, parameter: error.parameter }
      : { outcome };
  } finally {
    watchdog.stop();
    call.signal.removeEventListener("abort", abort);
    ended.abort();
  }
}

function wireOf(parts: OpenAiCallParts, onBytes: () => void): OpenAiWireParts {
  return {
    url: parts.url,
    shown: shownUrl(parts.url),
    headers: headersOf(parts),
    fetch: parts.fetch ?? fetch,
    now: parts.clock.now,
    clean: (text) => withoutSecrets(text, secretsOf(parts)),
    onBytes,
  };
}

/** The key, and the values of headers, where keys of gateways stand. */
function secretsOf({ apiKey, headers }: OpenAiCallParts): (string | undefined)[] {
  return [apiKey, ...Object.values(headers)];
}

function headersOf({ apiKey, headers: more }: OpenAiCallParts): Headers {
  const headers = new Headers({
    "content-type": "application/json",
    accept: "text/event-stream",
    "user-agent": "herd",
  });
  const all: Record<string, string> = apiKey === undefined
    ? { ...more }
    : { authorization: `Bearer ${apiKey}`, ...more };
  for (const [name, value] of Object.entries(all)) {
    try {
      headers.set(name, value);
    } catch {
      // The runtime's own message quotes the value.
      const shown = JSON.stringify(name.slice(0, 60));
      const message = `Cannot ask the model: header ${shown} holds characters that no header may`;
      throw new ModelError(failure("auth", message));
    }
  }
  return headers;
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

function tooSlow(expired: "silence" | "total", silenceMs: number): ModelFailure {
  const message = expired === "silence"
    ? `The model was silent for ${silenceMs / 1000} s`
    : `The model was not done after ${silenceMs * TOTAL_SILENCES / 1000} s`;
  return failure("timeout", message);
}

function tooLong(): ModelError {
  const message = "Cannot read the model's answer: it is longer than any answer may be";
  return new ModelError(failure("unreadable", message));
}
