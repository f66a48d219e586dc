import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { readIfThere, replaceFile } from "../base/files.ts";
import type { Clock } from "../base/clock.ts";
import { z } from "../base/schema.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { Conversation } from "../chat/chat-state.ts";
import {
  afterSending,
  EMPTY_OUTBOX,
  lookIntoOutbox,
  OUTBOX_LIMITS,
  type OutboxLook,
  type OutboxState,
  type OutFile,
  type Sighted,
  undelivered,
} from "../chat/outbox.ts";
import { isOver, type Turn } from "../chat/turn.ts";
import type { BrokerVoice } from "../discord/broker-voice.ts";

export interface BotOutboxParts {
  /** One folder for each conversation. */
  sessions: string;
  config(): BotConfig;
  find(conversation: string): Conversation | undefined;
  filesOf(conversation: Conversation): Promise<string>;
  voice: BrokerVoice;
  clock: Clock;
  log(level: "info" | "warn", message: string, facts?: Record<string, unknown>): void;
}

/** What agents put into their outbox is posted, while a turn runs and after it. */
export interface BotOutbox extends AsyncDisposable {
  heed(turn: Pick<Turn, "conversation" | "state">): void;
  /** Looks once for what an earlier life has left unsent. */
  start(conversations: readonly string[]): void;
}

const EVERY_MS = 2_000;
/** So often what does not arrive is sent again within one turn. */
const TRIES = 3;

const State = z.object({ sent: z.array(z.string()), told: z.array(z.string()) });

interface Watch {
  isOver: boolean;
  nap: AbortController;
  ended: Promise<void>;
}

export function createBotOutbox(parts: BotOutboxParts): BotOutbox {
  const { clock, log } = parts;
  const stop = new AbortController();
  const watches = new Map<string, Watch>();

  function heed({ conversation, state }: Pick<Turn, "conversation" | "state">): void {
    const known = watches.get(conversation);
    if (known !== undefined) {
      known.isOver = isOver(state);
      if (known.isOver) known.nap.abort();
      return;
    }
    if (stop.signal.aborted) return;
    const watch: Watch = {
      isOver: isOver(state),
      nap: new AbortController(),
      ended: Promise.resolve(),
    };
    watches.set(conversation, watch);
    watch.ended = follow(conversation, watch).catch((error: unknown) =>
      log("warn", "Cannot look for files to send", { conversation, error: `${error}` })
    ).finally(() => watches.delete(conversation));
  }

  async function follow(id: string, watch: Watch): Promise<void> {
    let sighted: Sighted = new Map();
    for (let failures = 0, losses = 0; !stop.signal.aborted && failures < TRIES;) {
      const one = parts.find(id);
      if (one === undefined) return;
      const over = watch.isOver;
      const look = await lookOnce(one, sighted, over);
      sighted = look.sighted;
      const { arrived, isPart } = await send(one, look, losses);
      if (!arrived) failures++;
      if (isPart) losses++;
      if (over && watch.isOver && arrived && look.again === undefined) return;
      const now = clock.now();
      await nap(over ? Math.max(200, (look.again ?? now) - now) : EVERY_MS, watch);
    }
  }

  async function lookOnce(
    one: Conversation,
    sighted: Sighted,
    over: boolean,
  ): Promise<OutboxLook> {
    const { sentBytes, sentFiles } = parts.config().attachments;
    return lookIntoOutbox({
      folder: await parts.filesOf(one),
      state: readState(pathOf(one.id)),
      sighted,
      over,
      now: clock.now(),
      limits: { ...OUTBOX_LIMITS, files: Math.min(10, sentFiles), fileBytes: sentBytes },
    });
  }

  /** `isPart`: the message is there, and something of it is not. */
  async function send(
    one: Conversation,
    { files, notices }: OutboxLook,
    losses: number,
  ): Promise<{ arrived: boolean; isPart: boolean }> {
    for (const { key, text } of notices) await parts.voice.remark(one, text, `outbox ${key}`);
    const { missing, isPart } = files.length === 0
      ? { missing: [], isPart: false }
      : await post(one, files, losses);
    const lost = new Set(missing.map(({ key }) => key));
    const done = files.filter(({ key }) => !lost.has(key));
    if (notices.length + done.length > 0) {
      const path = pathOf(one.id);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const next = afterSending(readState(path), { files: done, notices });
      replaceFile(path, `${JSON.stringify(next)}\n`, 0o600);
    }
    return { arrived: lost.size === 0, isPart };
  }

  async function post(one: Conversation, files: readonly OutFile[], losses: number) {
    // By the same key Discord would answer with the message that is not whole.
    const again = losses === 0 ? "" : ` again ${losses}`;
    const key = `files ${one.id} ${files.map((file) => file.key).join(" ")}${again}`;
    const sent = await parts.voice.files(
      one,
      files.map(({ name, content }) => ({
        name,
        bytes: content,
        contentType: "application/octet-stream",
      })),
      key,
    );
    const isPart = !("failed" in sent);
    const missing = isPart ? undelivered(files, sent) : files;
    if (missing.length === 0) return { missing, isPart: false };
    const why = isPart ? "Discord took the message without them" : sent.failed;
    log("warn", "Cannot send files", { conversation: one.id, error: why });
    const names = missing.map(({ name }) => name).join(", ");
    await parts.voice.remark(one, `⚠️ Files did not arrive: ${names}: ${why}`, `${key} no`);
    return { missing, isPart };
  }

  const pathOf = (id: string) => join(parts.sessions, id, "outbox.json");

  async function nap(ms: number, watch: Watch): Promise<void> {
    watch.nap = new AbortController();
    const signal = AbortSignal.any([stop.signal, watch.nap.signal]);
    await clock.sleep(ms, signal).catch(() => {});
  }

  return {
    heed,
    start(conversations) {
      for (const conversation of conversations) heed({ conversation, state: { kind: "done" } });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...watches.values()].map(({ ended }) => ended));
    },
  };
}

function readState(path: string): OutboxState {
  try {
    return State.parse(JSON.parse(readIfThere(path) ?? JSON.stringify(EMPTY_OUTBOX)));
  } catch {
    // What was sent may be sent once more; nothing is lost.
    return EMPTY_OUTBOX;
  }
}
