import { z } from "@hono/zod-openapi";
import { STATUSES } from "../sweep/status.ts";

/**
 * The documents of the API as schemas: what a handler gives back is checked
 * against them by the compiler, and /openapi.json is made of them.
 */
const nullableNumber = z.number().nullable();

export const FailureSchema = z.object({
  error: z.object({
    kind: z.string().openapi({ example: "refused" }),
    message: z.string(),
    hint: z.string().nullable(),
    facts: z.record(z.string(), z.unknown()),
  }),
}).openapi("Failure");

/** A document whose keys are those of a command's --json; see docs/commands.md. */
export const LooseSchema = z.looseObject({}).openapi("Document");

export const TokensSchema = z.object({
  input: z.number(),
  output: z.number(),
  cacheRead: z.number(),
  cacheWrite: z.number(),
}).openapi("Tokens");

export const TriggerSchema = z.enum([
  "boot",
  "scheduled",
  "failure",
  "completion",
  "message",
  "manual",
]);

export const TickSchema = z.object({
  number: z.number(),
  triggers: z.array(TriggerSchema),
  summary: z.string(),
  nextAt: z.number().openapi({ description: "Milliseconds since the epoch" }),
  startedAt: z.number(),
  durationMs: z.number(),
  modelCalls: z.number(),
  tokens: TokensSchema,
  usd: nullableNumber,
  owed: z.record(z.string(), z.string()).optional().openapi({
    description: "What the model is still to be asked about, by why",
  }),
}).openapi("Tick");

const SpentSchema = z.object({
  usd: z.number(),
  today: z.number(),
  calls: z.number(),
  unpriced: z.number(),
});

const LimitsSchema = z.object({
  tick: nullableNumber,
  day: nullableNumber,
  sweep: nullableNumber,
});

export const InfoSchema = z.object({
  id: z.string(),
  sweep: z.string(),
  path: z.string(),
  phase: z.enum(["interviewing", "canary", "stage", "live", "post-mortem", "done"]).nullable(),
  stage: z.number(),
  halted: z.string().nullable(),
  mode: z.enum(["agent", "rules"]).nullable(),
  model: z.object({ name: z.string().nullable(), ok: z.boolean(), detail: z.string() }),
  version: z.string(),
  host: z.string(),
  pid: z.number(),
  startedAt: nullableNumber,
  ticks: z.number(),
  lastTick: TickSchema.nullable(),
  nextTickAt: nullableNumber,
  triggers: z.array(TriggerSchema),
  spent: SpentSchema,
  budget: LimitsSchema,
  pendingMessages: z.number(),
  peripherals: z.record(
    z.string(),
    z.object({ ok: z.boolean(), since: z.number(), detail: z.string() }),
  ).openapi({ description: "What is outside the sweep, such as Discord, and why it is out" }),
  question: z.string().nullable(),
  confirmations: z.array(z.object({
    id: z.string(),
    what: z.string(),
    why: z.string(),
    expiresAt: z.number(),
  })),
}).openapi("Sweep");

export const BudgetSchema = z.object({ spent: SpentSchema, limits: LimitsSchema })
  .openapi("Budget");

export const TrialSchema = z.looseObject({
  index: z.number(),
  status: z.string().openapi({ enum: [...STATUSES] }),
  experiment_name: z.string(),
  params: z.record(z.string(), z.unknown()),
}).openapi("Trial");

export const TrialsSchema = z.object({
  items: z.array(TrialSchema),
  total: z.number(),
  offset: z.number(),
  totals: z.record(z.string(), z.number()),
}).openapi("Trials");

export const AttemptSchema = z.looseObject({ number: z.number(), phase: z.string() })
  .openapi("Attempt");

export const LogSchema = z.object({
  text: z.string(),
  next: z.number().openapi({ description: "Where the next page begins, in bytes" }),
  size: z.number().openapi({ description: "Bytes of the file; 0 when there is none" }),
}).openapi("LogPage");

const metricSummary = {
  name: z.string(),
  n: z.number(),
  stepFirst: nullableNumber,
  stepLast: nullableNumber,
  last: nullableNumber,
};

export const MetricSummarySchema = z.object(metricSummary).openapi("MetricSummary");

export const MetricSchema = z.object({
  ...metricSummary,
  mean: nullableNumber,
  median: nullableNumber,
  stddev: nullableNumber,
  min: nullableNumber,
  max: nullableNumber,
  hasNanOrInf: z.boolean(),
  recent: z.array(nullableNumber),
  points: z.array(z.object({ step: z.number(), value: nullableNumber })),
}).openapi("Metric");

export const DoneSchema = z.object({
  text: z.string(),
  data: z.record(z.string(), z.unknown()),
  warnings: z.array(z.string()),
}).openapi("Done");

/** Lists are wrapped, so that a document can get further keys. */
export function itemsOf<T extends z.ZodType>(schema: T) {
  return z.object({ items: z.array(schema) });
}
