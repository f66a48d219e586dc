import type { Model, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import type { Stream } from "@anthropic-ai/sdk/streaming";
import type { Clock } from "../base/clock.ts";
import type { AgentSettings } from "../sweep/config.ts";
import type { Agent, ModelFailure } from "./agent.ts";
import type { Patience } from "./ask.ts";
import { requestBody } from "./claude-body.ts";
import { createWire } from "./claude-wire.ts";
import {
  baseUrlOf,
  describeCredentials,
  type Environment,
  readSecret,
  type Secret,
  shownUrl,
  withoutSecrets,
} from "./credentials.ts";
import { runLoop } from "./loop.ts";
import { longestAnswer, type ModelCall, type ModelOutcome } from "./model-call.ts";
import { failure, ModelError, modelFailure } from "./model-failure.ts";
import { createReplyReader } from "./read-reply.ts";
import { watchedCall } from "./watched-call.ts";

/** Of the models that the library lists, the one that is quick, capable and cheap enough to be asked often. */
export const DEFAULT_MODEL = "claude-sonnet-5-5" satisfies Model;

/** Asked of the default model only: older ones refuse the parameter. Its own default, high, thinks past short answers. */
const DEFAULT_EFFORT = "medium";

export interface ClaudeParts {
  settings: AgentSettings;
  /** The whole environment that counts; the process's own is not read. */
  env: Environment;
  clock: Clock;
  fetch?: typeof fetch;
  /** 0 to 1, for the jitter of retries. */
  random?: () => number;
  /** A tool that runs longer is given up. Milliseconds. */
  toolLimitMs?: number;
  patience?: Patience;
}

/** The Messages API as an agent. */
export function createClaudeAgent(parts: ClaudeParts): Agent {
  const { settings, env, clock } = parts;
  const model = settings.model ?? DEFAULT_MODEL;
  const credentials = describeCredentials(env, { ...settings, backend: "api" });
  return {
    description: credentials.kind === "none" ? credentials.text : `${model}: ${credentials.text}`,
    model,
    think: (request) =>
      runLoop({
        call: (call) => callOnce(call, model, parts),
        model,
        settings,
        clock,
        random: parts.random ?? Math.random,
        toolLimitMs: parts.toolLimitMs,
        patience: parts.patience,
      }, request),
  };
}

/** Where to ask and with what; else why nothing can be asked. */
function endpointOf(parts: ClaudeParts): { url: string; secret: Secret } | ModelFailure {
  const url = baseUrlOf(parts.settings, parts.env);
  const secret = readSecret(parts.env);
  if (secret === undefined) {
    const message = "Cannot ask the model: set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN";
    return failure("auth", message);
  }
  if (URL.canParse(url)) return { url, secret };
  const message = "Cannot ask the model: its address, set by agent.base_url or " +
    "ANTHROPIC_BASE_URL, is no URL";
  return failure("rejected", message);
}

async function callOnce(call: ModelCall, model: string, parts: ClaudeParts): Promise<ModelOutcome> {
  const { settings, env, clock } = parts;
  const endpoint = endpointOf(parts);
  if ("kind" in endpoint) return { ok: false, failure: endpoint, text: "", used: undefined };
  const { url, secret } = endpoint;
  const effort = settings.effort ?? (model === DEFAULT_MODEL ? DEFAULT_EFFORT : undefined);
  const reader = createReplyReader(call.onText, call.onThought);
  return await watchedCall({
    clock,
    silenceMs: settings.timeoutSeconds * 1000,
    signal: call.signal,
    reader,
    async read(signal, onBytes) {
      const wire = createWire({ url, secret, env, fetch: parts.fetch ?? fetch, onBytes });
      const stream = await wire.post<Stream<RawMessageStreamEvent>>("/v1/messages", {
        body: requestBody(call, model, effort),
        stream: true,
        signal,
      });
      for await (const event of stream) {
        if (signal.aborted) return;
        addEvent(reader, event);
        if (reader.size() > longestAnswer(call)) throw tooLong();
      }
    },
    problemOf(error) {
      const clean = (text: string) => withoutSecrets(text, [secret.value]);
      return modelFailure(error, { url: shownUrl(url), now: clock.now(), clean });
    },
  });
}

function tooLong(): ModelError {
  const message = "Cannot read the model's answer: it is longer than any answer may be";
  return new ModelError(failure("unreadable", message));
}

/** A gateway may send events that have not the shape they should. */
function addEvent(
  reader: ReturnType<typeof createReplyReader>,
  event: RawMessageStreamEvent,
): void {
  try {
    reader.add(event);
  } catch (cause) {
    const message = "Cannot read the model's answer: an event has not the expected shape";
    throw new ModelError(failure("unreadable", message), { cause });
  }
}
