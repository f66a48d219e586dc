import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { UserPlace } from "../control/user-place.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { createFilesDoor } from "../tasks/via-files-door.ts";
import type { TrialTasks } from "../tasks/trial-tasks.ts";
import type { DiscordHub } from "./discord-hub.ts";
import { herdConfigStamp } from "./herd-config-file.ts";
import { isInstalled } from "../schedulers/choose.ts";
import { createSlurmScheduler } from "../schedulers/slurm/scheduler.ts";
import { runProcess } from "../base/process.ts";
import { scaleInForce } from "../tasks/scale-wish.ts";
import { submitEnvironment } from "./job-request.ts";
import type { HeldSweep } from "./held-sweep.ts";
import { openPool } from "./open-pool.ts";
import type { OpenPool } from "./open-pool.ts";
import { appendAudit } from "./pool-audit.ts";
import { createPoolRelay } from "./pool-relay.ts";
import { createPoolJobs } from "./pool-jobs.ts";
import type { PoolJobs } from "./pool-jobs.ts";
import { fireSchedules } from "./pool-schedules.ts";
import { readPoolConfig, readPoolConfigIfThere } from "./pool-settings.ts";
import { poolPlace } from "./pool-place.ts";
import type { PoolPlace } from "./pool-place.ts";
import { sweepRetention } from "./pool-retention.ts";
import { createSweepDoors } from "./sweep-doors.ts";
import { createTrialAnswers } from "./trial-answers.ts";
import { createTrialTasks } from "./trial-tasks.ts";

export interface PoolOfficeParts {
  place: UserPlace;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  hub: Pick<DiscordHub, "attachPool">;
  self: readonly string[];
  /** The sweep that this daemon holds under a name or in a folder. */
  find(nameOrFolder: string): HeldSweep | undefined;
  /** Sentences for whoever started the daemon. */
  onWarning(message: string): void;
}

/** The pool within the daemon: opened where it is configured, kept where it was asked for. */
export interface PoolOffice extends AsyncDisposable {
  desk(): PoolDesk | undefined;
  trialTasks(): TrialTasks | undefined;
  /** At the daemon's start: a pool that is configured is opened; `wanted` insists, and keeps the daemon. */
  begin(wanted: boolean): Promise<void>;
  /** The same later, for a daemon that runs already. */
  start(): Promise<void>;
  end(): void;
  /** Whether somebody asked for it. */
  isKept(): boolean;
  /** Resolves when the daemon need not stay for the pool. */
  idle(): Promise<void>;
}

const STEP_MS = 1_000;
const CONFIG_MS = 5_000;
const RETENTION_MS = 10 * 60_000;

