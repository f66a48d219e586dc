import { realpathSync } from "node:fs";
import { hostname } from "node:os";
import type { Desk } from "../actions/desk.ts";
import type { Action } from "../actions/perform.ts";
import { currentBuild } from "../base/build.ts";
import type { Clock } from "../base/clock.ts";
import { RefusedError, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HoldRequest, Station } from "../control/station.ts";
import type { MonitorOptions } from "../monitor/loop.ts";
import { acquireLease, STALE_MS } from "../store/lease.ts";
import type { Lease } from "../store/lease.ts";
import { describeHolder, lifeOf } from "../store/lease-holder.ts";
import { createState, findWorkspace } from "../store/workspace.ts";
import { noTokens } from "../sweep/monitor-state.ts";
import { addTokens } from "../sweep/monitor-state.ts";
import { removeControlFile, writeControlFile } from "./control-file.ts";
import type { ControlFile } from "./control-file.ts";
import { holdSweep } from "./held-sweep.ts";
import type { HeldSweep } from "./held-sweep.ts";
import type { Handover } from "./handover.ts";
import type { OutsideRequest } from "./outside.ts";
import { checkWorkspace } from "./reach.ts";
import { proveSuccessor, versionText } from "./successor.ts";

export interface StationParts {
  clock: Clock;
  log: Log;
  self: readonly string[];
  options: MonitorOptions;
  scheduler: "slurm" | "local" | undefined;
  noAgent: boolean;
  canAsk(held: HeldSweep): boolean;
  /** How long a sweep that is done stays all the same. Milliseconds. */
  lingerMs(held: HeldSweep): number;
  onWarning(message: string): void;
  /** How other computers are reached. */
  reach: NonNullable<OutsideRequest["reach"]>;
  hosts: Pick<Station, "hosts" | "answerHost">;
  /** A sweep came; its channels may be opened. */
  onHeld(held: HeldSweep): void | Promise<void>;
  /** Its last words are written; whoever passes them on does it now. */
  onEnding(held: HeldSweep, why: string): Promise<void>;
  pool: Pick<Station, "pool" | "startPool" | "trialTasks">;
  broker: Pick<Station, "broker" | "startBroker">;
  /** The daemon ends, whether it holds a sweep or not. */
  onShutdown(): void;
  /** The daemon ends to become another executable, which holds these then. */
  onRestart(sweeps: Handover["sweeps"]): void;
  /** A sweep's monitor ended, and why. */
  onReleased(held: HeldSweep, why: string): void;
}

/** All sweeps of one daemon. */
export interface RunningStation extends Station, AsyncDisposable {
  /** Where the daemon answers, to be written into each workspace. */
  announce(where: Omit<ControlFile, "id">): void;
  /** A sweep that is held, by its name or its folder with links resolved. */
  find(nameOrFolder: string): HeldSweep | undefined;
  all(): readonly HeldSweep[];
  /** Resolves when no sweep is held any more. */
  idle(): Promise<void>;
}

interface Held {
  held: HeldSweep;
  request: HoldRequest;
  lease: Lease;
  path: string;
  stop: AbortController;
  ended: Promise<void>;
}

/** One that was killed on another machine is outlasted. */
const LEASE_WAIT_MS = STALE_MS + 30_000;

/** One that lives may just be ending. */
const ALIVE_WAIT_MS = 2_000;

