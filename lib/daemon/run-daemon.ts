import type { Desk, Notice } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import { currentBuild } from "../base/build.ts";
import type { Log } from "../base/log.ts";
import type { FoundDaemon } from "../control/find-daemon.ts";
import { answerSlash } from "../slash/run.ts";
import type { Event } from "../sweep/event.ts";
import { createBrokerOffice } from "./broker-office.ts";
import { createPoolOffice } from "./pool-office.ts";
import type { SweepOnHost } from "../control/station.ts";
import type { HeldSweep } from "./held-sweep.ts";
import { createDiscordHub } from "./discord-hub.ts";
import { createDraw } from "./draw.ts";
import { giveCode } from "./give-code.ts";
import { createHostDesk } from "./host-desk.ts";
import { hostOfWorkspace } from "./host-of-workspace.ts";
import type { HoldRequest } from "../control/station.ts";
import type { Handover } from "./handover.ts";
import { lingerMs } from "./linger.ts";
import { placeOf } from "./remote.ts";
import { startDaemon } from "./start-daemon.ts";
import { createStation } from "./station.ts";
import { versionText } from "./successor.ts";
import { userName } from "../base/user-name.ts";
import type { Asker } from "../ssh/asker.ts";

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
  /** Instead of these: what this process held when it was another version. */
  handed?: Handover | undefined;
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
  /** For passphrases and codes of other computers; undefined where nobody can be asked. */
  asker?: Asker | undefined;
  /** From here on nothing is asked at the terminal: what is typed is for the sweeps. */
  begin?(): Promise<void>;
  onWarning(message: string): void;
  open(port: LocalPort): Promise<void>;
  close(id: string): void;
}

export interface DaemonEnd {
  /** Why the monitor of each sweep ended. */
  sweeps: readonly { id: string; path: string; ended: string }[];
  failed: number;
  /** What the new version is to hold, where the daemon ended to become it. */
  handover: Handover | undefined;
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
  const { handed } = parts;
  let handover: Handover | undefined;
  await using hub = createDiscordHub({
    clock,
    log,
    random: Math.random,
    draw: createDraw({ self: parts.self, log }),
    onWarning: parts.onWarning,
    trials: () => pool.trialTasks(),
    giveCode: (host, code) => giveCode(hosts, host, code),
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
  const usersOf = (host: string) => station.all().filter(({ outside }) => outside.host() === host);
  await using hosts = createHostDesk({
    env,
    clock,
    log,
    sweepsOn: (host) => station.all().flatMap((held) => onHost(held, host)),
    tell(host, text, wants) {
      log.write("warn", text, { host });
      const users = usersOf(host);
      if (users.length === 0) parts.onWarning(text);
      for (const held of users) void tellSweep(held, { text, ...wants }, parts);
    },
    onReached(host) {
      for (const { monitor } of usersOf(host)) monitor.lookNow();
    },
  });
  await using station = createStation({
    reach: hosts.reach,
    hosts,
    pool: { pool: pool.desk, startPool: pool.start, trialTasks: pool.trialTasks },
    broker: { broker: broker.status, startBroker: broker.start },
    onShutdown() {
      pool.end();
      broker.end();
    },
    onRestart(sweeps) {
      const kept = { pool: pool.isKept(), broker: broker.isKept() };
      handover = { from: versionText(currentBuild()), sweeps, ...kept };
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
  if (daemon !== undefined) await pool.begin(handed?.pool ?? parts.pool);
  if (parts.asker !== undefined) {
    const names = new Set(parts.workspaces.flatMap((one) => hostOfWorkspace(one) ?? []));
    await hosts.enter([...names], parts.asker, signal);
  }
  await parts.begin?.();
  const stop = () => void station.shutdown("it was told to stop", "signal");
  signal.addEventListener("abort", stop, { once: true });
  let failed = 0;
  /** At once: one that waits for a lease keeps no other from running. */
  async function holdAll(): Promise<void> {
    await Promise.all(requestsOf(parts).map(holdOne));
  }

  async function holdOne(request: HoldRequest): Promise<void> {
    const { path } = request;
    try {
      await station.hold(request, "cli");
    } catch (error) {
      signal.throwIfAborted();
      if (handover !== undefined) return;
      if (handed === undefined && parts.workspaces.length === 1) throw error;
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
    if (!signal.aborted) await broker.begin(handed?.broker ?? parts.broker);
  }
  const wrong = await holding;
  if (wrong !== undefined) throw wrong.error;
  if (signal.aborted) stop();

  await station.idle();
  // Asked for meanwhile, it keeps the daemon; and sweeps may come as long as it does.
  await pool.idle();
  await broker.idle();
  await station.idle();
  return { sweeps: ended, failed, handover };
}

/** What it begins with. */
function requestsOf({ workspaces, handed, env, message }: RunDaemonParts): readonly HoldRequest[] {
  if (handed === undefined) {
    const options = message === undefined ? {} : { options: { message } };
    return workspaces.map((path) => ({ path, env: withoutUndefined(env), ...options }));
  }
  return handed.sweeps.map(({ path, env, noAgent }) => ({
    path,
    env,
    options: { restartedFrom: handed.from, ...(noAgent === undefined ? {} : { noAgent }) },
  }));
}

function onHost({ desk, outside }: HeldSweep, host: string): SweepOnHost[] {
  if (outside.host() !== host) return [];
  return [{ id: desk.id, path: desk.path, totals: desk.status({ limit: 0 }).totals }];
}

/** In each of its channels. */
async function tellSweep(
  held: HeldSweep,
  words: { text: string; login?: string },
  { clock, log }: Pick<RunDaemonParts, "clock" | "log">,
): Promise<void> {
  const said = { key: `host/${clock.now()}`, kind: "warning" as const, ...words };
  try {
    await held.record([{ type: "said", said }]);
  } catch (error) {
    log.write("error", "Cannot tell the sweep of its host", { error: explain(error, "log") });
  }
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
