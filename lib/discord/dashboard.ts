import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id, Outgoing } from "./message.ts";
import { nap } from "./nap.ts";
import { patience } from "./patience.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface DashboardParts {
  rest: Pick<DiscordRest, "send" | "edit" | "remove" | "pin" | "pins" | "messages">;
  memory: ChannelMemory;
  clock: Clock;
  random(): number;
  channel(signal: AbortSignal): Promise<Id>;
  onLost(): void;
  /** Who the bot is; throws DiscordError when Discord does not say. */
  me(signal: AbortSignal): Id | Promise<Id>;
  /** 0: there is none. Read anew each time. */
  refreshSeconds(): number;
  /** Page counts from 0. */
  view(page: number): Outgoing;
  offline(why: string): Outgoing;
  nonce(): string;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface Dashboard extends AsyncDisposable {
  start(): void;
  /** Draws it now, on this page where one is given. */
  show(page?: number): Promise<void>;
  wake(): void;
  /** Its last word; afterwards nothing is drawn. */
  goOffline(why: string, signal: AbortSignal): Promise<void>;
}

const TITLE = "📊";
/** Discord's numbers: it is gone; it is somebody else's; it may be edited no more. */
const REPLACED = [10008, 50005, 30046];
/** Off may become on when the YAML is edited. */
const OFF_LOOK_MS = 60_000;

/** One message that always says how things are, and is one over all restarts. */
export function createDashboard(parts: DashboardParts): Dashboard {
  const { rest, memory, clock } = parts;
  const stop = new AbortController();
  const serial = createSerial();
  let page = 0;
  let tries = 0;
  let canPin = true;
  let searched: Id | undefined;
  let shown = "";
  let wakeUp = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      wakeUp = Promise.withResolvers();
      const wait = await step();
      await nap(clock, wait, wakeUp.promise, stop.signal);
    }
  }

  /** Milliseconds until the next one. */
  async function step(): Promise<number> {
    const every = parts.refreshSeconds() * 1000;
    if (every === 0) {
      // What stands there would never change again.
      await guarded(removeOld);
      return OFF_LOOK_MS;
    }
    const failed = await guarded(() => draw(parts.view(page)));
    tries = failed === undefined ? 0 : tries + 1;
    return failed === undefined ? every : Math.max(failed, patience(tries, parts.random));
  }

  async function guarded(act: () => Promise<void>): Promise<number | undefined> {
    try {
      await serial(act);
      return undefined;
    } catch (error) {
      if (stop.signal.aborted) return 0;
      if (error instanceof DiscordError && error.kind === "missing") parts.onLost();
      parts.log("info", "Cannot draw the dashboard", { error: `${error}` });
      return error instanceof DiscordError ? error.retryAfterMs ?? 0 : 0;
    }
  }

  async function draw(view: Outgoing, signal: AbortSignal = stop.signal): Promise<void> {
    const channel = await parts.channel(signal);
    const id = memory.read().dashboardId ?? await findOld(channel, signal);
    if (id !== undefined && await edited(channel, id, view, signal)) return;
    const made = await rest.send(channel, { ...view, nonce: parts.nonce(), silent: true }, signal);
    memory.write({ dashboardId: made.id });
    shown = JSON.stringify(view);
    await pin(channel, made.id, signal);
  }

  async function edited(
    channel: Id,
    id: Id,
    view: Outgoing,
    signal: AbortSignal,
  ): Promise<boolean> {
    const text = JSON.stringify(view);
    if (text === shown) return true;
    try {
      await rest.edit(channel, id, view, signal);
      shown = text;
      return true;
    } catch (error) {
      if (!(error instanceof DiscordError) || !REPLACED.includes(error.code ?? 0)) throw error;
      memory.write({ dashboardId: undefined });
      // Not ours any more, or too old to be edited: another takes its place.
      await rest.remove(channel, id, signal).catch(() => {});
      return false;
    }
  }

  /** One of an earlier life whose id was lost: the newest stays, others go. Looked for once per channel. */
  async function findOld(channel: Id, signal: AbortSignal): Promise<Id | undefined> {
    if (searched === channel) return undefined;
    const me = await parts.me(signal);
    const pinned = await rest.pins(channel, signal).catch(() => []);
    const recent = await rest.messages(channel, { limit: 100 }, signal);
    const own = [...pinned, ...recent].filter(({ author, title }) =>
      author.id === me && title?.startsWith(TITLE)
    );
    const ids = [...new Set(own.map(({ id }) => id))].sort((a, b) =>
      BigInt(a) < BigInt(b) ? 1 : -1
    );
    searched = channel;
    const [newest, ...others] = ids;
    for (const id of others) await rest.remove(channel, id, signal).catch(() => {});
    if (newest !== undefined) memory.write({ dashboardId: newest });
    return newest;
  }

  async function pin(channel: Id, id: Id, signal: AbortSignal): Promise<void> {
    if (!canPin) return;
    try {
      await rest.pin(channel, id, signal);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      canPin = error.kind !== "forbidden";
      parts.log("info", "Cannot pin the dashboard; it is updated all the same", {
        error: error.message,
      });
    }
  }

  async function removeOld(): Promise<void> {
    const { dashboardId } = memory.read();
    if (dashboardId === undefined) return;
    await rest.remove(await parts.channel(stop.signal), dashboardId, stop.signal).catch(() => {});
    memory.write({ dashboardId: undefined });
    shown = "";
  }

  return {
    start() {
      running ??= run();
    },
    async show(wanted) {
      if (wanted !== undefined) page = Math.max(0, wanted);
      if (parts.refreshSeconds() > 0) await serial(() => draw(parts.view(page)));
    },
    wake: () => wakeUp.resolve(),
    async goOffline(why, signal) {
      stop.abort();
      wakeUp.resolve();
      await running;
      if (memory.read().dashboardId === undefined || parts.refreshSeconds() === 0) return;
      await serial(() => draw(parts.offline(why), signal)).catch((error) =>
        parts.log("info", "Cannot mark the dashboard offline", { error: `${error}` })
      );
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      wakeUp.resolve();
      await running;
    },
  };
}
