import type { Desk, Notice } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { FoundDaemon } from "../control/find-daemon.ts";
import { answerSlash } from "../slash/run.ts";
import type { Event } from "../sweep/event.ts";
import { createBrokerOffice } from "./broker-office.ts";
import { createPoolOffice } from "./pool-office.ts";
import { createDiscordHub } from "./discord-hub.ts";
import { createDraw } from "./draw.ts";
import { lingerMs } from "./linger.ts";
import { placeOf } from "./remote.ts";
import { startDaemon } from "./start-daemon.ts";
import { createStation } from "./station.ts";
import { userName } from "../base/user-name.ts";

/** A sweep as a terminal talks with it. */
export interface LocalPort {
  id: string;
  events(after: number): readonly Event[];
  onEvent(listener: (event: Event) => void): () => void;
  onNotice(listener: (notice: Notice) => void): () => void;
  receive: Desk["receive"];
  slash(text: string): Promise<{ text: string; code: boolean } | undefined>;
}

export interface RunDaemonParts {
  workspaces: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  self: readonly string[];
  noAgent: boolean;
  scheduler: "slurm" | "local" | undefined;
  /** One look and one tick; no daemon is started, and one that runs is not asked. */
  once: boolean;
  maxTicks: number | undefined;
  /** Whether the daemon is there for the pool, also without any sweep. */
  pool: boolean;
  /** The same for the broker. */
  broker: boolean;
  message: string | undefined;
  canAsk(): boolean;
  onWarning(message: string): void;
  open(port: LocalPort): Promise<void>;
  close(id: string): void;
}

export interface DaemonEnd {
  /** Why the monitor of each sweep ended. */
  sweeps: readonly { id: string; path: string; ended: string }[];
  failed: number;
}

/** So long bots wait for the sweeps that come with the daemon; one may wait for a lease for minutes. */
const SWEEPS_MS = 10_000;

/** So long a channel has for what was said last: Discord lets it wait for five seconds at a time. */
const LAST_WORDS_MS = 12_000;

/** Runs the daemon in this process until its sweeps have ended or the signal comes. */
export async function runDaemon(
  parts: RunDaemonParts,
): Promise<DaemonEnd | { running: FoundDaemon }> {
  const { clock, log, signal, env } = parts;
  const ended: { id: string; path: string; ended: string }[] = [];
  await using hub = createDiscordHub({
    clock,
    log,
    random: Math.random,
    draw: createDraw({ self: parts.self, log }),
    onWarning: parts.onWarning,
    trials: () => pool.trialTasks(),
    usage: (by, days) => broker.usage(by, days),
    converses: (wire, place) => broker.converses(wire, place),
  });
  await using pool = createPoolOffice({
    place: placeOf(env),
    env,
    clock,
    log,
    hub,
    onWarning: parts.onWarning,
    self: parts.self,
    find: (nameOrFolder) => station.find(nameOrFolder),
  });
  await using broker = createBrokerOffice({
    place: placeOf(env),
    env,
    clock,
    log,
    hub,
    pool: pool.desk,
    self: parts.self,
    random: Math.random,
    onWarning: parts.onWarning,
  });
  await using station = createStation({
    pool: { pool: pool.desk, startPool: pool.start, trialTasks: pool.trialTasks },
    broker: { broker: broker.status, startBroker: broker.start },
    onShutdown() {
      pool.end();
      broker.end();
    },
    clock,
    log,
    self: parts.self,
    options: {
      once: parts.once,
      ...(parts.maxTicks === undefined ? {} : { maxTicks: parts.maxTicks }),
    },
    scheduler: parts.scheduler,
    noAgent: parts.noAgent,
    canAsk: (held) => parts.canAsk() || hub.canAsk(held),
    lingerMs: (held) => parts.once ? 0 : lingerMs(held, pool.desk(), hub.canAsk(held)),
    onWarning: parts.onWarning,
    async onHeld(held) {
      await parts.open(portOf(held.desk, clock));
      hub.attach(held);
    },
    async onEnding(held, why) {
      broker.sweepEnds();
      await hub.detach(held, why, LAST_WORDS_MS);
    },
    onReleased({ desk }, why) {
      ended.push({ id: desk.id, path: desk.path, ended: why });
      parts.close(desk.id);
    },
  });
  const daemon = parts.once ? undefined : await startDaemon({
    place: placeOf(env),
    station,
    clock,
    log,
    signal,
  });
  if (daemon !== undefined && "running" in daemon) return daemon;
  await using _ = daemon;
  if (daemon !== undefined) await pool.begin(parts.pool);
  const stop = () => void station.shutdown("it was told to stop", "signal");
  signal.addEventListener("abort", stop, { once: true });
  let failed = 0;
  /** At once: one that waits for a lease keeps no other from running. */
  async function holdAll(): Promise<void> {
    await Promise.all(parts.workspaces.map(holdOne));
  }

  async function holdOne(path: string): Promise<void> {
    try {
      await station.hold({
        path,
        env: withoutUndefined(env),
        ...(parts.message === undefined ? {} : { options: { message: parts.message } }),
      }, "cli");
    } catch (error) {
      signal.throwIfAborted();
      if (parts.workspaces.length === 1) throw error;
      failed++;
      log.write("error", explain(error, "terminal"), { path });
      parts.onWarning(`${path}: ${explain(error, "terminal")}`);
    }
  }

  const holding = holdAll().then(() => undefined, (error: unknown) => ({ error }));
  if (daemon !== undefined) {
    // Bots that take up what an earlier life left find the sweeps that they had then.
    const late = new AbortController();
    await Promise.race([holding, clock.sleep(SWEEPS_MS, late.signal).catch(() => {})]);
    late.abort();
    if (!signal.aborted) await broker.begin(parts.broker);
  }
  const wrong = await holding;
  if (wrong !== undefined) throw wrong.error;
  if (signal.aborted) stop();

  await station.idle();
  // Asked for meanwhile, it keeps the daemon; and sweeps may come as long as it does.
  await pool.idle();
  await broker.idle();
  await station.idle();
  return { sweeps: ended, failed };
}

function portOf(desk: Desk, clock: Clock): LocalPort {
  const by = `cli:${userName()}`;
  const from = desk.events(0).at(-1)?.seq ?? 0;
  return {
    id: desk.id,
    // What was said in an earlier life was read then.
    events: (after) => desk.events(Math.max(after, from)),
    onEvent: desk.onEvent,
    onNotice: desk.onNotice,
    receive: desk.receive,
    slash: (text) => answerSlash(desk, text, by, clock),
  };
}

function withoutUndefined(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined),
  );
}
