import { Buffer } from "node:buffer";
import { z } from "../base/schema.ts";
import type { Log } from "../base/log.ts";
import { runProcess } from "../base/process.ts";
import type { ScalePicture } from "../chat/take-attachment.ts";

const PATIENCE_MS = 30_000;
/** Far more than a picture of the longest side that can be configured, in base64. */
const MOST_BYTES = 64 * 1024 * 1024;
const Answer = z.union([z.object({ jpeg: z.base64() }), z.object({ cannot: z.string() })]);

/**
 * Makes pictures smaller in a process of its own, one at a time: a picture that fills its memory, or
 * that its decoder does not survive, is no harm to the daemon.
 */
export function createScale(
  { self, log }: { self: readonly string[]; log: Pick<Log, "write"> },
): ScalePicture {
  let last: Promise<unknown> = Promise.resolve();

  async function scaleNow(bytes: Uint8Array, side: number, signal: AbortSignal) {
    if (signal.aborted) return { cannot: "it was cancelled" };
    const ended = await runProcess([...self, "draw", "--shrink", String(side)], {
      input: Buffer.from(bytes).toString("base64"),
      env: plainEnv(),
      maxBytes: MOST_BYTES,
      timeoutMs: PATIENCE_MS,
      signal,
    });
    const answer = ended.ok ? readAnswer(ended.stdout) : undefined;
    if (answer !== undefined) {
      return "cannot" in answer
        ? answer
        : { jpeg: new Uint8Array(Buffer.from(answer.jpeg, "base64")) };
    }
    log.write("warn", "Cannot make a picture smaller", {
      exit: ended.exitCode,
      timedOut: ended.timedOut,
      stderr: ended.stderr.slice(-2_000),
    });
    return { cannot: ended.timedOut ? "it took too long" : "its decoder gave up" };
  }

  return (bytes, side, signal) => {
    const mine = last.then(() => scaleNow(bytes, side, signal));
    last = mine.catch(() => {});
    return mine;
  };
}

/** A stranger's bytes are decoded there: no token of ours is near. */
function plainEnv(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "XDG_STATE_HOME", "DENO_DIR"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }));
}

function readAnswer(text: string) {
  try {
    return Answer.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
