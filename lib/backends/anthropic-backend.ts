import { createClaudeAgent, DEFAULT_MODEL } from "../agent/claude.ts";
import { readSecret, type Secret, shownUrl } from "../agent/credentials.ts";
import { effortOf } from "../agent/effort.ts";
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

const MAX_TOKENS = 16_000;
const OFFICIAL = "https://api.anthropic.com";

/** The Messages API, Anthropic's own or another's at the same wire. */
export function createAnthropicBackend(
  config: ConfigOf<"anthropic">,
  parts: BackendParts,
): Backend | { refused: string } {
  const agents = anthropicAgents(config, parts);
  return "refused" in agents ? agents : createApiBackend({ ...agents, parts });
}

export function anthropicAgents(
  config: ConfigOf<"anthropic">,
  parts: BackendParts,
): ApiAgents | { refused: string } {
  const secret = secretOf(config, parts);
  if ("refused" in secret) return secret;
  const baseUrl = config.baseUrl ?? OFFICIAL;
  const headers = parts.env["ANTHROPIC_CUSTOM_HEADERS"];
  const env = {
    [secret.variable]: secret.value,
    ...(headers === undefined ? {} : { ANTHROPIC_CUSTOM_HEADERS: headers }),
  };
  return {
    description: `Messages API at ${shownUrl(baseUrl)}`,
    agentFor(work) {
      const model = work.model ?? DEFAULT_MODEL;
      return createClaudeAgent({
        settings: apiSettings(config, {
          model,
          baseUrl,
          effort: effortOf(model, work.thinking),
          maxTokens: MAX_TOKENS,
          prices: parts.prices ?? {},
        }),
        env,
        clock: parts.clock,
        ...(parts.fetch === undefined ? {} : { fetch: parts.fetch }),
        ...(parts.random === undefined ? {} : { random: parts.random }),
        toolLimitMs: API_TOOL_LIMIT_MS,
        patience: work.patience ?? API_PATIENCE,
      });
    },
  };
}

/** The configured key, else the one of the usual variables. */
function secretOf(
  { apiKey, apiKeyEnv }: ConfigOf<"anthropic">,
  { env }: BackendParts,
): Secret | { refused: string } {
  if (apiKey !== undefined && apiKeyEnv !== undefined) {
    return { refused: "Cannot use the backend: it has both apiKey and apiKeyEnv, one is enough" };
  }
  if (apiKey === undefined && apiKeyEnv === undefined) {
    return readSecret(env) ??
      {
        refused: "Cannot use the backend: neither apiKey nor apiKeyEnv is given, nor is " +
          "ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN set",
      };
  }
  const value = apiKey ?? env[apiKeyEnv ?? ""]?.trim();
  if (!value) return { refused: `Cannot use the backend: variable ${apiKeyEnv} is not set` };
  return apiKeyEnv === "ANTHROPIC_AUTH_TOKEN"
    ? { kind: "bearer", variable: "ANTHROPIC_AUTH_TOKEN", value }
    : { kind: "api-key", variable: "ANTHROPIC_API_KEY", value };
}
