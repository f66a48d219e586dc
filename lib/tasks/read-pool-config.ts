import { readBoolean, readChoice, readFields, readText } from "../sweep/fields.ts";
import { readSpan } from "../sweep/read-span.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import { THINKING } from "./backend.ts";
import type { PoolConfig } from "./pool-config.ts";
import { POOL_DEFAULTS } from "./pool-defaults.ts";
import { readPoolBackends } from "./read-pool-backends.ts";
import { readPoolDiscord } from "./read-pool-discord.ts";
import { readPoolBudget, readPoolLimits, readPoolRetention } from "./read-pool-limits.ts";
import { readPoolModels } from "./read-pool-models.ts";
import { readPoolSchedules } from "./read-pool-schedules.ts";
import { readPoolSlurm } from "./read-pool-slurm.ts";
import { SANDBOXES } from "./sandbox.ts";
import { LONGEST_TIMEOUT_MS, WISH_WORDS } from "./wish-words.ts";

const KEYS = [
  "discord",
  "defaults",
  "backends",
  "models",
  "budget",
  "limits",
  "retention",
  "schedules",
  "slurm",
] as const;

type Reader<T> = (node: Node, report: Report) => T | undefined;

/** The section `pool`. What is wrong is in the report, and has its default here. */
export function readPoolConfig(node: Node, report: Report): PoolConfig | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const read = <T>(key: typeof KEYS[number], reader: Reader<T>): T | undefined => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : reader(value, report);
  };
  const backends = read("backends", readPoolBackends) ?? {};
  // Backends that could not be read are there all the same.
  const named = namesIn(fields.get("backends")?.value);
  const models = read("models", (value) => readPoolModels(value, { named, backends }, report)) ??
    {};
  const aliases = namesIn(fields.get("models")?.value);
  const vocabulary = { models: aliases, backends: named, workers: undefined };
  const limits = read("limits", readPoolLimits) ?? POOL_DEFAULTS.limits;
  const longestTask = limits.longestTask;
  const defaults = readDefaults(fields.get("defaults")?.value, report, (value) => {
    const part = WISH_WORDS.model(value, { ...vocabulary, longestTask });
    return "refused" in part ? part : { model: part.model! };
  }) ?? POOL_DEFAULTS.defaults;
  const config: PoolConfig = {
    discord: read("discord", readPoolDiscord),
    defaults: { ...defaults, model: defaults.model ?? usualModel(Object.keys(models)) },
    backends,
    models,
    budget: read("budget", readPoolBudget) ?? POOL_DEFAULTS.budget,
    limits,
    retention: read("retention", readPoolRetention) ?? POOL_DEFAULTS.retention,
    schedules: read(
      "schedules",
      (value) => readPoolSchedules(value, { ...vocabulary, longestTask }, report),
    ) ?? [],
    slurm: read("slurm", readPoolSlurm),
  };
  sayNoConnections(config, node, fields.get("defaults")?.value, report);
  return config;
}

function namesIn(node: Node | undefined): string[] {
  return node?.kind === "mapping" ? node.entries.map(({ key }) => key) : [];
}

/** The one that is called so, else the first of the file. */
function usualModel(aliases: readonly string[]): string | undefined {
  return aliases.includes("primary") ? "primary" : aliases[0];
}

function readDefaults(
  node: Node | undefined,
  report: Report,
  model: (value: string) => { model: string } | { refused: string },
): PoolConfig["defaults"] | undefined {
  const keys = ["model", "thinking", "sandbox", "network", "timeout"] as const;
  const fields = node === undefined ? undefined : readFields(node, keys, report);
  if (fields === undefined) return undefined;
  const read = <T>(key: typeof keys[number], reader: (node: Node) => T | undefined) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : reader(value);
  };
  const usual = POOL_DEFAULTS.defaults;
  const seconds = read(
    "timeout",
    (value) => readSpan(value, report, { least: 1, most: LONGEST_TIMEOUT_MS / 1000 }),
  );
  return {
    model: read("model", (value) => {
      const text = readText(value, report);
      const found = text === undefined ? undefined : model(text);
      if (found === undefined || "model" in found) return found?.model;
      return report.mistake(
        value,
        found.refused.replace(/^Cannot read the model/, `Cannot read ${value.path}`),
      );
    }),
    thinking: read("thinking", (value) => readChoice(value, THINKING, report)) ?? usual.thinking,
    sandbox: read("sandbox", (value) => readChoice(value, SANDBOXES, report)) ?? usual.sandbox,
    network: read("network", (value) => readBoolean(value, report)) ?? usual.network,
    timeoutMs: seconds === undefined ? usual.timeoutMs : seconds * 1000,
  };
}

/** Programs call their models themselves; without connections each of their attempts would fail. */
function sayNoConnections(
  { backends, defaults }: PoolConfig,
  pool: Node,
  node: Node | undefined,
  report: Report,
): void {
  const said = node?.kind === "mapping" && node.entries.some(({ key }) => key === "network");
  const program = Object.entries(backends).find(([, { kind }]) => kind === "acp")?.[0];
  if (said || program === undefined || defaults.sandbox === "none" || defaults.network) return;
  report.notice(
    node ?? pool,
    `Programs such as backend "${program}" have no connections in the sandbox: ` +
      'write "network: true" in pool.defaults if they call their models themselves',
  );
}
