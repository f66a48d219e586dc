import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
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
  /**
   * Nothing of it is set later on: somebody else sees to that message now. Resolves with whether what
   * was wanted last is there.
   */
  leave(messageId: Id): Promise<boolean>;
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
  let current: { messageId: Id; done: Promise<unknown> } | undefined;
  let nap = new AbortController();
  let hasFallen = false;

  async function run(): Promise<void> {
    let tries = 0;
    for (let mark = next(); mark !== undefined; mark = next()) {
      const done = put(mark);
      current = { messageId: mark.messageId, done };
      const passing = await done;
      current = undefined;
      if (stop.signal.aborted) return;
      tries = passing === undefined ? 0 : tries + 1;
      if (passing === undefined) continue;
      nap = new AbortController();
      const signal = AbortSignal.any([stop.signal, nap.signal]);
      const wait = Math.max(passing.retryAfterMs ?? 0, patience(tries, parts.random));
      await clock.sleep(wait, signal).catch(() => {});
    }
  }

  /** Answers the trouble after which it is to be tried again. */
  async function put(mark: Mark): Promise<DiscordError | undefined> {
    try {
      if (mark.instead !== undefined) await unreact(mark, mark.instead);
      await rest.react(mark.channelId, mark.messageId, mark.emoji, stop.signal);
      mark.onSet?.();
      return undefined;
    } catch (error) {
      if (stop.signal.aborted) return undefined;
      if (!isPassing(error)) {
        fell(error);
        return undefined;
      }
      // A newer one for the same message has its place.
      if (!due.has(mark.messageId)) due.set(mark.messageId, mark);
      return error;
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
    async leave(messageId) {
      const wasDue = due.delete(messageId);
      if (current?.messageId !== messageId) return !wasDue;
      await current.done;
      return !due.delete(messageId) && !wasDue;
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

function isPassing(error: unknown): error is DiscordError {
  return error instanceof DiscordError &&
    (error.kind === "unreachable" || error.kind === "limited");
}
