import { z } from "../base/schema.ts";
import type { WorkEnd, WorkUse } from "./backend.ts";

/** What a worker says to its attempt's process after the specification, a JSON object per line. */
export type WorkerMessage =
  /** Go on for so many milliseconds from now. */
  | { renew: number }
  /** End what you do; the reason is for people. */
  | { cancel: string }
  /** So many bytes of yours have been read in all; see attempt-output.ts. */
  | { heard: number };

/** Why an attempt's process ended its work before the work was done. */
export type Stopped = "cancel" | "worker-gone" | "deadline" | "signal";

/** What an attempt's process says, a JSON object per line. */
export type AttemptMessage =
  | { use: WorkUse }
  | { progress: string }
  | { end: WorkEnd; stopped?: Stopped };

const tokens = z.number().nonnegative();
const USE = z.object({
  model: z.string(),
  input: tokens,
  output: tokens,
  cacheRead: tokens,
  cacheWrite: tokens,
  usd: tokens.optional(),
});
const END = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done"), result: z.string() }),
  z.object({
    kind: z.literal("failed"),
    cause: z.enum(["model", "agent", "refused", "no-result", "budget"]),
    message: z.string(),
    passing: z.boolean(),
    partial: z.string(),
  }),
  z.object({ kind: z.literal("aborted"), partial: z.string() }),
]);
const ATTEMPT = z.union([
  z.object({ use: USE.transform((use): WorkUse => ({ ...use, usd: use.usd })) }),
  z.object({ progress: z.string() }),
  z.object({
    end: END,
    stopped: z.enum(["cancel", "worker-gone", "deadline", "signal"]).optional(),
  }),
]);
const WORKER = z.union([
  z.strictObject({ renew: z.number().int().min(1).max(2 ** 31 - 1) }),
  z.strictObject({ cancel: z.string() }),
  z.strictObject({ heard: z.number().int().min(0) }),
]);

/** Undefined for what is no message. */
export function readAttemptMessage(line: string): AttemptMessage | undefined {
  const read = ATTEMPT.safeParse(parsed(line));
  if (!read.success) return undefined;
  if (!("end" in read.data)) return read.data;
  const { end, stopped } = read.data;
  return stopped === undefined ? { end } : { end, stopped };
}

/** Undefined for what is no message. */
export function readWorkerMessage(line: string): WorkerMessage | undefined {
  const read = WORKER.safeParse(parsed(line));
  return read.success ? read.data : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
