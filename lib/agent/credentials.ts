import type { AgentSettings } from "../sweep/config.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a call identifies itself with. Never print `value`. */
export interface Secret {
  kind: "api-key" | "bearer";
  variable: "ANTHROPIC_API_KEY" | "ANTHROPIC_AUTH_TOKEN";
  value: string;
}

export interface CredentialsInfo {
  kind: "api-key" | "bearer" | "claude-cli" | "none";
  /** One sentence for people, without a period and without a secret. */
  text: string;
}

const ANTHROPIC_URL = "https://api.anthropic.com";

/** The key or token of this environment; the key wins when both are set. */
export function readSecret(env: Environment): Secret | undefined {
  const key = env.ANTHROPIC_API_KEY?.trim();
  if (key) return { kind: "api-key", variable: "ANTHROPIC_API_KEY", value: key };
  const token = env.ANTHROPIC_AUTH_TOKEN?.trim();
  return token ? { kind: "bearer", variable: "ANTHROPIC_AUTH_TOKEN", value: token } : undefined;
}

/** Where the model is asked: as configured, else ANTHROPIC_BASE_URL, else Anthropic's own. */
export function baseUrlOf(settings: Pick<AgentSettings, "baseUrl">, env: Environment): string {
  return settings.baseUrl?.trim() || env.ANTHROPIC_BASE_URL?.trim() || ANTHROPIC_URL;
}

/** An address for people: without user, password and query, where secrets hide. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return "an address that is none";
  const { origin, host, protocol, pathname } = new URL(url);
  const place = origin === "null" ? `${protocol}//${host}` : origin;
  return place + (pathname === "/" ? "" : pathname.replace(/\/+$/, ""));
}

/** Which credentials the agent runs with, as the start prints it. */
export function describeCredentials(env: Environment, settings: AgentSettings): CredentialsInfo {
  if (settings.backend === "none") {
    return { kind: "none", text: 'No agent: agent.backend is "none", the rules run the sweep' };
  }
  const secret = readSecret(env);
  if (settings.backend === "claude-cli") {
    const billed = secret === undefined
      ? "with its own login"
      : `which uses ${secret.variable} instead of its login, because that is set`;
    return { kind: "claude-cli", text: `The installed "claude" command, ${billed}` };
  }
  if (secret === undefined) {
    return {
      kind: "none",
      text: "No agent: neither ANTHROPIC_API_KEY nor ANTHROPIC_AUTH_TOKEN is set, " +
        "the rules run the sweep",
    };
  }
  const both = secret.kind === "api-key" && env.ANTHROPIC_AUTH_TOKEN?.trim()
    ? "; ANTHROPIC_AUTH_TOKEN is set as well and not used"
    : "";
  const what = secret.kind === "api-key" ? "API key" : "Bearer token";
  const at = shownUrl(baseUrlOf(settings, env));
  return { kind: secret.kind, text: `${what} of ${secret.variable} at ${at}${both}` };
}

/** Takes secrets out of text from outside: a server may quote the key that it refuses. */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret !== undefined && secret.length > 3) clean = clean.replaceAll(secret, "***");
  }
  return clean.replace(/\bsk-ant-[\w-]+/g, "***").replace(/\/\/[^\s/@]+@/g, "//***@");
}
