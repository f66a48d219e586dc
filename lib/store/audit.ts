import { appendFileSync, renameSync, statSync } from "node:fs";
import { codeOf } from "../base/files.ts";

/** `agent_log.jsonl`: who did what to the sweep, why, and what came of it, one JSON object a line. */
export interface Audit {
  /** `event` and its fields in one write. Never throws: the journal is what counts. */
  write(at: number, event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The full file is kept beside it as `.1`, so that it never takes more than twice this. Bytes. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Texts are for retracing, not for reading again in full. Characters. */
const LONGEST_TEXT = 2_000;

export function createAudit({ path }: { path: string }): Audit {
  return {
    write(at, event, fields) {
      const timestamp = new Date(at).toISOString();
      try {
        rotate(path);
        const line = JSON.stringify({ timestamp, event, ...fields }, shorten);
        appendFileSync(path, `${line}\n`, { mode: 0o600 });
      } catch {
        // A full disk or a folder that is gone: the sweep goes on.
      }
    },
  };
}

function rotate(path: string): void {
  try {
    if (statSync(path).size > MOST_BYTES) renameSync(path, `${path}.1`);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function shorten(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= LONGEST_TEXT) return value;
  return `${value.slice(0, LONGEST_TEXT)}… (${value.length} characters)`;
}
