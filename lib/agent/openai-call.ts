import type { Clock } from "../base/clock.ts";
import type { AgentSettings } from "../sweep/config.ts";
import { shownUrl, withoutSecrets } from "./credentials.ts";
import type { ModelCall, ModelOutcome } from "./model-call.ts";
import { failure, ModelError, modelFailure } from "./model-failure.ts";
import { openAiBody, type OpenAiHabits } from "./openai-body.ts";
import { createChunkReader } from "./openai-reader.ts";
import { type OpenAiWireParts, postChat, RefusedParameterError } from "./openai-wire.ts";
import { watchedCall } from "./watched-call.ts";

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

/** What may be left out, or said in another way, when a server refuses it. */
const OPTIONAL: readonly string[] = [
  "max_tokens",
  "reasoning",
  "reasoning_effort",
  "stream_options",
  "usage",
];

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
  parameter: string | undefined;
}

async function callOnce(
  call: ModelCall,
  parts: OpenAiCallParts,
  refused: ReadonlySet<string>,
): Promise<Once> {
  const { clock, dialect, thinking } = parts;
  const body = openAiBody(call, parts.model, { dialect, thinking, refused });
  const reader = createChunkReader(call, JSON.stringify(body).length);
  let parameter: string | undefined;
  const outcome = await watchedCall({
    clock,
    silenceMs: parts.settings.timeoutSeconds * 1000,
    signal: call.signal,
    reader,
    read: async (signal, alive) =>
      await postChat(wireOf(parts, alive), {
        body,
        signal,
        onChunk(chunk) {
          if (!reader.add(chunk)) throw tooLong();
        },
      }),
    problemOf(error) {
      if (error instanceof RefusedParameterError && OPTIONAL.includes(error.parameter)) {
        parameter = error.parameter;
      }
      return modelFailure(error, {
        url: shownUrl(parts.url),
        now: clock.now(),
        clean: (text) => withoutSecrets(text, secretsOf(parts)),
      });
    },
  });
  return { outcome, parameter };
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

function tooLong(): ModelError {
  const message = "Cannot read the model's answer: it is longer than any answer may be";
  return new ModelError(failure("unreadable", message));
}
