import { statSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { UserPlace } from "../control/user-place.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { createFilesDoor } from "../tasks/via-files-door.ts";
import type { DiscordHub } from "./discord-hub.ts";
import { openPool } from "./open-pool.ts";
import type { OpenPool } from "./open-pool.ts";
import { fireSchedules } from "./pool-schedules.ts";
import { herdConfigPath, readPoolConfig, readPoolConfigIfThere } from "./pool-settings.ts";
import { poolPlace } from "./pool-place.ts";
import { sweepRetention } from "./pool-retention.ts";

export interface PoolOfficeParts {
  place: UserPlace;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  hub: Pick<DiscordHub, "attachPool">;
  self: readonly string[];
}

/** The pool within the daemon: opened where it is configured, kept where it was asked for. */
export interface PoolOffice extends AsyncDisposable {
  desk(): PoolDesk | undefined;
  /** At the daemon's start: a pool that is configured is opened; `wanted` insists, and keeps the daemon. */
  begin(wanted: boolean): Promise<void>;
  /** The same later, for a daemon that runs already. */
  start(): Promise<void>;
  end(): void;
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
  let open: { pool: OpenPool; ended: Promise<void>; doors: AsyncDisposable[] } | undefined;
  let opening: Promise<void> | undefined;
  let config: PoolConfig | undefined;
  let read = { at: 0, stamp: "" };

  /** The file as it is now; a mistake in it is told once, and what was before goes on. */
  function current(): PoolConfig {
    const now = clock.now();
    if (config !== undefined && now - read.at < CONFIG_MS) return config;
    const stamp = stampOf(herdConfigPath(env));
    if (config === undefined || stamp !== read.stamp) {
      try {
        config = readPoolConfig(env);
      } catch (error) {
        if (config === undefined) throw error;
        log.write("warn", `The pool goes on as it was configured: ${explain(error, "terminal")}`);
      }
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
    const discord = parts.hub.attachPool(pool, place, env);
    open = {
      pool,
      doors: [files, ...(discord === undefined ? [] : [discord])],
      ended: run(pool).catch((error) => {
        log.write("error", "The pool's clockwork ended", { error: explain(error, "log") });
      }),
    };
    log.write("info", "The pool is open", { tasks: pool.desk.state().tasks.size });
  }

  async function run(pool: OpenPool): Promise<void> {
    let cleanedAt = 0;
    while (!stop.signal.aborted) {
      try {
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
  }

  async function ensure(): Promise<void> {
    if (open !== undefined) return;
    opening ??= openIt().finally(() => opening = undefined);
    await opening;
  }

  return {
    desk: () => open?.pool.desk,
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

function stampOf(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
