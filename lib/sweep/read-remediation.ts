import { UserError } from "../base/errors.ts";
import type { RemediationSettings } from "./config.ts";
import { DURATION_FORMS, parseDuration } from "./duration.ts";
import { readChoice, readFields, readWhole, wrong } from "./fields.ts";
import { MEMORY_FORMS, parseMemory } from "./memory.ts";
import { REMEDIATION_DEFAULTS } from "./read-monitor.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = [
  "mode",
  "scope",
  "bump_percent",
  "max_mem",
  "max_time",
  "retries",
  "infrastructure_retries",
] as const;
const MODES = ["remediate", "notify"] as const;
const SCOPES = ["sweep", "trial"] as const;

/** The section `remediation`, with defaults for what is not given. */
export function readRemediation(node: Node, report: Report): RemediationSettings | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const given = <T>(key: typeof KEYS[number], read: (node: Node) => T | undefined) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : read(value);
  };
  const within = (least: number, most: number) => (value: Node) => {
    return readWhole(value, report, { least, most });
  };
  const defaults = REMEDIATION_DEFAULTS;
  return {
    mode: given("mode", (value) => readChoice(value, MODES, report)),
    scope: given("scope", (value) => readChoice(value, SCOPES, report)) ?? defaults.scope,
    bumpPercent: given("bump_percent", within(1, 400)) ?? defaults.bumpPercent,
    maxMemoryMiB: given("max_mem", (value) => readCeiling(value, report, MEMORY)),
    maxTimeSeconds: given("max_time", (value) => readCeiling(value, report, TIME)),
    retries: given("retries", within(0, 5)) ?? defaults.retries,
    infrastructureRetries: given("infrastructure_retries", within(0, 20)) ??
      defaults.infrastructureRetries,
  };
}

interface Ceiling {
  parse: (text: string) => number | null;
  forms: string;
}

const MEMORY: Ceiling = { parse: parseMemory, forms: MEMORY_FORMS };
const TIME: Ceiling = { parse: parseDuration, forms: DURATION_FORMS };

/** In the words of `slurm.mem` and `slurm.time`; their words for "no limit" are no ceiling. */
function readCeiling(node: Node, report: Report, { parse, forms }: Ceiling): number | undefined {
  if (node.kind !== "scalar") return wrong(node, report, forms);
  let ceiling: number | null;
  try {
    ceiling = parse(node.text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return wrong(node, report, forms);
  }
  if (ceiling !== null && ceiling > 0) return ceiling;
  return wrong(node, report, "a limit", "Leave the key out for no limit beside the partition's");
}
