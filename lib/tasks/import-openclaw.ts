import { UserError } from "../base/errors.ts";
import { yamlText } from "../sweep/yaml-text.ts";
import type { PlainMapping } from "../sweep/yaml-text.ts";
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

/** What was read of another program's configuration. */
export interface Imported {
  /** What the section `pool` is to say. */
  section: PlainMapping;
  /** The same as a file. */
  yaml: string;
  /** What was left out or taken for something else, a sentence each. */
  notices: string[];
}

/**
 * The section `pool` of herd's configuration from the text of an OpenClaw `openclaw.json`.
 * Prices, which are per 1,000 tokens there, come out per million. No secret is copied: keys become
 * names of variables. Throws UserError when the text is not such a file; no part of it is shown.
 */
export function importOpenclaw(text: string): Imported {
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
  const section = {
    ...usualOf(defaults, models, notices),
    backends: Object.fromEntries(backends.map((one) => [one.name, backendOf(one)])),
    ...(models.length === 0 ? {} : {
      models: Object.fromEntries(models.map((one) => [one.alias, modelOf(one)])),
    }),
  };
  sayLeftOut(root, defaults, notices);
  return { section, yaml: yamlText({ pool: section }), notices };
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

function usualOf(
  defaults: Json,
  models: readonly OpenclawModel[],
  notices: string[],
): PlainMapping {
  const level = textAt(defaults, "thinkingDefault");
  const thinking = level === undefined || !Object.hasOwn(THINKING_OF, level)
    ? undefined
    : THINKING_OF[level];
  if (level !== undefined && thinking !== level) {
    const instead = thinking === undefined ? "left it out" : `took it for "${thinking}"`;
    notices.push(`Found a default for thinking that herd does not have, ${instead}`);
  }
  const seconds = numberAt(defaults, "timeoutSeconds");
  const running = numberAt(defaults, "maxConcurrent");
  const found = {
    model: models.find(({ isPrimary }) => isPrimary)?.alias,
    thinking,
    timeout: seconds !== undefined && seconds >= 1
      ? Math.min(Math.round(seconds), 7 * 86_400)
      : undefined,
  };
  const isAny = Object.values(found).some((one) => one !== undefined);
  return {
    defaults: isAny ? found : undefined,
    limits: running !== undefined && running >= 1 && running <= 100_000
      ? { running: Math.floor(running) }
      : undefined,
  };
}

function backendOf({ kind, baseUrl, apiKeyEnv, headers }: OpenclawBackend): PlainMapping {
  return {
    kind,
    base_url: baseUrl,
    api_key_env: apiKeyEnv,
    headers: headers.length === 0 ? undefined : Object.fromEntries(headers),
  };
}

function modelOf({ backend, id, name, price }: OpenclawModel): PlainMapping {
  return { backend, model: id, use: name, usd_per_million_tokens: price };
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
