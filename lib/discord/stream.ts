import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id, Outgoing } from "./message.ts";
import { createSerial } from "./serial.ts";
import type { DiscordRest } from "./rest.ts";

export interface StreamParts {
  rest: Pick<DiscordRest, "send" | "edit" | "remove">;
  memory: ChannelMemory;
  clock: Clock;
  channelId(): Id | undefined;
  /** What is shown of words that are still being written. */
  view(text: string, replyTo: Id | undefined): Outgoing;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface Stream extends AsyncDisposable {
  /** The agent's words so far; `replyTo` is the message that it answers. */
  write(text: string, replyTo: Id | undefined): void;
  /** The agent is done; what it says is posted now, or nothing is. */
  end(): void;
  /** What was said is posted elsewhere. */
  drop(): void;
  /** The message that the next post of the agent becomes; remembered until that is out. */
  take(): Promise<Id | undefined>;
  /** Takes away what an earlier life left half written. */
  tidy(): Promise<void>;
}

/** Discord allows five edits in five seconds, and the feed and the dashboard want some. */
const EVERY_MS = 1_500;
/** What stands alone for so long was never finished. */
const ORPHAN_MS = 60_000;

/** Shows an answer while it is written, in one message that grows. */
export function createStream(parts: StreamParts): Stream {
  const { rest, memory, clock } = parts;
  const serial = createSerial();
  const stop = new AbortController();
  let wanted: { text: string; replyTo: Id | undefined } | undefined;
  let open: Id | undefined;
  let busy = false;
  let orphan: AbortController | undefined;

  async function pump(): Promise<void> {
    while (wanted !== undefined && !stop.signal.aborted) {
      const { text, replyTo } = wanted;
      wanted = undefined;
      await serial(() => show(text, replyTo));
      await clock.sleep(EVERY_MS, stop.signal).catch(() => {});
    }
    busy = false;
  }

  async function show(text: string, replyTo: Id | undefined): Promise<void> {
    const channel = parts.channelId();
    if (channel === undefined || text.trim() === "") return;
    const view = parts.view(text, replyTo);
    try {
      if (open === undefined) {
        open = (await rest.send(channel, view, stop.signal)).id;
        memory.write({ streaming: open });
      } else {
        const { replyTo: _, ...edit } = view;
        await rest.edit(channel, open, edit, stop.signal);
      }
    } catch (error) {
      if (!(error instanceof DiscordError) && !stop.signal.aborted) throw error;
      if (error instanceof DiscordError && error.kind === "missing") open = undefined;
      // The whole answer is posted at its end in any case.
      parts.log("info", "Cannot show an answer while it is written", { error: `${error}` });
    }
  }

  async function drop(): Promise<void> {
    const id = open ?? memory.read().streaming;
    const channel = parts.channelId();
    open = undefined;
    if (id === undefined || channel === undefined) return;
    await rest.remove(channel, id).catch(() => {});
    memory.write({ streaming: undefined });
  }

  return {
    write(text, replyTo) {
      orphan?.abort();
      wanted = { text, replyTo };
      if (busy || stop.signal.aborted) return;
      busy = true;
      void pump().catch((error) => {
        busy = false;
        parts.log("info", "Cannot show an answer while it is written", { error: `${error}` });
      });
    },
    end() {
      wanted = undefined;
      orphan?.abort();
      orphan = new AbortController();
      const { signal } = orphan;
      const both = AbortSignal.any([signal, stop.signal]);
      void clock.sleep(ORPHAN_MS, both).then(() => serial(drop), () => {});
    },
    drop() {
      wanted = undefined;
      orphan?.abort();
      void serial(drop);
    },
    take: () =>
      serial(() => {
        wanted = undefined;
        orphan?.abort();
        const id = open ?? memory.read().streaming;
        open = undefined;
        return Promise.resolve(id);
      }),
    tidy: () => serial(drop),
    async [Symbol.asyncDispose]() {
      stop.abort();
      orphan?.abort();
      await serial(() => Promise.resolve());
    },
  };
}
