import type { AgentSettings, MonitorSettings, RemediationSettings } from "./config.ts";
import {
  type Fields,
  readBoolean,
  readChoice,
  readFields,
  readItems,
  readNumber,
  readWhole,
  whole,
  wrong,
} from "./fields.ts";
import { readObjective } from "./read-objective.ts";
import { readSpan } from "./read-span.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

export const MONITOR_DEFAULTS: MonitorSettings = {
  rollout: [1, 2, "rest"],
  setupLimitSeconds: 1800,
  heartbeatSeconds: 300,
  pruneShare: 1 / 3,
  interview: true,
  objective: undefined,
  metricSource: undefined,
  activeSeconds: 180,
  steadySeconds: 2700,
};

export const REMEDIATION_DEFAULTS: RemediationSettings = {
  mode: undefined,
  scope: "sweep",
  bumpPercent: 50,
  maxMemoryMiB: undefined,
  maxTimeSeconds: undefined,
  retries: 1,
  infrastructureRetries: 3,
};

export const AGENT_DEFAULTS: AgentSettings = {
  backend: "api",
  model: undefined,
  baseUrl: undefined,
  effort: undefined,
  maxTokens: 4096,
  maxTurns: 16,
  timeoutSeconds: 120,
  ticks: "needed",
  budget: { tick: 1, day: 10, sweep: 100 },
  prices: {},
  grants: [],
};

const KEYS = [
  "rollout",
  "setup_limit",
  "heartbeat_seconds",
  "prune_share",
  "interview",
  "objective",
  "metric_source",
  "cadence",
] as const;
const CADENCE_KEYS = ["active", "steady"] as const;
const METRIC_SOURCES = ["results-json", "wandb", "none"] as const;
const DAY = 86_400;
const MOST_STAGES = 100;
const STAGES = "a whole number of at least 1, or rest";

/** The section `monitor`, with defaults for what is not given. */
export function readMonitor(node: Node, report: Report): MonitorSettings | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const given = <T>(key: typeof KEYS[number], read: (node: Node) => T | undefined) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : read(value);
  };
  const defaults = MONITOR_DEFAULTS;
  return {
    rollout: given("rollout", (value) => readRollout(value, report)) ?? defaults.rollout,
    setupLimitSeconds: given("setup_limit", (value) => {
      return readSpan(value, report, { least: 1, most: 30 * DAY });
    }) ?? defaults.setupLimitSeconds,
    heartbeatSeconds: given("heartbeat_seconds", (value) => {
      return readWhole(value, report, { least: 0, most: DAY });
    }) ?? defaults.heartbeatSeconds,
    pruneShare: given("prune_share", (value) => readShare(value, report)) ?? defaults.pruneShare,
    interview: given("interview", (value) => readBoolean(value, report)) ?? defaults.interview,
    objective: given("objective", (value) => readObjective(value, report)),
    metricSource: given("metric_source", (value) => readChoice(value, METRIC_SOURCES, report)),
    ...readCadence(fields, report),
  };
}

/** Ends with `rest`, also where the file leaves it out. */
function readRollout(node: Node, report: Report): MonitorSettings["rollout"] | undefined {
  const items = readItems(node, report, 'stages such as "[1, 2, rest]"');
  if (items === undefined) return undefined;
  if (items.length === 0 || items.length > MOST_STAGES) {
    const hint = items.length === 0 ? 'Write "[rest]" for all trials at once' : undefined;
    return wrong(node, report, `a list of 1 to ${MOST_STAGES} stages`, hint);
  }
  const stages = whole(items.map((item, i) => readStage(item, i === items.length - 1, report)));
  return stages === undefined || stages.at(-1) === "rest" ? stages : [...stages, "rest"];
}

function readStage(node: Node, last: boolean, report: Report): number | "rest" | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  if (text === "rest") {
    return last ? "rest" : wrong(node, report, '"rest" once, and in the last place');
  }
  if (/^\d+$/.test(text)) return readWhole(node, report, { least: 1 });
  const close = /^(res?|rests?|rset|all|remaining)$/i.test(text);
  return wrong(node, report, STAGES, close ? 'Did you mean "rest"?' : undefined);
}

function readShare(node: Node, report: Report): number | undefined {
  const share = node.kind === "scalar" && /^[-+.\d]/.test(node.text) && !/%$/.test(node.text)
    ? readNumber(node, report)
    : wrong(node, report, "a number from 0 to 1", percentHint(node));
  if (share === undefined || (share >= 0 && share <= 1)) return share;
  return wrong(node, report, "a number from 0 to 1");
}

function percentHint(node: Node): string | undefined {
  const [, digits] = node.kind === "scalar" ? /^(\d{1,3}) ?%$/.exec(node.text) ?? [] : [];
  return digits === undefined ? undefined : `Write ${Number(digits) / 100}`;
}

function readCadence(
  fields: Fields,
  report: Report,
): Pick<MonitorSettings, "activeSeconds" | "steadySeconds"> {
  const { activeSeconds, steadySeconds } = MONITOR_DEFAULTS;
  const node = fields.get("cadence")?.value;
  const own = node === undefined ? undefined : readFields(node, CADENCE_KEYS, report);
  const read = (key: typeof CADENCE_KEYS[number]) => {
    const value = own?.get(key)?.value;
    return value === undefined ? undefined : readSpan(value, report, { least: 10, most: DAY });
  };
  const active = read("active");
  const steady = read("steady");
  const found = {
    activeSeconds: active ?? Math.min(activeSeconds, steady ?? activeSeconds),
    steadySeconds: steady ?? Math.max(steadySeconds, active ?? steadySeconds),
  };
  if (found.activeSeconds > found.steadySeconds) {
    wrong(
      own!.get("active")!.value,
      report,
      `at most the steady one, which is ${found.steadySeconds} seconds`,
    );
  }
  return found;
}
