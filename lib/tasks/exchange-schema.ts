import { z } from "../base/schema.ts";
import { LONGEST_PROPOSAL } from "../sweep/proposed-change.ts";
import { THINKING } from "./backend.ts";
import { EXCHANGE_SCHEMA } from "./exchange.ts";
import type { Assignment, WorkerAttempt, WorkerOrders, WorkerReport } from "./exchange.ts";
import { SANDBOXES } from "./sandbox.ts";
import { DATA_BOUNDS, DATA_NAME, TASK_FILES } from "./task-data.ts";

/** Bytes of a report or of orders, as JSON. */
export const MOST_BYTES = 4 * 1024 * 1024;

/** Bounds of what a worker may tell, in UTF-16 units and entries. */
export const BOUNDS = {
  attempts: 1_000,
  use: 64,
  files: 1_000,
  result: 200_000,
  cause: 4_000,
  phase: 300,
  path: 1_024,
  folder: 4_096,
  label: 64,
  labels: 64,
  kept: 200,
  send: 50,
  slots: 1_000,
} as const;

/** A folder's name, too: no separator, no leading dot or dash. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function isWorkerName(name: string): boolean {
  return NAME.test(name);
}

const worker = z.string().regex(NAME);
const incarnation = z.string().min(1).max(64);
export const TASK_ID = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

export function isTaskId(text: string): boolean {
  return TASK_ID.safeParse(text).success;
}
export const EPOCH = z.number().int().min(1).max(999_999_999);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const TIME = z.number().min(0).max(8.64e15);
const usd = z.number().min(0).max(1e6);
const text = (most: number) => z.string().max(most);

export const ATTEMPT_USE = z.object({
  model: text(200),
  input: count,
  output: count,
  cacheRead: count,
  cacheWrite: count,
  usd: usd.nullable(),
});

export const ATTEMPT_REPORT = z.object({
  end: z.enum(["done", "failed", "cancelled", "timed-out", "fenced", "crashed", "refused"]),
  cause: text(BOUNDS.cause),
  passing: z.boolean(),
  result: text(BOUNDS.result),
  files: z.array(z.object({
    path: text(BOUNDS.path),
    bytes: count,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })).max(BOUNDS.files),
  filesLeftOut: count.optional(),
  folder: text(BOUNDS.folder),
  use: z.array(ATTEMPT_USE).max(BOUNDS.use),
  startedAt: TIME,
  endedAt: TIME,
  proposal: z.union([
    z.object({ text: text(LONGEST_PROPOSAL) }),
    z.object({ refused: text(BOUNDS.cause) }),
  ]).optional(),
});

const ATTEMPT = z.object({
  task: TASK_ID,
  epoch: EPOCH,
  phase: text(BOUNDS.phase),
  use: z.array(ATTEMPT_USE).max(BOUNDS.use),
  report: ATTEMPT_REPORT.optional(),
}).transform(({ report, ...rest }): WorkerAttempt => ({ ...rest, report }));

// Keys that a newer herd adds are let go: a worker and its daemon are not upgraded together.
const KEY = { task: TASK_ID, epoch: EPOCH };
const schema = z.number().int().min(1).max(1_000_000).optional();

const WORKER_REPORT = z.object({
  schema,
  worker,
  incarnation,
  startedAt: TIME,
  number: count,
  version: text(100),
  host: text(255),
  slots: z.number().int().min(0).max(BOUNDS.slots),
  labels: z.array(text(BOUNDS.label)).max(BOUNDS.labels),
  sandboxes: z.array(z.enum(SANDBOXES)).max(SANDBOXES.length),
  leaving: z.boolean(),
  attempts: z.array(ATTEMPT).max(BOUNDS.attempts),
  kept: z.array(z.object(KEY)).max(BOUNDS.kept).optional(),
});

const ASSIGNMENT = z.object({
  task: TASK_ID,
  epoch: EPOCH,
  revision: count,
  prompt: text(1_000_000),
  modelName: text(300),
  model: text(300).optional(),
  backend: text(200),
  backendConfig: z.record(z.string(), z.unknown()),
  price: z.object({ input: usd, output: usd, cacheRead: usd, cacheWrite: usd }).optional(),
  thinking: z.enum(THINKING),
  sandbox: z.object({ level: z.enum(SANDBOXES), network: z.boolean() }),
  timeoutMs: z.number().int().min(1).max(2 ** 31 - 1),
  budgetUsd: z.number().min(0).optional(),
  data: TASK_FILES.optional(),
  proposes: z.array(z.string().regex(DATA_NAME)).max(DATA_BOUNDS.files).optional(),
}).transform(({ model, price, budgetUsd, ...rest }): Assignment => ({
  ...rest,
  model,
  price,
  budgetUsd,
}));

const WORKER_ORDERS = z.object({
  schema,
  worker,
  incarnation,
  number: count,
  assign: z.array(ASSIGNMENT).max(BOUNDS.attempts),
  cancel: z.array(z.object({ task: TASK_ID, epoch: EPOCH, why: text(BOUNDS.cause) })).max(
    BOUNDS.attempts,
  ),
  settled: z.array(z.object({ task: TASK_ID, epoch: EPOCH, committed: z.boolean() })).max(
    BOUNDS.attempts,
  ),
  drain: z.boolean(),
  stop: z.boolean(),
  fenceMs: z.number().int().min(1_000).max(7 * 86_400_000),
  dismissed: text(BOUNDS.cause).optional(),
  send: z.array(z.object({ ...KEY, path: text(BOUNDS.path).min(1), from: count }))
    .max(BOUNDS.send).optional(),
  forget: z.array(z.object(KEY)).max(BOUNDS.kept).optional(),
});

const ENVELOPE = z.object({
  schema: z.number().int().min(1).max(1_000_000),
  worker,
  incarnation,
  number: count,
});

/** A report of another version of the exchange: its sender can still be told so. */
export interface ForeignReport {
  schema: number;
  worker: string;
  incarnation: string;
  number: number;
}

export function readForeignReport(value: unknown): ForeignReport | undefined {
  const read = ENVELOPE.safeParse(value);
  return read.success && read.data.schema !== EXCHANGE_SCHEMA ? read.data : undefined;
}

/** What is wrong with a text; no word of it is repeated. */
export type Wrong = { wrong: string };

export function readWorkerReport(json: string): WorkerReport | Wrong {
  return read(json, WORKER_REPORT);
}

export function readWorkerOrders(json: string): WorkerOrders | Wrong {
  return read(json, WORKER_ORDERS);
}

function read<T>(json: string, schema: z.ZodType<T>): T | Wrong {
  // A unit is one byte or more: what is longer need not be parsed.
  if (json.length > MOST_BYTES) return { wrong: `it has more than ${MOST_BYTES} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { wrong: "it is no JSON" };
  }
  const spoken = (value as { schema?: unknown } | null)?.schema ?? EXCHANGE_SCHEMA;
  if (spoken !== EXCHANGE_SCHEMA) {
    return { wrong: `it is of version ${Number(spoken)}, this herd speaks ${EXCHANGE_SCHEMA}` };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.slice(0, 5).map(({ path }) => path.join(".") || "the whole");
  return { wrong: `wrong or missing: ${[...new Set(places)].join(", ")}` };
}
