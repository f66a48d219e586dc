import { outputOf, ROOT, run } from "./setup.ts";

/** A SLURM for the tests, or why there is none. */
export interface SlurmState {
  up: boolean;
  /** Whether it was started here, and is to be stopped again. */
  started: boolean;
  /** Why it is not up. */
  reason: string;
  /** True when it should have come up here and did not: that is a failure and no skip. */
  broken: boolean;
}

const SCRIPT = `${ROOT}scripts/slurm.sh`;

/** Takes the SLURM that runs, or installs and starts one where root and apt allow it. */
export async function startSlurm(): Promise<SlurmState> {
  if (await run(["bash", SCRIPT, "status"], { quiet: true }) === 0) {
    return { up: true, started: false, reason: "", broken: false };
  }
  const no = await whyNot();
  if (no !== undefined) return { up: false, started: false, reason: no, broken: false };
  console.log("Starting a throw-away SLURM (scripts/slurm.sh up) ...");
  const code = await run(["bash", SCRIPT, "up"]);
  if (code === 0) return { up: true, started: true, reason: "", broken: false };
  return {
    up: false,
    started: false,
    reason: `scripts/slurm.sh up ended with ${code}`,
    broken: true,
  };
}

export async function stopSlurm(state: SlurmState): Promise<void> {
  if (state.started) await run(["bash", SCRIPT, "down"]);
}

async function whyNot(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return `SLURM needs Linux, and this is ${Deno.build.os}`;
  if (Deno.uid() !== 0) return "no SLURM runs here, and installing one needs root";
  const apt = await outputOf(["sh", "-c", "command -v apt-get"]);
  return apt === undefined ? "no SLURM runs here, and installing one needs apt-get" : undefined;
}
