import type { Point } from "./metrics.ts";
import { type Field, ProtobufError, protobufFields } from "./protobuf.ts";

/** What is known of a run from its log so far; grows while the log is read on. */
export interface WandbRun {
  id: string | undefined;
  /** The name that the trainer or W&B gave it. */
  displayName: string | undefined;
  group: string | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number | undefined;
  /** As logged, by dotted path. */
  config: Map<string, unknown>;
  /** As logged, by dotted path, without W&B's own (`_step`). */
  summary: Map<string, unknown>;
  /** Metrics that have a step of their own (`define_metric`): `[name, glob or not, step's name]`. */
  axes: readonly Axis[];
  /** Step of the next row that does not say its own: newer versions leave that to the server. */
  nextStep: number;
}

interface Axis {
  name: string;
  glob: boolean;
  step: string;
}

/** One number that was logged. */
export interface Logged {
  metric: string;
  point: Point;
}

export function newWandbRun(): WandbRun {
  return {
    id: undefined,
    displayName: undefined,
    group: undefined,
    startedAt: undefined,
    config: new Map(),
    summary: new Map(),
    axes: [],
    nextStep: 0,
  };
}

/** Numbers of fields in wandb_internal.proto. */
const RECORD = { history: 2, summary: 3, config: 5, metric: 12, run: 17 };
const ITEM = { key: 1, nestedKey: 2, json: 16 };

/** Puts one record of a log into `run`, and gives back what it logged. Undefined: it is malformed. */
export function applyWandbRecord(run: WandbRun, record: Uint8Array): Logged[] | undefined {
  try {
    for (const { number, bytes } of protobufFields(record)) {
      if (number === RECORD.history) return historyRow(run, bytes);
      if (number === RECORD.summary) changeItems(run.summary, bytes);
      else if (number === RECORD.config) changeItems(run.config, bytes);
      else if (number === RECORD.metric) defineMetric(run, bytes);
      else if (number === RECORD.run) describeRun(run, bytes);
    }
    return [];
  } catch (error) {
    if (error instanceof ProtobufError) return undefined;
    throw error;
  }
}

/** Puts one line of a `wandb-history.jsonl` into `run`. Undefined: it is malformed. */
export function applyWandbLine(run: WandbRun, line: string): Logged[] | undefined {
  const row = parseJson(line);
  if (typeof row !== "object" || row === null || Array.isArray(row)) return undefined;
  return loggedBy(run, flat(row), undefined);
}

function historyRow(run: WandbRun, bytes: Uint8Array): Logged[] {
  const values = new Map<string, unknown>();
  let step: number | undefined;
  for (const { number, bytes: inner } of protobufFields(bytes)) {
    if (number === 1) addItem(values, inner);
    // A message without a number in it says 0, as protobuf leaves out what is 0.
    else if (number === 2) step = numberIn(inner, 1) ?? 0;
  }
  return loggedBy(run, values, step);
}

function loggedBy(
  run: WandbRun,
  values: ReadonlyMap<string, unknown>,
  told: number | undefined,
): Logged[] {
  const step = told ?? finite(values.get("_step")) ?? run.nextStep;
  run.nextStep = Math.max(run.nextStep, step + 1);
  const at = finite(values.get("_timestamp")) ?? 0;
  const logged: Logged[] = [];
  for (const [metric, value] of values) {
    if (metric.startsWith("_")) continue;
    const axis = axisOf(run, metric);
    const own = axis === undefined || axis === metric ? undefined : finite(values.get(axis));
    const point = pointOf(value, own ?? step, at);
    if (point !== undefined) logged.push({ metric, point });
  }
  return logged;
}

/** Undefined for pictures, tables, texts: they are no course of a number. */
function pointOf(value: unknown, step: number, at: number): Point | undefined {
  if (typeof value === "number") {
    return Number.isFinite(value)
      ? { step, value, at }
      : { step, value: null, at, raw: `${value}` };
  }
  const infinite = typeof value === "string" && /^(NaN|[+-]?Infinity)$/.test(value);
  return infinite ? { step, value: null, at, raw: value } : undefined;
}

