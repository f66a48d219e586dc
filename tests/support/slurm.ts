import { execFileSync } from "node:child_process";
import { runProcess } from "../../lib/base/process.ts";

/** Why tests on a real SLURM cannot run here, or false when they can. */
export const withoutSlurm: string | false = reason();

function reason(): string | false {
  try {
    const states = execFileSync("sinfo", ["-h", "-o", "%T"], { encoding: "utf8", timeout: 20_000 });
    return /idle|mixed|allocated/.test(states) ? false : "no node of the SLURM here is up";
  } catch {
    return "there is no SLURM here (sinfo does not answer)";
  }
}

/** The default partition of the cluster here. */
export const PARTITION: string = partition();

function partition(): string {
  if (withoutSlurm !== false) return "none";
  const names = execFileSync("sinfo", ["-h", "-o", "%P"], { encoding: "utf8" }).split("\n");
  return (names.find((name) => name.endsWith("*")) ?? names[0] ?? "").replace("*", "");
}

/** The last node of the cluster here: tests take it down, so that the first one stays for the others. */
export const LAST_NODE: string = withoutSlurm !== false
  ? "none"
  : execFileSync("sinfo", ["-h", "-N", "-o", "%N"], { encoding: "utf8" }).trim().split("\n").at(
    -1,
  )!;

/** Runs one of SLURM's programs and fails the test when it fails. */
export async function slurm(argv: readonly string[]): Promise<string> {
  const ended = await runProcess(argv, { timeoutMs: 30_000 });
  if (!ended.ok) throw new Error(`${argv.join(" ")}: exit ${ended.exitCode}: ${ended.stderr}`);
  return ended.stdout;
}

/** For `scontrol update … StartTime=now`, which is refused when the job has started, or even ended, by itself in that moment. */
export function unlessStarted(error: Error): void {
  if (!/no longer pending|already finished/.test(error.message)) throw error;
}