export function createStation(parts: StationParts): RunningStation {
  const { clock, log } = parts;
  const sweeps = new Map<string, Held>();
  const startedAt = clock.now();
  let where: Omit<ControlFile, "id"> | undefined;
  let asked = 0;
  const closing = new AbortController();
  let fewer = Promise.withResolvers<void>();
  const coming = new Map<string, { request: HoldRequest; begun: Promise<Desk> }>();
  let isRestarting = false;

  async function hold(request: HoldRequest): Promise<Desk> {
    if (closing.signal.aborted) throw isEnding();
    const { root } = findWorkspace(request.path);
    const path = realpathSync(root);
    const known = [...sweeps.values()].find((one) => one.path === path);
    if (known !== undefined) return await greet(known.held.desk, request);
    const other = coming.get(path);
    if (other !== undefined) return await greet(await other.begun, request);
    const begun = begin(request, path);
    coming.set(path, { request, begun });
    try {
      return await begun;
    } finally {
      coming.delete(path);
      tellFewer();
    }
  }

  async function begin(request: HoldRequest, path: string): Promise<Desk> {
    const paths = findWorkspace(request.path);
    // Its mistakes are told before anything is made.
    checkWorkspace(request.path);
    createState(paths);
    const lease = await acquireLease({
      dir: paths.monitorLease,
      clock,
      waitMs: LEASE_WAIT_MS,
      aliveMs: ALIVE_WAIT_MS,
      purpose: "monitor",
      signal: closing.signal,
      onWaiting: (holder) => {
        if (lifeOf(holder) === "alive") return;
        const seconds = STALE_MS / 1000;
        parts.onWarning(
          `"${path}" was monitored by ${describeHolder(holder)}; waiting ${seconds} s for a sign ` +
            "of life, then taking it over",
        );
      },
    });
    if ("heldBy" in lease) {
      throw new RefusedError(
        `Cannot monitor "${path}": it is monitored by ${describeHolder(lease.heldBy)}`,
        {
          hint: "`herd attach` there follows it, `herd monitor --stop` there ends it",
          facts: { holder: lease.heldBy },
        },
      );
    }
    try {
      const held: HeldSweep = holdSweep({
        path: request.path,
        env: request.env,
        clock,
        log,
        self: parts.self,
        nameOf: freeName,
        noAgent: request.options?.noAgent ?? parts.noAgent,
        scheduler: parts.scheduler,
        canAsk: () => parts.canAsk(held),
        lingerMs: () => parts.lingerMs(held),
        onAsk: () => void asked++,
        reach: parts.reach,
        options: restartedOptions(parts.options, request),
        onWarning: (message) => {
          log.write("warn", message, { path });
          parts.onWarning(message);
        },
      });
      return await settle({
        held,
        request,
        lease,
        path,
        stop: new AbortController(),
        ended: Promise.resolve(),
      }, request);
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  async function settle(one: Held, request: HoldRequest): Promise<Desk> {
    const { held } = one;
    sweeps.set(held.desk.id, one);
    try {
      tellWhere(one);
      await parts.onHeld(held);
      await greet(held.desk, request);
    } catch (error) {
      await forget(one);
      throw error;
    }
    one.ended = held.monitor.run(one.stop.signal).then(
      (why) => why,
      (error: Error) => {
        log.write("error", `The monitor of "${held.desk.id}" ended`, { error: `${error.stack}` });
        parts.onWarning(error.message);
        return error.message;
      },
    ).then((why) => finish(one, why));
    return held.desk;
  }

  async function greet(desk: Desk, { options }: HoldRequest): Promise<Desk> {
    if (options?.message !== undefined) {
      const id = `hold-${clock.now()}-${Math.random().toString(36).slice(2)}`;
      await desk.receive({ id, from: "cli", name: "you", text: options.message });
    }
    return desk;
  }

  async function finish(one: Held, why: string): Promise<void> {
    await parts.onEnding(one.held, why);
    await forget(one);
    parts.onReleased(one.held, why);
    tellFewer();
  }

  async function forget({ held, lease }: Held): Promise<void> {
    sweeps.delete(held.desk.id);
    removeControlFile(held.outside.paths, process.pid);
    await held[Symbol.asyncDispose]();
    lease.release();
  }

  function tellFewer(): void {
    fewer.resolve();
    fewer = Promise.withResolvers();
  }

  /** One that comes while the last one goes keeps the daemon. */
  async function idle(): Promise<void> {
    while (sweeps.size > 0 || coming.size > 0) await fewer.promise;
  }

  function freeName(sweep: string): string {
    for (let n = 1;; n++) {
      const id = n === 1 ? sweep : `${sweep}-${n}`;
      if (!sweeps.has(id)) return id;
    }
  }

  function tellWhere({ held }: Held): void {
    if (where !== undefined) writeControlFile(held.outside.paths, { id: held.desk.id, ...where });
  }

  function found(id: string): Held {
    const one = sweeps.get(id);
    if (one !== undefined) return one;
    throw new UserError(`Cannot find the sweep "${id}"`, {
      hint: `The daemon holds ${
        [...sweeps.keys()].map((name) => `"${name}"`).join(", ") || "none"
      }`,
    });
  }

  async function release(id: string, by: string): Promise<void> {
    const one = found(id);
    one.held.monitor.end(`${by} ended it`);
    await one.ended;
  }

  async function restart(by: string): Promise<string> {
    const successor = await proveSuccessor(parts.self);
    if (closing.signal.aborted) throw isEnding();
    isRestarting = true;
    parts.onRestart(
      [...sweeps.values(), ...coming.values()].map(({ request: { path, env, options } }) => ({
        path,
        env: { ...env },
        ...(options?.noAgent === undefined ? {} : { noAgent: options.noAgent }),
      })),
    );
    log.write("info", `Restarting as herd ${successor}`, { by });
    void endAll(`it restarts as herd ${successor}`);
    return successor;
  }

  async function endAll(reason: string): Promise<void> {
    closing.abort(isEnding());
    parts.onShutdown();
    for (const { held } of sweeps.values()) held.monitor.end(reason, { isSilent: isRestarting });
    await Promise.all([...sweeps.values()].map(({ ended }) => ended));
  }

  return {
    version: currentBuild().version,
    commit: currentBuild().commit,
    executable: parts.self.at(-1) ?? "",
    host: hostname(),
    pid: process.pid,
    startedAt,
    get isRestarting() {
      return isRestarting;
    },
    desks: () => [...sweeps.values()].map(({ held }) => held.desk),
    desk: (id) => sweeps.get(id)?.held.desk,
    hold: (request) => hold(request),
    release,
    shutdown(reason, by) {
      void endAll(reason === "" ? `${by} ended it` : reason);
      return Promise.resolve();
    },
    restart,
    perform: (id, action, by) => found(id).held.perform(action as Action, by),
    metrics() {
      const states = [...sweeps.values()].map(({ held }) => held.outside.state());
      return {
        uptimeSeconds: (clock.now() - startedAt) / 1000,
        residentBytes: process.memoryUsage().rss,
        looks: asked,
        schedulerCalls: { all: asked },
        ticks: states.reduce((sum, { monitor }) => sum + monitor.ticks, 0),
        modelCalls: states.reduce((sum, { monitor }) => sum + monitor.spent.calls, 0),
        tokens: states.reduce(
          (sum, { monitor }) => addTokens(sum, monitor.spent.tokens),
          noTokens(),
        ),
        usd: states.reduce((sum, { monitor }) => sum + monitor.spent.usd, 0),
        journalAppends: states.reduce((sum, { seq }) => sum + seq, 0),
      };
    },
    pool: parts.pool.pool,
    startPool: parts.pool.startPool,
    trialTasks: parts.pool.trialTasks,
    broker: parts.broker.broker,
    startBroker: parts.broker.startBroker,
    hosts: parts.hosts.hosts,
    answerHost: parts.hosts.answerHost,
    all: () => [...sweeps.values()].map(({ held }) => held),
    find: (nameOrFolder) =>
      (sweeps.get(nameOrFolder) ?? [...sweeps.values()].find(({ path }) => path === nameOrFolder))
        ?.held,
    announce(place) {
      where = place;
      for (const one of sweeps.values()) tellWhere(one);
    },
    idle,
    async [Symbol.asyncDispose]() {
      await endAll("the daemon ends");
    },
  };
}

function restartedOptions(options: MonitorOptions, request: HoldRequest): MonitorOptions {
  const { restartedFrom } = request.options ?? {};
  if (restartedFrom === undefined) return options;
  return { ...options, restarted: { from: restartedFrom, to: versionText(currentBuild()) } };
}

function isEnding(): RefusedError {
  return new RefusedError("Cannot take a sweep: the daemon is ending", { facts: { ending: true } });
}
