import type { Ended, Runner } from "../../base/process.ts";
import type { Answer } from "../../sweep/sighting.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs one of SLURM's programs to its end; never throws. */
export type Call = (argv: readonly string[]) => Promise<Ended>;

/** Variables of the user's shell that would filter or reshape what these programs print or do. */
const FOREIGN = /^(SQUEUE|SACCT|SCANCEL|SINFO|SACCTMGR|SCONTROL)_/;

/** For all questions: epoch times, uncut lists, none of the user's filters. */
export function createCall(
  run: Runner,
  parts: { environment: Environment; timeoutMs: number },
): Call {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(parts.environment)) {
    if (value !== undefined && !FOREIGN.test(name)) env[name] = value;
  }
  Object.assign(env, { SLURM_TIME_FORMAT: "%s", SLURM_BITSTR_LEN: "0" });
  return (argv) => run(argv, { env, timeoutMs: parts.timeoutMs });
}

/** Whether a view answered; exit code 0 is the only yes. */
export function answerOf(ended: Ended): Answer {
  if (ended.ok) return { answered: true };
  // The program is not there, or the site keeps no accounting; ssh reports a missing program as 127.
  const absent = ended.spawnError === "ENOENT" || ended.exitCode === 127 ||
    /accounting storage is disabled/i.test(ended.stderr);
  return { answered: false, reason: absent ? "absent" : "unreachable", message: said(ended) };
}

/** What went wrong in a program's own words, on one line. */
export function said(ended: Ended): string {
  const program = ended.argv[0] ?? "";
  if (ended.spawnError !== undefined) return `${program} cannot be run (${ended.spawnError})`;
  if (ended.lost !== undefined) return `${program}: ${ended.lost}`;
  if (ended.timedOut) {
    return `${program} did not answer within ${Math.round(ended.durationMs / 1000)} s`;
  }
  const words = ended.stderr.split("\n")
    .map((line) => line.trim().replace(/^\w+: (error: |fatal: )?/, ""))
    .filter((line) => line !== "");
  const text = [...new Set(words)].join("; ").slice(0, 1000);
  if (text !== "") return text;
  const how = ended.signal === undefined ? `exit code ${ended.exitCode}` : `signal ${ended.signal}`;
  return `${program} ended with ${how} and said nothing`;
}
