import type { Readable } from "node:stream";
import { createLines } from "./attempt-lines.ts";

/** A prompt with much data in it. Characters. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** What a worker says to its attempt's process, by lines. */
export interface Inbox {
  /** Undefined when there is none. */
  first: Promise<string | undefined>;
  /** Who hears the lines after the first, and the end of all. */
  hear(onLine: (line: string) => void, onEnd: () => void): void;
  close(): void;
}

/** Begins to read at once; what comes before somebody hears is kept. A line that is too long ends it. */
export function openInbox(input: Readable): Inbox {
  const lines = createLines(LONGEST_LINE);
  const waiting: string[] = [];
  let over = false;
  let hearer: { onLine: (line: string) => void; onEnd: () => void } | undefined;
  let giveFirst: ((line: string | undefined) => void) | undefined;
  const first = new Promise<string | undefined>((resolve) => giveFirst = resolve);
  const take = (bytes: Uint8Array | string) => {
    const whole = lines.take(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    if (whole === undefined) return end();
    for (const line of whole) {
      if (giveFirst !== undefined) {
        giveFirst(line);
        giveFirst = undefined;
      } else if (hearer !== undefined) hearer.onLine(line);
      else waiting.push(line);
    }
  };
  const end = () => {
    if (over) return;
    over = true;
    giveFirst?.(undefined);
    hearer?.onEnd();
  };
  input.on("data", take);
  for (const name of ["end", "close", "error"]) input.on(name, end);
  return {
    first,
    hear(onLine, onEnd) {
      hearer = { onLine, onEnd };
      waiting.splice(0).forEach(onLine);
      if (over) onEnd();
    },
    close() {
      over = true;
      input.off("data", take);
      input.pause();
    },
  };
}
