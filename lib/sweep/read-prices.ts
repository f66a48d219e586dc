import type { AgentSettings, TokenPrice } from "./config.ts";
import { missing, readFields, readNumber, wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import type { MappingNode, Node } from "./yaml-node.ts";

const KEYS = ["input", "output", "cache_read", "cache_write"] as const;
const DOLLARS = "US dollars per million tokens, 0 or more";

/** By model name. What is not said of the cache is in Anthropic's proportion to `input`. */
export function readPrices(node: Node, report: Report): AgentSettings["prices"] | undefined {
  if (node.kind !== "mapping") {
    return wrong(node, report, `a mapping of model names to ${KEYS.join(", ")}`);
  }
  const prices: [string, TokenPrice][] = [];
  for (const { key, at, value } of node.entries) {
    if (!/^\S{1,200}$/.test(key)) {
      report.mistake(at, "Cannot use this key as the name of a model: expected one word");
      continue;
    }
    const price = readPrice(value, report);
    if (price !== undefined) prices.push([key, price]);
  }
  return Object.fromEntries(prices);
}

function readPrice(node: Node, report: Report): TokenPrice | undefined {
  if (node.kind !== "mapping") return wrong(node, report, `a mapping with ${KEYS.join(", ")}`);
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const read = (key: typeof KEYS[number]) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : readDollars(value, report);
  };
  const needed = (key: "input" | "output", owner: MappingNode) => {
    return fields.has(key) ? read(key) : missing(owner, key, DOLLARS, report);
  };
  const input = needed("input", node);
  const output = needed("output", node);
  const cacheRead = read("cache_read");
  const cacheWrite = read("cache_write");
  if (input === undefined || output === undefined) return undefined;
  // https://docs.claude.com/en/docs/build-with-claude/prompt-caching#pricing
  return {
    input,
    output,
    cacheRead: cacheRead ?? input / 10,
    cacheWrite: cacheWrite ?? input * 5 / 4,
  };
}

function readDollars(node: Node, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const dollars = /^[+-]?\.?\d/.test(text) ? readNumber(node, report) : undefined;
  if (dollars !== undefined && dollars >= 0 && dollars <= 1e6) return dollars;
  return wrong(node, report, DOLLARS);
}
