import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { readIfThere, replaceFile } from "../base/files.ts";
import { z } from "../base/schema.ts";

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

export interface PoolMemoryFile {
  read(): PoolRecord;
  /** On disk when this returns; on a failing disk kept in memory and told once. */
  write(change: { [K in keyof PoolRecord]?: PoolRecord[K] | undefined }): void;
}

export function openPoolMemory(
  { path, onProblem }: { path: string; onProblem(message: string, error: unknown): void },
): PoolMemoryFile {
  let record = readRecord(path, onProblem);
  let failing = false;
  return {
    read: () => record,
    write(change) {
      record = { ...record, ...change } as PoolRecord;
      try {
        replaceFile(path, `${JSON.stringify(record, null, 2)}\n`, 0o600);
        failing = false;
      } catch (error) {
        if (!failing) {
          onProblem(`Cannot write "${path}": a restart may post some things again`, error);
        }
        failing = true;
      }
    },
  };
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

function readRecord(
  path: string,
  onProblem: (message: string, error: unknown) => void,
): PoolRecord {
  const mark = markOf(path);
  const fresh = PoolMemorySchema.parse({ mark });
  try {
    const text = readIfThere(path);
    return text === undefined ? fresh : PoolMemorySchema.parse(JSON.parse(text));
  } catch (error) {
    onProblem(`Cannot read "${path}": the pool's channels are looked for anew`, error);
    return fresh;
  }
}
