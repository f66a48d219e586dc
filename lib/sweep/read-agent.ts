import type { AgentSettings, Grant } from "./config.ts";
import { readChoice, readFields, readItems, readText, readWhole, whole, wrong } from "./fields.ts";
import { readBudget } from "./read-budget.ts";
import { AGENT_DEFAULTS } from "./read-monitor.ts";
import { readPrices } from "./read-prices.ts";
import { readSpan } from "./read-span.ts";
import { readWebAddress } from "./read-web-address.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = [
  "backend",
  "model",
  "base_url",
  "effort",
  "max_tokens",
  "max_turns",
  "timeout",
  "ticks",
  "budget",
  "prices",
  "grants",
] as const;
const BACKENDS = ["api", "claude-cli", "none"] as const;
const EFFORTS = ["low", "medium", "high"] as const;
const TICKS = ["needed", "every"] as const;
const GRANTS = ["stop", "prune", "halt", "bump", "force"] as const;

/** The section `agent`, with defaults for what is not given. */
export function readAgent(node: Node, report: Report): AgentSettings | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const given = <T>(key: typeof KEYS[number], read: (node: Node) => T | undefined) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : read(value);
  };
  const within = (least: number, most: number) => (value: Node) => {
    return readWhole(value, report, { least, most });
  };
  const defaults = AGENT_DEFAULTS;
  return {
    backend: given("backend", (value) => readChoice(value, BACKENDS, report)) ?? defaults.backend,
    model: given("model", (value) => readModel(value, report)),
    baseUrl: given("base_url", (value) => readWebAddress(value, report, "the key")),
    effort: given("effort", (value) => readChoice(value, EFFORTS, report)),
    maxTokens: given("max_tokens", within(256, 200_000)) ?? defaults.maxTokens,
    maxTurns: given("max_turns", within(1, 200)) ?? defaults.maxTurns,
    timeoutSeconds:
      given("timeout", (value) => readSpan(value, report, { least: 1, most: 3600 })) ??
        defaults.timeoutSeconds,
    ticks: given("ticks", (value) => readChoice(value, TICKS, report)) ?? defaults.ticks,
    budget: given("budget", (value) => readBudget(value, report)) ?? defaults.budget,
    prices: given("prices", (value) => readPrices(value, report)) ?? defaults.prices,
    grants: given("grants", (value) => readGrants(value, report)) ?? defaults.grants,
  };
}

function readModel(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined || (/^\S+$/.test(text) && text.length <= 200)) return text;
  return wrong(node, report, "the name of a model: one word of at most 200 characters");
}

function readGrants(node: Node, report: Report): readonly Grant[] | undefined {
  const items = readItems(node, report, `grants: ${GRANTS.join(", ")}`);
  const grants = items?.map((item) => readChoice(item, GRANTS, report));
  const good = grants === undefined ? undefined : whole(grants);
  return good === undefined ? undefined : [...new Set(good)];
}
