import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { SchedulerError } from "../base/errors.ts";
import { explain } from "../base/explain.ts";
import { replaceFile } from "../base/files.ts";
import type { Log } from "../base/log.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import { makeWorkerScript } from "../schedulers/worker-script.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { scaleInForce } from "../tasks/scale-wish.ts";
import { JOB_VARIABLE, leadOf, SLURM_LABEL } from "../tasks/slurm-worker.ts";
import { jobEnvironment, workerRequest } from "./job-request.ts";
import type { JobRecords } from "./open-pool.ts";
import type { PoolJobTrouble } from "./pool-job-trouble.ts";
import type { PoolPlace } from "./pool-place.ts";
import { reachableProgram } from "./reachable-program.ts";

export interface PoolJobSubmissionParts {
  place: PoolPlace;
  /** The words that start herd. */
  self: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  desk: Pick<PoolDesk, "state" | "config">;
  records: JobRecords;
  trouble: PoolJobTrouble;
}

/** Submits workers to SLURM; a scale is wished for whenever it is called. */
export interface PoolJobSubmission {
  /** As many of these as the site's limits and one round allow. True when all of them were taken. */
  submit(slurm: Scheduler, wanted: number, signal: AbortSignal): Promise<boolean>;
}

const LIMITS_MS = 60_000;
const MOST_AT_ONCE = 5;

export function createPoolJobSubmission(parts: PoolJobSubmissionParts): PoolJobSubmission {
  const { desk, records, clock, log, place, trouble } = parts;
  let room: { at: number; left: number | undefined } | undefined;

  const wish = () => scaleInForce(desk.state().scale!, desk.config());

  async function roomLeft(slurm: Scheduler): Promise<number | undefined> {
    if (room !== undefined && clock.now() - room.at < LIMITS_MS) return room.left;
    const { partition, options } = wish();
    const valueOf = (name: string) =>
      options.findLast((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
    try {
      const { maxSubmit, submittedNow = 0 } = await slurm.limits({
        partition,
        account: valueOf("account"),
        qos: valueOf("qos"),
      });
      const left = maxSubmit === undefined ? undefined : Math.max(0, maxSubmit - submittedNow);
      room = { at: clock.now(), left };
    } catch (error) {
      if (!(error instanceof SchedulerError)) throw error;
      // sbatch will say so.
      room = { at: clock.now(), left: undefined };
    }
    return room.left;
  }

  /** A name that no worker has, its folder and the script in it. */
  function prepare() {
    const { scale, jobsMade, workers } = desk.state();
    let number = jobsMade + 1;
    while (workers.has(`slurm-${number}`)) number++;
    const worker = `slurm-${number}`;
    const shape = wish();
    const folder = join(place.jobs, worker);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const script = join(folder, "worker.sh");
    const leadSeconds = leadOf(shape.timeMinutes);
    const { words, says } = reachableProgram(parts.self, place);
    if (says !== undefined) log.write("info", says);
    const text = makeWorkerScript({
      ...shape,
      worker,
      pool: place.root,
      folder,
      herd: words,
      labels: [SLURM_LABEL],
      leadSeconds,
      variables: {
        XDG_STATE_HOME: folder,
        HERD_CONFIG: join(folder, "no-config.yaml"),
        [JOB_VARIABLE]: `${leadSeconds}`,
      },
    });
    replaceFile(script, text, 0o700);
    const { slots, partition } = shape;
    return {
      intent: {
        ...{ worker, number, slots, labels: [SLURM_LABEL] },
        jobName: `herd-pool-${scale!.id}-${worker}`,
      },
      job: { script, folder, partition },
    };
  }

  async function submitOne(slurm: Scheduler): Promise<boolean> {
    const { intent, job } = prepare();
    const { worker, jobName } = intent;
    records.intend(intent);
    if (room?.left !== undefined) room.left--;
    try {
      const { jobId } = await slurm.submit(
        workerRequest({ jobName, ...job, environment: jobEnvironment(parts.env) }),
      );
      records.submitted(worker, jobId);
      trouble.worked();
      log.write("info", `Worker "${worker}" is SLURM job ${jobId}`);
      return true;
    } catch (error) {
      const why = explain(error, "terminal").split("\n")[0]!;
      if (!(error instanceof SchedulerError)) throw error;
      room = undefined;
      if (error.kind === "rejected") records.ended(worker, "REFUSED", `SLURM refused it: ${why}`);
      trouble.setBack(why);
      return false;
    }
  }

  return {
    async submit(slurm, wanted, signal) {
      const left = await roomLeft(slurm);
      const count = Math.min(wanted, MOST_AT_ONCE, left ?? Infinity);
      if (left !== undefined && left <= 0) {
        trouble.complain("Cannot submit more workers: the site's limit on your jobs is reached");
        return false;
      }
      for (let i = 0; i < count && !signal.aborted; i++) {
        if (!await submitOne(slurm)) return false;
      }
      trouble.complain(undefined);
      return true;
    },
  };
}
