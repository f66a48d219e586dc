import { hostname } from "node:os";
import type { Clock } from "../base/clock.ts";
import { currentBuild } from "../base/build.ts";
import type { Log } from "../base/log.ts";
import { createControlApp } from "../control/app.ts";
import { errorFrom, isFailureDocument } from "../control/failure.ts";
import type { Station } from "../control/station.ts";
import { openPool } from "./open-pool.ts";
import { readPoolConfig } from "./pool-settings.ts";
import { poolPlace } from "./pool-place.ts";
import { createSweepDoors } from "./sweep-doors.ts";
import { createTrialTasks } from "./trial-tasks.ts";
import { userName } from "../base/user-name.ts";

export interface PoolHereParts {
  env: Readonly<Record<string, string | undefined>>;
  /** Of the user's daemon, which does not run. */
  folder: string;
  clock: Clock;
  log: Log;
  /** Command line of this program. */
  self: readonly string[];
}

const TOKEN = "here";
const HOST = "here";

/** The daemon's own routes over the pool's records, in this process; nothing listens. */
export async function openPoolHere(parts: PoolHereParts) {
  const config = readPoolConfig(parts.env);
  const pool = await openPool({
    place: poolPlace(parts.folder),
    config: () => config,
    clock: parts.clock,
    log: parts.log,
  });
  const trials = createTrialTasks({
    desk: pool.desk,
    sweeps: createSweepDoors({ ...parts, find: () => undefined }),
    clock: parts.clock,
    log: parts.log,
  });
  const station: Partial<Station> = {
    version: currentBuild().version,
    host: hostname(),
    pid: process.pid,
    startedAt: parts.clock.now(),
    desks: () => [],
    desk: () => undefined,
    pool: () => pool.desk,
    trialTasks: () => trials,
  };
  const app = createControlApp(station as Station, {
    token: TOKEN,
    allowedHosts: [HOST],
    user: userName(),
  });
  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    return await app.request(path, {
      method,
      headers: {
        host: HOST,
        authorization: `Bearer ${TOKEN}`,
        "x-herd-way": "cli",
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  return {
    running: false,
    async request<T>(method: string, path: string, body?: unknown): Promise<T> {
      const document = await (await ask(method, path, body)).json();
      if (isFailureDocument(document)) throw errorFrom(document);
      return document as T;
    },
    async bytes(path: string): Promise<Uint8Array> {
      const answer = await ask("GET", path);
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
      const document = await answer.json();
      throw isFailureDocument(document) ? errorFrom(document) : new Error("No file came");
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
