import { readFields, readNumber, readWhole, wrong } from "../sweep/fields.ts";
import { readSpan } from "../sweep/read-span.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { PoolConfig } from "./pool-config.ts";
import { POOL_DEFAULTS } from "./pool-defaults.ts";

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

export function readPoolBudget(node: Node, report: Report): PoolConfig["budget"] | undefined {
  const fields = readFields(node, ["usd_per_day", "usd_per_task"], report);
  if (fields === undefined) return undefined;
  const read = (key: string) => {
    const value = fields.get(key)?.value;
    return value === undefined || isNone(value) ? undefined : readUsd(value, report);
  };
  return { usdPerDay: read("usd_per_day"), usdPerTask: read("usd_per_task") };
}

function readUsd(node: Node, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const usd = NUMBER.test(text) ? readNumber(node, report) : undefined;
  return usd !== undefined && usd >= 0 && usd <= 1e9
    ? usd
    : wrong(node, report, "US dollars such as 2.5, 0 to spend nothing, or none for no limit");
}

export function readPoolLimits(node: Node, report: Report): PoolConfig["limits"] | undefined {
  const fields = readFields(node, ["attempts", "running", "longest_task"], report);
  if (fields === undefined) return undefined;
  const read = (key: string, least: number, most: number) => {
    const value = fields.get(key)?.value;
    return value === undefined || (key === "running" && isNone(value))
      ? undefined
      : readWhole(value, report, { least, most });
  };
  return {
    attempts: read("attempts", 1, 100) ?? POOL_DEFAULTS.limits.attempts,
    running: read("running", 1, 100_000),
    longestTask: read("longest_task", 100, 200_000) ?? POOL_DEFAULTS.limits.longestTask,
  };
}

export function readPoolRetention(node: Node, report: Report): PoolConfig["retention"] | undefined {
  const fields = readFields(node, ["succeeded", "quota"], report);
  if (fields === undefined) return undefined;
  const kept = fields.get("succeeded")?.value;
  const quota = fields.get("quota")?.value;
  const seconds = kept === undefined
    ? undefined
    : readSpan(kept, report, { least: 0, most: 3650 * 86_400 });
  return {
    succeededMs: seconds === undefined ? POOL_DEFAULTS.retention.succeededMs : seconds * 1000,
    quotaBytes: quota === undefined || isNone(quota) ? undefined : readBytes(quota, report),
  };
}

const SIZES: Readonly<Record<string, number>> = {
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** A unit is needed: a bare number would be bytes to some and gigabytes to others. */
function readBytes(node: Node, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const [, digits = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?) ?([MGT])(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * (SIZES[unit.toUpperCase()] ?? 0));
  return bytes > 0 ? bytes : wrong(node, report, '"500M", "20G", "1.5T", or none for no quota');
}

function isNone(node: Node): boolean {
  return node.kind === "scalar" && node.text.toLowerCase() === "none";
}