export function createPoolOffice(parts: PoolOfficeParts): PoolOffice {
  const { clock, log, env } = parts;
  const stop = new AbortController();
  const stopped = Promise.withResolvers<void>();
  let kept = false;
  let open: {
    pool: OpenPool;
    ended: Promise<void>;
    doors: AsyncDisposable[];
    trials: TrialTasks;
  } | undefined;
  let opening: Promise<void> | undefined;
  let config: PoolConfig | undefined;
  let read = { at: 0, stamp: "" };
  let mistake: string | undefined;

  /** The file as it is now; a mistake in it is told once, and what was before goes on. */
  function current(): PoolConfig {
    const now = clock.now();
    if (config !== undefined && now - read.at < CONFIG_MS) return config;
    const stamp = herdConfigStamp(env);
    if (config === undefined || stamp !== read.stamp) {
      try {
        config = readPoolConfig(env);
        mistake = undefined;
      } catch (error) {
        if (config === undefined) throw error;
        mistake = `The pool goes on as it was configured: ${explain(error, "terminal")}`;
        log.write("warn", mistake);
        parts.onWarning(mistake);
      }
      // Not in the middle of what asks for it.
      queueMicrotask(() => open?.pool.trouble("configuration", mistake));
    }
    read = { at: now, stamp };
    return config!;
  }

  async function openIt(): Promise<void> {
    current();
    const place = poolPlace(parts.place.folder);
    const pool = await openPool({ place, config: current, clock, log });
    const files = createFilesDoor({ folder: place.root, desk: pool.desk, clock, log });
    files.start();
    const jobs = jobsOf(pool, place, () => void files.look());
    pool.showJobs(jobs.board);
    const relay = createPoolRelay({
      ...{ folder: place.root, desk: pool.desk, env, clock, log },
      audit: (event, fields) => appendAudit(place.audit, clock.now(), event, fields),
    });
    relay.start();
    jobs.start();
    const discord = parts.hub.attachPool(pool, place, env);
    const about = { desk: pool.desk, sweeps: createSweepDoors(parts), clock, log };
    open = {
      pool,
      trials: createTrialTasks(about),
      doors: [files, jobs, relay, ...(discord === undefined ? [] : [discord])],
      ended: run(pool, createTrialAnswers(about)).catch((error) => {
        log.write("error", "The pool's clockwork ended", { error: explain(error, "log") });
      }),
    };
    log.write("info", "The pool is open", { tasks: pool.desk.state().tasks.size });
  }

  function jobsOf(pool: OpenPool, place: PoolPlace, hear: () => void): PoolJobs {
    const { desk } = pool;
    const { self } = parts;
    return createPoolJobs({
      ...{ place, self, env, clock, log, desk, hear },
      records: pool.jobs,
      scheduler: !isInstalled("sbatch", env) ? undefined : createSlurmScheduler({
        run: (argv, options) => {
          const { scale } = desk.state();
          if (argv[0] !== "sbatch" || scale === undefined) return runProcess(argv, options);
          const said = submitEnvironment(options?.env ?? {}, scaleInForce(scale, desk.config()));
          return runProcess(argv, { ...options, env: withoutUndefined(said) });
        },
        clock,
        uid: process.getuid?.() ?? 0,
        environment: env,
      }),
    });
  }

  async function run(pool: OpenPool, answers: { step(): Promise<void> }): Promise<void> {
    let cleanedAt = 0;
    let telling: Promise<void> | undefined;
    while (!stop.signal.aborted) {
      try {
        // A sweep whose disk hangs keeps no task waiting.
        telling ??= answers.step().catch((error) => {
          log.write("warn", "Cannot tell answers now", { error: explain(error, "log") });
        }).finally(() => telling = undefined);
        fireSchedules(pool.desk, clock.now());
        pool.step();
        if (clock.now() - cleanedAt > RETENTION_MS) {
          cleanedAt = clock.now();
          await sweepRetention(pool.desk, poolPlace(parts.place.folder), clock, log);
        }
      } catch (error) {
        // A full disk passes; nothing has happened meanwhile.
        log.write("warn", "The pool cannot go on now", { error: explain(error, "terminal") });
      }
      await clock.sleep(STEP_MS, stop.signal).catch(() => {});
    }
    await telling;
  }

  async function ensure(): Promise<void> {
    if (open !== undefined) return;
    opening ??= openIt().finally(() => opening = undefined);
    await opening;
  }

  return {
    desk: () => open?.pool.desk,
    trialTasks: () => open?.trials,
    async begin(wanted) {
      kept ||= wanted;
      if (wanted) return await ensure();
      try {
        if (readPoolConfigIfThere(env) !== undefined) await ensure();
      } catch (error) {
        // A sweep is not kept from running by what is wrong with the pool.
        log.write("warn", `The pool is not opened: ${explain(error, "terminal")}`);
      }
    },
    async start() {
      await ensure();
      kept = true;
    },
    end() {
      stop.abort();
      stopped.resolve();
    },
    isKept: () => kept,
    idle: () => kept ? stopped.promise : Promise.resolve(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      stopped.resolve();
      await opening?.catch(() => {});
      await open?.ended;
      for (const door of open?.doors.reverse() ?? []) await door[Symbol.asyncDispose]();
      await open?.pool[Symbol.asyncDispose]();
      open = undefined;
    },
  };
}

function withoutUndefined(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined),
  );
}
