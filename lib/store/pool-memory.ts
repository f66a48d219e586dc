import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { readIfThere } from "../base/files.ts";
import { z } from "../base/schema.ts";
import { openMemoryFile } from "./memory-file.ts";
import type { MemoryFile } from "./memory-file.ts";

const Id = z.string().regex(/^\d{1,20}$/);
const Place = z.object({ id: Id, wanted: z.string() });

/** How far the pool's channels on Discord got; see lib/discord/pool-memory.ts. */
const PoolMemorySchema = z.object({
  mark: z.string().regex(/^[0-9a-z]{6,20}$/),
  guildId: Id.optional(),
  places: z.object({
    queue: Place.optional(),
    results: Place.optional(),
    workers: Place.optional(),
  }).default({}),
  told: z.int().min(0).default(0),
  mirrored: z.int().min(0).default(0),
  guessed: z.boolean().optional(),
  partly: z.object({ key: z.string(), sent: z.array(Id) }).optional(),
  seen: Id.optional(),
  refused: z.array(z.string()).default([]),
  edits: z.record(z.string(), z.number()).default({}),
  mirrors: z.record(z.string(), Id).default({}),
  signs: z.record(z.string(), z.string()).default({}),
  statuses: z.record(z.string(), z.object({ id: Id, at: z.number(), drawn: z.string() }))
    .default({}),
  board: z.object({ id: Id, drawn: z.string() }).optional(),
});

export type PoolRecord = z.infer<typeof PoolMemorySchema>;

export type PoolMemoryFile = MemoryFile<PoolRecord>;

export function openPoolMemory(
  { path, onProblem }: { path: string; onProblem(message: string, error: unknown): void },
): PoolMemoryFile {
  return openMemoryFile({
    path,
    parse: (value) => PoolMemorySchema.parse(value),
    fresh: PoolMemorySchema.parse({ mark: markOf(path) }),
    otherwise: "the pool's channels are looked for anew",
    onProblem,
  });
}

/**
 * The pool's mark in the topics of its channels: the same again when the file is lost, so that the
 * channels are found again; another on another machine, for another user or another folder.
 */
function markOf(path: string): string {
  const who = [readIfThere("/etc/machine-id") ?? "", hostname(), userInfo().uid, path].join("\0");
  const digest = createHash("sha256").update(who).digest("hex").slice(0, 14);
  return BigInt(`0x1${digest}`).toString(36);
}
