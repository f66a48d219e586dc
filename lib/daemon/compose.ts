import { join } from "node:path";
import type { JobText, Parts } from "../actions/parts.ts";
import { logPattern, makeScript, makeTable } from "../schedulers/script.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { jobEnvironment } from "../sweep/job-environment.ts";

/** Makes a job's script, table and request for a workspace. `environment` is the shell's, without `.env`. */
export function createComposer(parts: {
  paths: WorkspacePaths;
  environment: Readonly<Record<string, string | undefined>>;
  /** `.env` of the workspace: only what the user lists gets to a job. */
  dotenv: () => Readonly<Record<string, string>>;
  herd: string | undefined;
}): Parts["compose"] {
  const { paths, environment, dotenv, herd } = parts;
  return function compose({ submission, jobName, batch, config, rows }: JobText) {
    const shifted = batch.base > 0;
    const stem = shifted ? `from-${batch.base}-%a` : "%a";
    const output = logPattern(paths.logs, `${stem}.out`);
    const error = logPattern(paths.logs, `${stem}.err`);
    const tasks = rows.map(({ task }) => task);
    const script = makeScript({
      sweepName: config.name,
      submission,
      jobName,
      workspace: paths.root,
      launcher: config.launcher,
      table: paths.table(submission),
      firstTask: tasks[0]!,
      tasks,
      maxConcurrent: batch.throttle,
      eventsDir: join(paths.events, submission),
      voidMarker: paths.voidMarker(submission),
      logsDir: paths.logs,
      output,
      error,
      herd,
      resources: batch.resources,
      signal: config.slurm.signal,
    });
    const table = makeTable(rows.map(({ task, trial, attempt, name, tokens }) => ({
      task,
      trial,
      attempt,
      log: shifted ? `${trial}` : undefined,
      experimentName: name,
      tokens,
    })));
    const request = {
      submission,
      jobName,
      tasks,
      resources: batch.resources,
      maxConcurrent: batch.throttle,
      cwd: paths.root,
      environment: jobEnvironment(
        {
          ...config.slurm.export.length === 0 ? {} : listedOf(dotenv(), config.slurm.export),
          ...environment,
        },
        config.slurm.export,
      ),
      output,
      error,
      signal: config.slurm.signal,
    };
    return { script, table, request };
  };
}

function listedOf(
  dotenv: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => dotenv[name] === undefined ? [] : [[name, dotenv[name]]]),
  );
}
