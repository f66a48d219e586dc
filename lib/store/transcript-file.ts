import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "../base/schema.ts";
import { diskError } from "./disk-error.ts";
import { tailLines } from "./log-tail.ts";

/** One utterance of a conversation. */
export interface TranscriptLine {
  /** Number of the turn, from 1. */
  turn: number;
  role: "person" | "agent";
  /** Milliseconds since the epoch. */
  at: number;
  text: string;
}

const Line = z.object({
  turn: z.int().min(1),
  role: z.enum(["person", "agent"]),
  at: z.number(),
  text: z.string(),
});

/** So much of a conversation is read again at the most; its beginning may be days ago. */
const MOST_LINES = 5_000;
const MOST_BYTES = 8 * 1024 * 1024;

/** A conversation as herd itself keeps it: append-only, whole, one JSON object a line. */
export interface TranscriptFile {
  readonly path: string;
  /** Of one turn, all of it; a turn that stands there already is left out. Throws UserError when the disk refuses. */
  append(lines: readonly TranscriptLine[]): void;
  /** The newest, oldest first; lines that cannot be read are left out. */
  read(): TranscriptLine[];
}

export function openTranscript(path: string): TranscriptFile {
  let last: number | undefined;

  function read(): TranscriptLine[] {
    const { lines = [] } = tailLines(path, MOST_LINES, MOST_BYTES) ?? {};
    return lines.flatMap((line) => {
      const parsed = Line.safeParse(jsonOf(line));
      return parsed.success ? [parsed.data] : [];
    });
  }

  return {
    path,
    append(lines) {
      last ??= read().at(-1)?.turn ?? 0;
      const fresh = lines.filter(({ turn }) => turn > last!);
      if (fresh.length === 0) return;
      // A torn last line must not swallow the next one: each begins with a line's end.
      const text = fresh.map((one) => `\n${JSON.stringify(one)}`).join("");
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        appendFileSync(path, text, { mode: 0o600 });
      } catch (error) {
        throw diskError(error, `Cannot write "${path}"`);
      }
      last = fresh.at(-1)!.turn;
    },
    read,
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
