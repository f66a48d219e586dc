import type { TokenPrice } from "../sweep/config.ts";
import { isAbsolute } from "node:path";
import { z } from "../base/schema.ts";
import { THINKING, type Work } from "./backend.ts";
import { SANDBOXES } from "./sandbox.ts";

/** All that an attempt's process is told, on its standard input: argv and environment can be read by others. */
export interface AttemptSpec extends Omit<Work, "signal" | "onUse" | "onProgress" | "log"> {
  /** The backend's configuration; whoever makes the backend reads it. */
  backend: unknown;
  /** By the names under which the backend's configuration asks for them. Never written anywhere. */
  secrets: Readonly<Record<string, string>>;
  /** US dollars per million tokens, by model: for the budget. */
  prices: Readonly<Record<string, TokenPrice>>;
  /** For a program that has no network: where its model is to be had all the same. */
  relay?: AttemptRelay | undefined;
  /** How long the whole attempt may take. */
  timeoutMs: number;
  /** From being asked to end to being ended by force. */
  graceMs: number;
  /** So long it goes on without hearing from its worker. */
  deadManMs: number;
}

/** A door to a Unix socket within the program's own empty network. */
export interface AttemptRelay {
  socket: string;
  /** Of the door, on 127.0.0.1. */
  port: number;
  /** The words that start herd. */
  herd: readonly string[];
}

export const GRACE_MS = 15_000;
/** The longest wait of a timer; a longer one fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}:\d{1,9}$/;
const span = z.number().int().min(1).max(LONGEST_MS);
const words = z.record(z.string(), z.string());

const SPEC = z.strictObject({
  name: z.string().regex(NAME),
  folder: z.string().refine(isAbsolute),
  prompt: z.string(),
  instructions: z.string(),
  model: z.string().optional(),
  thinking: z.enum(THINKING),
  sandbox: z.strictObject({ level: z.enum(SANDBOXES), network: z.boolean() }),
  env: words,
  budgetUsd: z.number().nonnegative().optional(),
  backend: z.unknown(),
  secrets: words.default({}),
  prices: z.record(
    z.string(),
    z.object({
      input: z.number(),
      output: z.number(),
      cacheRead: z.number(),
      cacheWrite: z.number(),
    }),
  ).default({}),
  relay: z.strictObject({
    socket: z.string().refine(isAbsolute),
    port: z.number().int().min(1).max(65_535),
    herd: z.array(z.string()).min(1),
  }).optional(),
  timeoutMs: span,
  graceMs: span.default(GRACE_MS),
  deadManMs: span,
});

/** Reads a specification; undefined when it is none. No word of it is repeated: it holds secrets. */
export function readAttemptSpec(text: string): AttemptSpec | { wrong: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { wrong: "it is no JSON" };
  }
  const read = SPEC.safeParse(value);
  if (!read.success) {
    const places = read.error.issues.map(({ path }) => path.join(".") || "an unknown key");
    return { wrong: `wrong or missing: ${[...new Set(places)].slice(0, 5).join(", ")}` };
  }
  const { model, budgetUsd, relay, ...rest } = read.data;
  return { ...rest, backend: rest.backend, model, budgetUsd, relay };
}
