import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { replaceFile } from "../base/files.ts";
import {
  answerPath,
  appendShared,
  askPath,
  clearRelayFolder,
  INDEX_FILE,
  readFrame,
  readSharedFrom,
  wholeLines,
} from "./relay-files.ts";
import type { RelayAsk, RelayFrame } from "./relay-files.ts";

/** A worker's way to have the daemon ask a model: over files. */
export interface RelayLink {
  /** The frames of the answer as they come, the last one `end` or `broken`. Aborting gives the call up. */
  ask(ask: RelayAsk, signal: AbortSignal): AsyncGenerator<RelayFrame>;
}

const POLL_MS = 200;
/** The daemon writes something every twenty seconds. */
const SILENT_MS = 75_000;
const ROTATE_BYTES = 1024 * 1024;

export function createRelayLink(
  { folder, clock, pollMs = POLL_MS, silentMs = SILENT_MS }: {
    folder: string;
    clock: Clock;
    pollMs?: number;
    silentMs?: number;
  },
): RelayLink {
  const index = join(folder, INDEX_FILE);
  let open = 0;
  let begun = false;

  function begin(): void {
    if (begun && !(open === 0 && (statSync(index).size > ROTATE_BYTES))) return;
    if (!begun) clearRelayFolder(folder);
    replaceFile(index, `${JSON.stringify({ session: newId() })}\n`, 0o600);
    begun = true;
  }

  async function* follow(id: string, signal: AbortSignal): AsyncGenerator<RelayFrame> {
    let offset = 0;
    let heardAt = clock.now();
    for (;;) {
      const found = readSharedFrom(answerPath(folder, id), offset);
      if (found !== undefined && "wrong" in found) return yield { broken: found.wrong };
      const { lines, length } = wholeLines(found?.bytes ?? new Uint8Array());
      for (const line of lines) {
        const frame = readFrame(line);
        if (frame === undefined) return yield { broken: "The daemon's answer cannot be read" };
        yield frame;
        if ("end" in frame || "broken" in frame) return;
      }
      offset += length;
      if (lines.length > 0) heardAt = clock.now();
      else if (clock.now() - heardAt > silentMs) {
        return yield { broken: "The daemon, which asks the model, does not answer" };
      }
      await clock.sleep(pollMs, signal);
    }
  }

  return {
    async *ask(ask, signal) {
      begin();
      const id = newId();
      open++;
      let isOver = false;
      try {
        // Made here, so that no reader ever looks for a name that is not there yet.
        closeSync(openSync(answerPath(folder, id), "wx", 0o600));
        replaceFile(askPath(folder, id), JSON.stringify(ask), 0o600);
        appendShared(index, { ask: id });
        for await (const frame of follow(id, signal)) {
          isOver = "end" in frame || "broken" in frame;
          yield frame;
        }
      } finally {
        open--;
        try {
          if (!isOver) appendShared(index, { cancel: id });
        } catch {
          // The files that are gone say it too.
        }
        rmSync(askPath(folder, id), { force: true });
        rmSync(answerPath(folder, id), { force: true });
      }
    },
  };
}

function newId(): string {
  return randomBytes(16).toString("hex");
}
