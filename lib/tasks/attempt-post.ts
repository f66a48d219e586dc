import type { Clock } from "../base/clock.ts";
import type { AttemptMessage } from "./attempt-message.ts";
import type { AttemptOutput } from "./attempt-output.ts";

/** At most so often. */
const PROGRESS_MS = 500;
const PROGRESS_LENGTH = 200;

export interface Post {
  /** Resolves when it is written. */
  say(message: AttemptMessage): Promise<void>;
  /** The last word only, where they come faster than they can be told. */
  progress(phase: string): void;
  /** Tells no more progress. */
  close(): void;
}

/** Lines to the worker, in order. */
export function createPost(output: AttemptOutput, clock: Clock): Post {
  let phase: string | undefined;
  let telling = false;

  function say(message: AttemptMessage): Promise<void> {
    return output.write(`${JSON.stringify(message)}\n`);
  }

  async function tell(): Promise<void> {
    telling = true;
    while (phase !== undefined && !over.signal.aborted) {
      const text = phase.slice(0, PROGRESS_LENGTH);
      phase = undefined;
      await say({ progress: text });
      await clock.sleep(PROGRESS_MS, over.signal).catch(() => {});
    }
    telling = false;
  }

  const over = new AbortController();
  return {
    say,
    progress(next) {
      phase = next;
      if (!telling) void tell();
    },
    close: () => over.abort(),
  };
}
