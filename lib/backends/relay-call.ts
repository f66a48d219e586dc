import { headersOf } from "../agent/claude-wire.ts";
import { readSecret } from "../agent/credentials.ts";
import type { Environment, Secret } from "../agent/credentials.ts";

/** A call to a model that somebody else asks for, with our own credentials. */
export interface RelayCall {
  kind: "anthropic" | "openai";
  url: string;
  headers: Headers;
  body: string;
  model: string;
  /** To be taken out of what is told of it. */
  secrets: readonly string[];
}

export interface RelayRules {
  /** As the configuration has it. */
  backend: Readonly<Record<string, unknown>>;
  /** Models that may be asked. */
  models: readonly string[];
  /** Whether the task may open connections: then its model may, too. */
  network: boolean;
  env: Environment;
}

export interface RelayRefusal {
  status: number;
  /** One sentence, no period. */
  refused: string;
}

const OFFICIAL = "https://api.anthropic.com";
const PATHS = {
  anthropic: ["/v1/messages", "/v1/messages/count_tokens"],
  openai: ["/v1/chat/completions"],
} as const;

/** Parts of a request that only shape the answer. What is not here may reach other places or models. */
const KEYS = {
  anthropic: new Set(
    ("model messages system max_tokens metadata stop_sequences stream temperature top_k top_p tools " +
      "tool_choice thinking output_config output_format cache_control context_management").split(
        " ",
      ),
  ),
  openai: new Set(
    ("model messages max_tokens max_completion_tokens temperature top_p top_k min_p stop stream " +
      "stream_options tools tool_choice parallel_tool_calls response_format reasoning " +
      "reasoning_effort include_reasoning usage seed user metadata verbosity presence_penalty " +
      "frequency_penalty repetition_penalty logprobs top_logprobs prompt_cache_key").split(" "),
  ),
};
const DEEPEST = 100;

/**
 * What is really asked: the configured address, a path and a model of the list, our own headers, and
 * a body that was read and written anew, so that nothing of it can mean something else there.
 */
export function relayCall(
  asked: { path: string; beta?: string | undefined; body: string },
  rules: RelayRules,
): RelayCall | RelayRefusal {
  const kind = rules.backend["kind"];
  if (kind !== "anthropic" && kind !== "openai") {
    return no(403, "The task's backend asks no model through the relay");
  }
  if (!(PATHS[kind] as readonly string[]).includes(asked.path)) {
    return no(403, `The relay allows ${PATHS[kind].join(" and ")} only`);
  }
  const body = readBody(asked.body);
  if (body === undefined) return no(400, "The request is no JSON object");
  const why = refuseBody(body, kind, rules);
  if (why !== undefined) return no(403, why);
  const access = kind === "anthropic" ? anthropic(asked, rules) : openai(rules);
  if ("refused" in access) return access;
  return { kind, ...access, body: JSON.stringify(body), model: body["model"] as string };
}

function readBody(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function refuseBody(
  body: Record<string, unknown>,
  kind: "anthropic" | "openai",
  { models, network }: RelayRules,
): string | undefined {
  const { model, n } = body;
  if (typeof model !== "string" || !models.includes(model)) {
    const shown = JSON.stringify(typeof model === "string" ? model.slice(0, 100) : null);
    return `The task's model is ${
      models.map((one) => JSON.stringify(one)).join(" or ")
    }, not ${shown}`;
  }
  const odd = Object.keys(body).find((key) => !KEYS[kind].has(key) && key !== "n");
  if (odd !== undefined) return `The relay passes no ${JSON.stringify(odd.slice(0, 60))}`;
  if (n !== undefined && n !== 1) return "The relay passes requests for one answer only";
  if (network) return undefined;
  const tools: unknown[] = Array.isArray(body["tools"]) ? body["tools"] : [];
  const isOwn = (tool: unknown) =>
    typeof tool === "object" && tool !== null &&
    (!("type" in tool) || tool.type === "custom" || tool.type === "function");
  if (!tools.every(isOwn)) {
    return "The task has no connections, so its model gets no tools that have";
  }
  return hasAddress(body["messages"], 0) || hasAddress(body["system"], 0)
    ? "The task has no connections, so its model may not fetch from addresses"
    : undefined;
}

/** Contents that the provider would fetch. */
function hasAddress(value: unknown, depth: number): boolean {
  if (depth > DEEPEST) return true;
  if (Array.isArray(value)) return value.some((one) => hasAddress(one, depth + 1));
  if (typeof value !== "object" || value === null) return false;
  const { type, url, image_url: image } = value as Record<string, unknown>;
  if (type === "url" && typeof url === "string") return true;
  const at = typeof image === "object" && image !== null && "url" in image ? image.url : image;
  if (type === "image_url" && !(typeof at === "string" && at.startsWith("data:"))) return true;
  return Object.entries(value)
    // Inputs of tools are the model's own words.
    .some(([key, one]) => key !== "input" && hasAddress(one, depth + 1));
}

type Access = Pick<RelayCall, "url" | "headers" | "secrets">;

function anthropic(
  { path, beta }: { path: string; beta?: string | undefined },
  { backend, env }: RelayRules,
): Access | RelayRefusal {
  const secret = anthropicSecret(backend, env);
  if (secret === undefined) return noKey();
  const base = typeof backend["baseUrl"] === "string" ? backend["baseUrl"] : OFFICIAL;
  const headers = headersOf(secret, env);
  if (beta !== undefined && /^[A-Za-z0-9, _-]{1,500}$/.test(beta)) {
    headers.set("anthropic-beta", beta);
  }
  return { url: `${base.replace(/\/+$/, "")}${path}`, headers, secrets: [secret.value] };
}

function anthropicSecret(
  backend: RelayRules["backend"],
  env: Environment,
): Secret | undefined {
  const { apiKey, apiKeyEnv } = backend;
  if (apiKey === undefined && apiKeyEnv === undefined) return readSecret(env);
  const value = typeof apiKey === "string" ? apiKey : env[String(apiKeyEnv)]?.trim();
  if (!value) return undefined;
  return apiKeyEnv === "ANTHROPIC_AUTH_TOKEN"
    ? { kind: "bearer", variable: "ANTHROPIC_AUTH_TOKEN", value }
    : { kind: "api-key", variable: "ANTHROPIC_API_KEY", value };
}

function openai({ backend, env }: RelayRules): Access | RelayRefusal {
  const { apiKey, apiKeyEnv, baseUrl } = backend;
  const key = typeof apiKey === "string"
    ? apiKey
    : apiKeyEnv === undefined
    ? undefined
    : env[String(apiKeyEnv)]?.trim();
  if (apiKeyEnv !== undefined && !key) return noKey();
  const headers = new Headers({
    "content-type": "application/json",
    accept: "text/event-stream",
    "user-agent": "herd",
  });
  const more = Object.entries(backend["headers"] ?? {}).map(([name, value]) =>
    [name, String(value)] as const
  );
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  for (const [name, value] of more) headers.set(name, value);
  const secrets = [...(key === undefined ? [] : [key]), ...more.map(([, value]) => value)];
  return {
    url: `${String(baseUrl).replace(/\/+$/, "")}/chat/completions`,
    headers,
    secrets: secrets.filter((one) => one.length > 7),
  };
}

function noKey(): RelayRefusal {
  return no(403, "The daemon has no key for the task's backend");
}

function no(status: number, refused: string): RelayRefusal {
  return { status, refused };
}