function axisOf({ axes }: WandbRun, metric: string): string | undefined {
  const exact = axes.find(({ name, glob }) => !glob && name === metric);
  if (exact !== undefined) return exact.step;
  return axes.find(({ name, glob }) => glob && metric.startsWith(name.replace(/\*$/, "")))?.step;
}

function defineMetric(run: WandbRun, bytes: Uint8Array): void {
  let name = "";
  let glob = false;
  let step = "";
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) [name, glob] = [textOf(field), false];
    else if (field.number === 2) [name, glob] = [textOf(field), true];
    else if (field.number === 4) step = textOf(field);
  }
  if (name === "" || step === "" || step === "_step") return;
  const others = run.axes.filter((axis) => axis.name !== name || axis.glob !== glob);
  run.axes = [...others, { name, glob, step }];
}

function describeRun(run: WandbRun, bytes: Uint8Array): void {
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) run.id = textOf(field);
    else if (field.number === 4) changeItems(run.config, field.bytes);
    else if (field.number === 5) changeItems(run.summary, field.bytes);
    else if (field.number === 6) run.group = textOf(field);
    else if (field.number === 8) run.displayName = textOf(field);
    else if (field.number === 14) run.nextStep = Math.max(run.nextStep, field.value);
    else if (field.number === 17) {
      const seconds = numberIn(field.bytes, 1);
      if (seconds !== undefined) run.startedAt = seconds * 1000;
    }
  }
}

/** Config and summary have the same form: what is set (1) and what is removed (2). */
function changeItems(items: Map<string, unknown>, bytes: Uint8Array): void {
  for (const { number, bytes: inner } of protobufFields(bytes)) {
    if (number === 1) addItem(items, inner);
    else if (number === 2) {
      const removed = new Map<string, unknown>();
      addItem(removed, inner);
      for (const name of removed.keys()) items.delete(name);
    }
  }
}

function addItem(items: Map<string, unknown>, bytes: Uint8Array): void {
  const nested: string[] = [];
  let key = "";
  let json: string | undefined;
  for (const field of protobufFields(bytes)) {
    if (field.number === ITEM.key) key = textOf(field);
    else if (field.number === ITEM.nestedKey) nested.push(textOf(field));
    else if (field.number === ITEM.json) json = textOf(field);
  }
  const name = key === "" ? nested.join(".") : key;
  if (name === "") return;
  for (const [path, value] of flat({ [name]: json === undefined ? undefined : parseJson(json) })) {
    items.set(path, value);
  }
}

/** Deeper nesting is kept as one value. */
const DEEPEST = 6;

/** `{"val": {"loss": 1}}` is `val.loss`, as W&B shows it; its own media objects stay whole. */
function flat(row: object, prefix = "", depth = 0): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, value] of Object.entries(row)) {
    const inner = typeof value === "object" && value !== null && !Array.isArray(value) &&
      !("_type" in value) && depth < DEEPEST && Object.keys(value).length > 0;
    if (!inner) found.set(prefix + name, value);
    else {for (const [path, one] of flat(value, `${prefix}${name}.`, depth + 1)) {
        found.set(path, one);
      }}
  }
  return found;
}

/** JSON, and the words that Python writes for what is no number; undefined for neither. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!/NaN|Infinity/.test(text)) return undefined;
  }
  try {
    return JSON.parse(text.replace(
      /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g,
      (token) => token.startsWith('"') ? token : `"${token}"`,
    ));
  } catch {
    return undefined;
  }
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function numberIn(bytes: Uint8Array, wanted: number): number | undefined {
  for (const { number, value } of protobufFields(bytes)) if (number === wanted) return value;
  return undefined;
}

function textOf({ bytes }: Field): string {
  return new TextDecoder().decode(bytes);
}
