import type { TokenPrice } from "../sweep/config.ts";
import type { PlainMapping } from "../sweep/yaml-text.ts";
import type { SandboxLevel } from "./sandbox.ts";

/** What works on tasks, as a set-up is asked for it. */
export const ENGINES = ["anthropic", "openrouter", "openai", "acp", "command"] as const;

export type Engine = typeof ENGINES[number];

export interface EngineWish {
  engine: Engine;
  /** Where an API's key is: the variable's name, or the key itself. Never print the key. */
  key: { env: string } | { text: string } | undefined;
  /** Of `openai`, up to and without `/chat/completions`. */
  baseUrl: string | undefined;
  /** Of `acp`: a program that herd knows how to start. */
  preset: string | undefined;
  /** Of `command`: the program and its arguments. */
  program: readonly string[];
  /** Undefined alias: the first is `primary`, others are called by the end of their id. */
  models: readonly { alias: string | undefined; id: string }[];
  sandbox: SandboxLevel | undefined;
}

/** The variable that each API's key is usually in. */
export const KEY_VARIABLE: Readonly<Partial<Record<Engine, string>>> = {
  anthropic: "ANTHROPIC_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
  openai: "OPENAI_API_KEY",
};

const OPENROUTER = "https://openrouter.ai/api/v1";

interface Starter {
  alias: string;
  id: string;
  use?: string;
  /** As a configuration has it; undefined: as `priceOf` says. */
  price?: PlainMapping | number;
}

const ANTHROPIC: readonly Starter[] = [
  { alias: "cheap", id: "claude-haiku-4-5", use: "trivial things, tests" },
  { alias: "primary", id: "claude-sonnet-5-5", use: "everything else" },
  { alias: "coder", id: "claude-sonnet-5-5", use: "code" },
  { alias: "research", id: "claude-opus-5-5", use: "hard questions, long texts" },
];

/** Those of discord-orchestration's users; prices of early 2026. */
const OPENROUTER_MODELS: readonly Starter[] = [
  {
    alias: "cheap",
    id: "stepfun/step-3.5-flash:free",
    use: "trivial things, tests",
    price: 0,
  },
  {
    alias: "primary",
    id: "moonshotai/kimi-k2.5",
    use: "everything else",
    price: { input: 0.45, output: 2.25, cache_read: 0.07 },
  },
  {
    alias: "coder",
    id: "qwen/qwen3-coder-next",
    use: "code",
    price: { input: 0.15, output: 0.8 },
  },
  {
    alias: "research",
    id: "google/gemini-3-pro-preview",
    use: "hard questions, long texts; dear",
    price: { input: 2, output: 12, cache_read: 0.2 },
  },
];

/** What is missing in a wish, a sentence each, with the option that gives it. */
export function missingOf({ engine, baseUrl, preset, program, models }: EngineWish): string[] {
  const missing: string[] = [];
  if (engine === "openai" && baseUrl === undefined) {
    missing.push("The address of the API: --base-url https://…/v1");
  }
  if (engine === "openai" && models.length === 0) {
    missing.push("A model of the API: --model ID");
  }
  if (engine === "acp" && preset === undefined) missing.push("Which ACP program: --preset NAME");
  if (engine === "command" && program.length === 0) {
    missing.push("The program that does tasks: --program WORD, once for each word");
  }
  return missing;
}

/** The parts `defaults`, `backends` and `models` of the section. A wish that lacks nothing is wanted. */
export function engineSection(
  wish: EngineWish,
  priceOf: (model: string) => TokenPrice | undefined,
): PlainMapping {
  const { engine, sandbox } = wish;
  const name = engine === "acp" ? wish.preset! : engine === "command" ? "program" : engine;
  const starters = startersOf(wish);
  const entries = starters.map(({ alias, id, use, price }) =>
    [alias, {
      backend: name,
      model: id,
      use,
      usd_per_million_tokens: price ?? priceOfModel(engine, id, priceOf),
    }] as const
  );
  const defaults = {
    sandbox,
    // Such a program calls its model itself.
    network: engine === "acp" && sandbox !== "none" ? true : undefined,
  };
  const isAny = Object.values(defaults).some((one) => one !== undefined);
  return {
    defaults: isAny ? defaults : undefined,
    backends: { [name]: backendOf(wish) },
    models: entries.length === 0 ? { primary: { backend: name } } : Object.fromEntries(entries),
  };
}

function backendOf({ engine, key, baseUrl, preset, program }: EngineWish): PlainMapping {
  const keys = {
    api_key_env: key !== undefined && "env" in key ? key.env : undefined,
    api_key: key !== undefined && "text" in key ? key.text : undefined,
  };
  switch (engine) {
    case "anthropic":
      return { kind: "anthropic", base_url: baseUrl, ...keys };
    case "openrouter":
      return { kind: "openai", base_url: baseUrl ?? OPENROUTER, dialect: "openrouter", ...keys };
    case "openai":
      return { kind: "openai", base_url: baseUrl, ...keys };
    case "acp":
      return { kind: "acp", preset, env: ["HOME"] };
    case "command":
      return { kind: "command", command: program, input: "stdin", result: "stdout" };
  }
}

function startersOf({ engine, models }: EngineWish): readonly Starter[] {
  if (models.length === 0) {
    return engine === "anthropic" ? ANTHROPIC : engine === "openrouter" ? OPENROUTER_MODELS : [];
  }
  const taken = new Set(models.flatMap(({ alias }) => alias === undefined ? [] : [alias]));
  return models.map(({ alias, id }) => {
    if (alias !== undefined) return { alias, id };
    const own = freeAlias(taken.has("primary") ? id.split("/").at(-1)! : "primary", taken);
    taken.add(own);
    return { alias: own, id };
  });
}

function freeAlias(wanted: string, taken: ReadonlySet<string>): string {
  const fit = wanted.replace(/[^A-Za-z0-9._:-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 60);
  const base = fit === "" ? "model" : fit;
  let alias = base;
  for (let n = 2; taken.has(alias); n++) alias = `${base}-${n}`;
  return alias;
}

function priceOfModel(
  engine: Engine,
  id: string,
  priceOf: (model: string) => TokenPrice | undefined,
): PlainMapping | undefined {
  const price = engine === "anthropic" ? priceOf(id) : undefined;
  return price === undefined ? undefined : {
    input: price.input,
    output: price.output,
    cache_read: clean(price.cacheRead),
    cache_write: clean(price.cacheWrite),
  };
}

function clean(usd: number): number {
  return Number(usd.toPrecision(12));
}
