import { formatG } from "./number-text.ts";
import { valueText } from "./overrides.ts";
import type { Value } from "./value.ts";

/** A metric as text: six significant digits, or all of them; nothing for what is absent. */
export function metricCell(value: unknown, digits: "six" | "all"): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "number") return JSON.stringify(value);
  if (Number.isSafeInteger(value)) return String(value);
  return digits === "all" && Number.isFinite(value) ? String(value) : formatG(value, 6);
}

/** Column titles of metrics; one that is called like another column is told apart from it. */
export function metricTitles(metrics: readonly string[], others: readonly string[]): string[] {
  return metrics.map((name) => others.includes(name) ? `metric:${name}` : name);
}

/** A parameter as its trainer got it. */
export function paramCell(value: Value | undefined): string {
  return value === undefined ? "" : valueText(value);
}

/** A logged value for JSON, which has no word for NaN and the infinities: they become text. */
export function metricJson(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(metricJson);
  if (typeof value !== "object" || value === null) return value;
  return metricsJson(value);
}

export function metricsJson(values: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, metricJson(value)]),
  );
}

/** The number to rank by; null when there is none. */
export function metricNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
