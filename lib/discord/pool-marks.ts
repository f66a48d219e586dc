import type { Clock } from "../base/clock.ts";
import { isPassing } from "./discord-error.ts";
import type { Id } from "./message.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";

export interface PoolMarksParts {
  rest: Pick<DiscordRest, "react" | "unreact">;
  clock: Clock;
  random(): number;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Reactions of ours. Decoration: nothing reads them, and nothing waits for them. */
export interface PoolMarks extends AsyncDisposable {
  /** Of several for one message that wait only the last is set. */
  set(mark: Mark): void;
  /** Tries now, whatever it was waiting for. */
  wake(): void;
  waiting(): number;
}

export interface Mark {
  channelId: Id;
  messageId: Id;
  emoji: string;
  /** One of ours that says what is no longer true. */
  instead?: string | undefined;
  onSet?: () => void;
}

/** Beyond so many the oldest are let go: decoration is no reason to fill the memory. */
const MOST = 5_000;

export function createPoolMarks(parts: PoolMarksParts): PoolMarks {
  const { rest, clock } = parts;
  const stop = new AbortController();
  const due = new Map<Id, Mark>();
  let running: Promise<void> | undefined;
  let nap = new AbortController();
  let hasFallen = false;

  async function run(): Promise<void> {
    let tries = 0;
    for (let mark = next(); mark !== undefined; mark = next()) {
      try {
        if (mark.instead !== undefined) await unreact(mark, mark.instead);
        await rest.react(mark.channelId, mark.messageId, mark.emoji, stop.signal);
        tries = 0;
        mark.onSet?.();
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!isPassing(error)) {
          fell(error);
          continue;
        }
        // A newer one for the same message has its place.
        if (!due.has(mark.messageId)) due.set(mark.messageId, mark);
        nap = new AbortController();
        const signal = AbortSignal.any([stop.signal, nap.signal]);
        const wait = Math.max(error.retryAfterMs ?? 0, patience(++tries, parts.random));
        await clock.sleep(wait, signal).catch(() => {});
      }
    }
  }

  function next(): Mark | undefined {
    const [first] = due.values();
    if (first === undefined || stop.signal.aborted) return undefined;
    due.delete(first.messageId);
    return first;
  }

  async function unreact({ channelId, messageId }: Mark, emoji: string): Promise<void> {
    try {
      await rest.unreact(channelId, messageId, emoji, stop.signal);
    } catch (error) {
      if (isPassing(error)) throw error;
    }
  }

  /** Without the permission, or deleted meanwhile. */
  function fell(error: unknown): void {
    if (hasFallen) return;
    hasFallen = true;
    parts.log("info", "Cannot react to a message", { error: `${error}` });
  }

  return {
    set(mark) {
      if (stop.signal.aborted) return;
      // What was to be taken away before is to be taken away still.
      const before = due.get(mark.messageId);
      const instead = mark.instead ?? before?.instead;
      due.set(mark.messageId, instead === undefined ? mark : { ...mark, instead });
      if (due.size > MOST) due.delete(due.keys().next().value!);
      running ??= run().finally(() => running = undefined);
    },
    wake: () => nap.abort(),
    waiting: () => due.size,
    async [Symbol.asyncDispose]() {
      stop.abort();
      due.clear();
      await running;
    },
  };
}
