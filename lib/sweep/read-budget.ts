import type { AgentSettings } from "./config.ts";
import { readFields, readNumber, wrong } from "./fields.ts";
import { AGENT_DEFAULTS } from "./read-monitor.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = ["tick", "day", "sweep"] as const;
const FORMS = "US dollars such as 2.5, 0 to spend nothing, or none for no limit";

/** US dollars. 0 never calls the model; undefined, written `none`, is no limit; left out: the default. */
export function readBudget(node: Node, report: Report): AgentSettings["budget"] | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const read = (key: typeof KEYS[number]) => {
    const value = fields.get(key)?.value;
    return value === undefined ? AGENT_DEFAULTS.budget[key] : readLimit(value, report);
  };
  return { tick: read("tick"), day: read("day"), sweep: read("sweep") };
}

function readLimit(node: Node, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  if (text.toLowerCase() === "none") return undefined;
  const [, amount] = /^(?:US)?\$? ?(\d+(?:\.\d+)?) ?(?:\$|USD|dollars?)?$/i.exec(text) ?? [];
  const hint = amount === undefined ? undefined : `Write ${amount}`;
  if (!/^[+-]?\.?\d[\d._]*(e[+-]?\d+)?$/i.test(text)) return wrong(node, report, FORMS, hint);
  const dollars = readNumber(node, report);
  if (dollars === undefined || (dollars >= 0 && dollars <= 1e9)) return dollars;
  return wrong(node, report, FORMS);
}
