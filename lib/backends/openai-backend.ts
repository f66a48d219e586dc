import { shownUrl } from "../agent/credentials.ts";
import { createOpenAiAgent } from "../agent/openai.ts";
import type { Backend } from "../tasks/backend.ts";
import {
  API_PATIENCE,
  API_TOOL_LIMIT_MS,
  type ApiAgents,
  apiSettings,
  createApiBackend,
} from "./api-backend.ts";
import type { ConfigOf } from "./backend-config.ts";
import type { BackendParts } from "./backend-parts.ts";

/** Less than for Claude: small models at small servers refuse more than their window. */
const MAX_TOKENS = 8_192;

/** Any server of chat completions: OpenRouter, OpenAI, vLLM, llama.cpp and their like. */
export function createOpenAiBackend(
  config: ConfigOf<"openai">,
  parts: BackendParts,
): Backend | { refused: string } {
  const agents = openAiAgents(config, parts);
  return "refused" in agents ? agents : createApiBackend({ ...agents, parts });
}

export function openAiAgents(
  config: ConfigOf<"openai">,
  parts: BackendParts,
): ApiAgents | { refused: string } {
  const { baseUrl, apiKeyEnv } = config;
  if (config.apiKey !== undefined && apiKeyEnv !== undefined) {
    return { refused: "Cannot use the backend: it has both apiKey and apiKeyEnv, one is enough" };
  }
  const apiKey = config.apiKey ?? (parts.env[apiKeyEnv ?? ""]?.trim() || undefined);
  if (apiKeyEnv !== undefined && apiKey === undefined) {
    return { refused: `Cannot use the backend: variable ${apiKeyEnv} is not set` };
  }
  const { hostname } = new URL(baseUrl);
  const isRouter = hostname === "openrouter.ai" || hostname.endsWith(".openrouter.ai");
  return {
    description: `Chat completions at ${shownUrl(baseUrl)}`,
    agentFor(work) {
      const { model } = work;
      if (model === undefined) {
        return {
          refused: "Cannot ask the model: none is named, and this backend has none of its own",
        };
      }
      return createOpenAiAgent({
        url: baseUrl,
        apiKey,
        headers: config.headers ?? {},
        model,
        dialect: config.dialect ?? (isRouter ? "openrouter" : "openai"),
        thinking: work.thinking,
        settings: apiSettings(config, {
          model,
          baseUrl,
          effort: undefined,
          maxTokens: MAX_TOKENS,
          prices: parts.prices ?? {},
        }),
        clock: parts.clock,
        ...(parts.fetch === undefined ? {} : { fetch: parts.fetch }),
        ...(parts.random === undefined ? {} : { random: parts.random }),
        toolLimitMs: API_TOOL_LIMIT_MS,
        patience: work.patience ?? API_PATIENCE,
      });
    },
  };
}
