import { isRecord, recordAt, textAt } from "./openclaw-json.ts";
import type { Json } from "./openclaw-json.ts";

/** A provider of OpenClaw, as a backend of the pool. */
export interface OpenclawBackend {
  /** As in OpenClaw, made fit for a name here. */
  name: string;
  /** As in OpenClaw. */
  provider: string;
  kind: "openai" | "anthropic";
  baseUrl: string | undefined;
  apiKeyEnv: string | undefined;
  headers: readonly (readonly [string, string])[];
  settings: Json;
}

const KIND_OF: Readonly<Record<string, OpenclawBackend["kind"]>> = {
  "openai-completions": "openai",
  "openai-responses": "openai",
  "anthropic-messages": "anthropic",
};

/** Providers that OpenClaw knows without being told. */
const KNOWN: Readonly<Record<string, Pick<OpenclawBackend, "kind" | "baseUrl">>> = {
  anthropic: { kind: "anthropic", baseUrl: undefined },
  openai: { kind: "openai", baseUrl: "https://api.openai.com/v1" },
  openrouter: { kind: "openai", baseUrl: "https://openrouter.ai/api/v1" },
};

/** Headers that name who asks, and hold no secret. */
const OPEN_HEADERS = ["http-referer", "x-title", "user-agent"];

export function readOpenclawBackends(root: Json, notices: string[]): OpenclawBackend[] {
  const providers = recordAt(recordAt(root, "models"), "providers");
  const backends = Object.entries(providers).flatMap(([provider, settings]) => {
    const backend = isRecord(settings) ? readBackend(provider, settings, notices) : undefined;
    return backend === undefined ? [] : [backend];
  });
  const primary = primaryModel(recordAt(recordAt(root, "agents"), "defaults"));
  const provider = primary?.split("/")[0];
  const isThere = backends.some((one) => one.provider === provider);
  if (provider !== undefined && Object.hasOwn(KNOWN, provider) && !isThere) {
    const backend = readBackend(provider, {}, notices);
    if (backend !== undefined) backends.push(backend);
  }
  return backends;
}

/** `openrouter/moonshotai/kimi-k2.5`. */
export function primaryModel(defaults: Json): string | undefined {
  return textAt(defaults, "model") ?? textAt(recordAt(defaults, "model"), "primary");
}

function readBackend(
  provider: string,
  settings: Json,
  notices: string[],
): OpenclawBackend | undefined {
  const name = provider.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(
    0,
    64,
  );
  if (name === "") {
    notices.push("Left out a provider whose name has no letter and no digit");
    return undefined;
  }
  const known = Object.hasOwn(KNOWN, provider) ? KNOWN[provider] : undefined;
  const api = textAt(settings, "api");
  const kind = api === undefined
    ? known?.kind
    : Object.hasOwn(KIND_OF, api)
    ? KIND_OF[api]
    : undefined;
  const baseUrl = readAddress(name, settings, notices) ?? known?.baseUrl;
  if (kind === undefined || (kind === "openai" && baseUrl === undefined)) {
    const why = kind === undefined ? "its kind of API is not known to herd" : "it has no baseUrl";
    notices.push(`Left out the provider "${name}": ${why}`);
    return undefined;
  }
  return {
    name,
    provider,
    kind,
    baseUrl,
    apiKeyEnv: readKey(name, settings, notices),
    headers: readHeaders(name, settings, notices),
    settings,
  };
}

/** The name of the variable; what stands in the file is a secret. */
function readKey(name: string, settings: Json, notices: string[]): string {
  const own = `${name.toUpperCase().replace(/[^A-Z0-9]+/g, "_").replace(/^(?=\d)/, "_")}_API_KEY`;
  const { apiKey } = settings;
  const variable = typeof apiKey === "string"
    ? /^\$\{([A-Za-z_]\w*)\}$/.exec(apiKey.trim())?.[1]
    : isRecord(apiKey) && apiKey.source === "env"
    ? /^[A-Za-z_]\w*$/.exec(textAt(apiKey, "id") ?? "")?.[0]
    : undefined;
  if (variable === undefined && apiKey !== undefined) {
    notices.push(`Did not copy the key of "${name}": put it into the variable ${own}`);
  }
  return variable ?? own;
}

function readAddress(name: string, settings: Json, notices: string[]): string | undefined {
  const text = textAt(settings, "baseUrl");
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    notices.push(`Left out the baseUrl of "${name}": it is no address of http or https`);
    return undefined;
  }
  if (url.username === "" && url.password === "" && url.search === "" && url.hash === "") {
    return text.replace(/\/+$/, "");
  }
  notices.push(`Took the baseUrl of "${name}" without what could be a secret in it`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function readHeaders(
  name: string,
  settings: Json,
  notices: string[],
): OpenclawBackend["headers"] {
  const headers = recordAt(settings, "headers");
  const open = Object.keys(headers).filter((header) => {
    const value = textAt(headers, header);
    return OPEN_HEADERS.includes(header.toLowerCase()) && value !== undefined &&
      !value.includes("${");
  });
  const left = Object.keys(headers).length - open.length;
  if (left > 0) {
    notices.push(`Did not copy ${left} of the headers of "${name}": they may hold secrets`);
  }
  return open.map((header) => [header, textAt(headers, header)!] as const);
}
