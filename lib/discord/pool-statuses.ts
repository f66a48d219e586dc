import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import { nap } from "./nap.ts";
import { patience } from "./patience.ts";
import { BOARD_TITLE, boardText, workerText } from "./pool-board-view.ts";
import type { PoolView } from "./pool-board-view.ts";
import { UNKNOWN_MESSAGE } from "./pool-feed.ts";
import type { PoolMemory } from "./pool-memory.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";

export interface PoolStatusesParts {
  desk: PoolView["desk"] & Pick<PoolDesk, "onChange">;
  status: PoolView["status"];
  rest: Pick<DiscordRest, "send" | "edit" | "remove" | "pin" | "pins" | "messages">;
  memory: PoolMemory;
  clock: Clock;
  random(): number;
  channel(signal: AbortSignal): Promise<Id>;
  /** The bot's own user, once it is connected. */
  me(): Id | undefined;
  onLost(): void;
  onTrouble(trouble: string | undefined): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** One message per worker and one board, edited in place: only what changed, and not often. */
export interface PoolStatuses extends AsyncDisposable {
  start(): void;
  wake(): void;
}

/** One request of ours in so long, whatever happens. */
const PACE_MS = 5_000;
/** What is over sooner is not drawn. */
const SETTLES_MS = 3_000;
const BOARD_PACE_MS = 60_000;
/** Who goes silent makes no event; looking costs no request. */
const LOOK_MS = 15_000;
/** A thousand changes in a second are one look. */
const BREATH_MS = 500;
/** Discord limits edits of messages that are older than an hour. */
const FRESH_MS = 50 * 60_000;
/** Discord's numbers: it is gone; it is somebody else's; it may be edited no more. */
const REPLACED = [UNKNOWN_MESSAGE, 50005, 30046];
const BOARD = "";

export function createPoolStatuses(parts: PoolStatusesParts): PoolStatuses {
  const { desk, rest, memory, clock } = parts;
  const stop = new AbortController();
  /** Worker, or BOARD, to when it began to differ from what is drawn. */
  const differs = new Map<string, number>();
  let drewAt = -Infinity;
  let boardAt = -Infinity;
  let searched: Id | undefined;
  let canPin = true;
  let tries = 0;
  let wakeUp = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;
  const stopListening = desk.onChange(() => wakeUp.resolve());

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      wakeUp = Promise.withResolvers();
      const wait = await step();
      if (stop.signal.aborted) return;
      // What changes while it waits for its turn is seen at its turn.
      if (wait >= LOOK_MS) await nap(clock, wait, wakeUp.promise, stop.signal);
      await clock.sleep(wait < LOOK_MS ? wait : BREATH_MS, stop.signal).catch(() => {});
    }
  }

  /** Milliseconds until the next look. */
  async function step(): Promise<number> {
    compare();
    const now = clock.now();
    let next = LOOK_MS;
    let chosen: string | undefined;
    for (const [name, since] of [...differs].sort(([, a], [, b]) => a - b)) {
      const own = name === BOARD ? boardAt + BOARD_PACE_MS : -Infinity;
      const due = Math.max(since + SETTLES_MS, drewAt + PACE_MS, own);
      if (due <= now) chosen ??= name;
      else next = Math.min(next, due - now);
    }
    if (chosen === undefined) return next;
    try {
      await draw(chosen);
      tries = 0;
      parts.onTrouble(undefined);
    } catch (error) {
      if (stop.signal.aborted) return 0;
      return failed(error);
    }
    differs.delete(chosen);
    drewAt = clock.now();
    if (chosen === BOARD) boardAt = drewAt;
    return PACE_MS;
  }

  function failed(error: unknown): number {
    if (!(error instanceof DiscordError)) {
      parts.log("warn", "Cannot draw how the workers are", { error: `${error}` });
      return LOOK_MS;
    }
    if (error.kind === "missing" && error.code !== UNKNOWN_MESSAGE) parts.onLost();
    parts.onTrouble(error.message);
    const wait = Math.max(PACE_MS, error.retryAfterMs ?? 0, patience(++tries, parts.random));
    // Whatever else changes meanwhile waits as well.
    drewAt = clock.now() + wait - PACE_MS;
    return Math.min(wait, LOOK_MS);
  }

  function compare(): void {
    const { statuses, board } = memory.read();
    const workers = desk.state().workers;
    const now = clock.now();
    const mark = (name: string, isSame: boolean) => {
      if (isSame) differs.delete(name);
      else if (!differs.has(name)) differs.set(name, now);
    };
    for (const name of workers.keys()) {
      mark(name, statuses[name]?.drawn === digestOf(workerText(name, view())));
    }
    for (const name of Object.keys(statuses)) if (!workers.has(name)) mark(name, false);
    mark(BOARD, board?.drawn === digestOf(boardText(view())));
  }

  function view(): PoolView {
    return { desk, status: parts.status, now: clock.now() };
  }

  async function draw(name: string): Promise<void> {
    const channel = await parts.channel(stop.signal);
    if (name === BOARD) return await drawBoard(channel);
    const { [name]: old, ...others } = memory.read().statuses;
    if (!desk.state().workers.has(name)) {
      if (old !== undefined) await remove(channel, old.id);
      return memory.write({ statuses: others });
    }
    const content = workerText(name, view());
    const drawn = digestOf(content);
    const keep = (id: Id, at: number) =>
      memory.write({ statuses: { ...memory.read().statuses, [name]: { id, at, drawn } } });
    const isFresh = old !== undefined && clock.now() - old.at < FRESH_MS;
    if (isFresh && await edit(channel, old.id, content)) return keep(old.id, old.at);
    // The old one's id makes the nonce: who dies in between finds the same new one.
    const nonce = nonceOf(memory.read().mark, `status/${name}/${old?.id ?? channel}`, 0);
    const made = await rest.send(channel, { content, nonce, silent: true }, stop.signal);
    keep(made.id, clock.now());
    if (old !== undefined && old.id !== made.id) await remove(channel, old.id);
  }

  async function drawBoard(channel: Id): Promise<void> {
    const content = boardText(view());
    const drawn = digestOf(content);
    const old = memory.read().board?.id ?? await findOld(channel);
    if (old !== undefined && await edit(channel, old, content)) {
      return memory.write({ board: { id: old, drawn } });
    }
    const nonce = nonceOf(memory.read().mark, `board/${old ?? channel}`, 0);
    const made = await rest.send(channel, { content, nonce, silent: true }, stop.signal);
    memory.write({ board: { id: made.id, drawn } });
    if (old !== undefined && old !== made.id) await remove(channel, old);
    await pin(channel, made.id);
  }

  /** False: another has to take its place. */
  async function edit(channel: Id, id: Id, content: string): Promise<boolean> {
    try {
      await rest.edit(channel, id, { content }, stop.signal);
      return true;
    } catch (error) {
      if (!(error instanceof DiscordError) || !REPLACED.includes(error.code ?? 0)) throw error;
      return false;
    }
  }

  async function remove(channel: Id, id: Id): Promise<void> {
    try {
      await rest.remove(channel, id, stop.signal);
    } catch (error) {
      parts.log("info", "Cannot delete an old message of ours", { error: `${error}` });
    }
  }

  /** One of an earlier life whose id was lost: the newest stays. Looked for once per channel. */
  async function findOld(channel: Id): Promise<Id | undefined> {
    const me = parts.me();
    if (me === undefined || searched === channel) return undefined;
    const pinned = await rest.pins(channel, stop.signal).catch(() => []);
    const recent = await rest.messages(channel, { limit: 100 }, stop.signal);
    const own = [...pinned, ...recent].filter(({ author, content }) =>
      author.id === me && content.startsWith(BOARD_TITLE)
    );
    const ids = [...new Set(own.map(({ id }) => id))].sort((a, b) =>
      BigInt(a) < BigInt(b) ? 1 : -1
    );
    searched = channel;
    const [newest, ...others] = ids;
    for (const id of others) await remove(channel, id);
    return newest;
  }

  async function pin(channel: Id, id: Id): Promise<void> {
    if (!canPin) return;
    try {
      await rest.pin(channel, id, stop.signal);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      canPin = error.kind !== "forbidden";
      parts.log("info", "Cannot pin the board; it is kept up to date all the same", {
        error: error.message,
      });
    }
  }

  return {
    start() {
      running ??= run().catch((error) => {
        parts.log("warn", "The workers' channel is drawn no more", {
          error: `${error?.stack ?? error}`,
        });
      });
    },
    wake() {
      drewAt = Math.min(drewAt, clock.now());
      wakeUp.resolve();
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      stop.abort();
      wakeUp.resolve();
      await running;
    },
  };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}
