import { UserError } from "../base/errors.ts";
import { scalarText } from "../sweep/yaml-scalar-text.ts";
import { withoutComments } from "./json-comments.ts";
import { readOpenclawBackends } from "./openclaw-backends.ts";
import type { OpenclawBackend } from "./openclaw-backends.ts";
import { numberAt, recordAt, textAt } from "./openclaw-json.ts";
import type { Json } from "./openclaw-json.ts";
import { nameOpenclawModels } from "./openclaw-models.ts";
import type { OpenclawModel } from "./openclaw-models.ts";

const THINKING_OF: Readonly<Record<string, string>> = {
  off: "off",
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
};

/** Settings of `agents.defaults` that mean something here. */
const TAKEN = ["thinkingDefault", "maxConcurrent", "model", "models", "timeoutSeconds"];

/**
 * The section `pool` of herd's configuration from the text of an OpenClaw `openclaw.json`.
 * Prices, which are per 1,000 tokens there, come out per million. No secret is copied: keys become
 * names of variables. Throws UserError when the text is not such a file; no part of it is shown.
 */
export function importOpenclaw(text: string): { yaml: string; notices: string[] } {
  const root = parse(text);
  const notices: string[] = [];
  const backends = readOpenclawBackends(root, notices);
  const defaults = recordAt(recordAt(root, "agents"), "defaults");
  const models = nameOpenclawModels(backends, defaults, notices);
  if (backends.length === 0) {
    throw new UserError(
      "Cannot import the OpenClaw configuration: it names no provider of models",
      {
        hint: 'Look for "models.providers" in it',
      },
    );
  }
  const lines = [
    "pool:",
    ...defaultLines(defaults, models, notices),
    "  backends:",
    ...backends.flatMap(backendLines),
    ...(models.length === 0 ? [] : ["  models:", ...models.flatMap(modelLines)]),
  ];
  sayLeftOut(root, defaults, notices);
  return { yaml: `${lines.join("\n")}\n`, notices };
}

function parse(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(withoutComments(text.replace(/^\uFEFF/, "")));
  } catch {
    // The engine's message would show a piece of the text, which may be a key.
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new UserError("Cannot read the OpenClaw configuration: it is not a JSON object", {
    hint:
      'Give the file itself, as "~/.openclaw/openclaw.json" is: keys and texts in double quotes',
  });
}

function defaultLines(
  defaults: Json,
  models: readonly OpenclawModel[],
  notices: string[],
): string[] {
  const lines: string[] = [];
  const primary = models.find(({ isPrimary }) => isPrimary)?.alias;
  if (primary !== undefined) lines.push(`    model: ${scalarText(primary)}`);
  const level = textAt(defaults, "thinkingDefault");
  const thinking = level === undefined || !Object.hasOwn(THINKING_OF, level)
    ? undefined
    : THINKING_OF[level];
  if (thinking !== undefined) lines.push(`    thinking: ${thinking}`);
  if (level !== undefined && thinking !== level) {
    const instead = thinking === undefined ? "left it out" : `took it for "${thinking}"`;
    notices.push(`Found a default for thinking that herd does not have, ${instead}`);
  }
  const seconds = numberAt(defaults, "timeoutSeconds");
  if (seconds !== undefined && seconds >= 1) {
    lines.push(`    timeout: ${Math.min(Math.round(seconds), 7 * 86_400)}`);
  }
  const found = lines.length === 0 ? [] : ["  defaults:", ...lines];
  const running = numberAt(defaults, "maxConcurrent");
  if (running !== undefined && running >= 1 && running <= 100_000) {
    found.push("  limits:", `    running: ${Math.floor(running)}`);
  }
  return found;
}

function backendLines({ name, kind, baseUrl, apiKeyEnv, headers }: OpenclawBackend): string[] {
  return [
    `    ${scalarText(name)}:`,
    `      kind: ${kind}`,
    ...(baseUrl === undefined ? [] : [`      base_url: ${scalarText(baseUrl)}`]),
    ...(apiKeyEnv === undefined ? [] : [`      api_key_env: ${apiKeyEnv}`]),
    ...(headers.length === 0 ? [] : ["      headers:"]),
    ...headers.map(([header, value]) => `        ${scalarText(header)}: ${quoted(value)}`),
  ];
}

/** A `${…}` of the other file must not be expanded here. */
function quoted(text: string): string {
  return scalarText(text, "double");
}

function modelLines({ alias, backend, id, name, price }: OpenclawModel): string[] {
  return [
    `    ${scalarText(alias)}:`,
    `      backend: ${scalarText(backend)}`,
    `      model: ${scalarText(id)}`,
    ...(name === undefined ? [] : [`      use: ${scalarText(name)}`]),
    ...(price === undefined ? [] : [
      "      usd_per_million_tokens:",
      ...Object.entries(price).map(([key, usd]) => `        ${key}: ${scalarText(usd)}`),
    ]),
  ];
}

function sayLeftOut(root: Json, defaults: Json, notices: string[]): void {
  const left = [
    ...Object.keys(root).filter((key) => !["env", "models", "agents"].includes(key)),
    ...Object.keys(recordAt(root, "agents")).filter((key) => key !== "defaults")
      .map((key) => `agents.${key}`),
    ...Object.keys(defaults).filter((key) => !TAKEN.includes(key))
      .map((key) => `agents.defaults.${key}`),
  ].filter((key) => /^[\w.-]{1,80}$/.test(key));
  if (left.length > 0) notices.push(`Left out what herd has no use for: ${left.join(", ")}`);
}
