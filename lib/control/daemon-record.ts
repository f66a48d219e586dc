import { unlinkSync } from "node:fs";
import { z } from "../base/schema.ts";
import { codeOf, readIfThere, replaceFile } from "../base/files.ts";
import type { UserPlace } from "./user-place.ts";

const DaemonRecordSchema = z.object({
  pid: z.int().positive(),
  port: z.int().positive(),
  socketPath: z.string(),
  tokenPath: z.string(),
  version: z.string(),
  host: z.string(),
  startedAt: z.number(),
});

/** Who runs here, for commands and people; `startedAt` is milliseconds since the epoch. */
export type DaemonRecord = z.infer<typeof DaemonRecordSchema>;

/** Written when the daemon listens. */
export function writeDaemonRecord(place: UserPlace, record: DaemonRecord): void {
  replaceFile(place.record, `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** Undefined when there is none, or one that cannot be understood. */
export function readDaemonRecord(place: UserPlace): DaemonRecord | undefined {
  const text = readIfThere(place.record);
  if (text === undefined) return undefined;
  try {
    return DaemonRecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** When the daemon ends; another one's record stays. */
export function removeDaemonRecord(place: UserPlace, pid: number): void {
  if (readDaemonRecord(place)?.pid !== pid) return;
  try {
    unlinkSync(place.record);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
