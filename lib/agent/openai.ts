import type { Agent } from "./agent.ts";
import type { Patience } from "./ask.ts";
import { shownUrl } from "./credentials.ts";
import { runLoop } from "./loop.ts";
import { createOpenAiCall, type OpenAiCallParts } from "./openai-call.ts";

export interface OpenAiParts extends OpenAiCallParts {
  /** 0 to 1, for the jitter of retries. */
  random?: () => number;
  /** A tool that runs longer is given up. Milliseconds. */
  toolLimitMs?: number;
  patience?: Patience;
}

/** Any server of chat completions as an agent. */
export function createOpenAiAgent(parts: OpenAiParts): Agent {
  const { model, settings, clock } = parts;
  const call = createOpenAiCall(parts);
  return {
    description: `${model} at ${shownUrl(parts.url)}`,
    model,
    think: (request) =>
      runLoop({
        call,
        model,
        settings,
        clock,
        random: parts.random ?? Math.random,
        toolLimitMs: parts.toolLimitMs,
        patience: parts.patience,
      }, request),
  };
}
