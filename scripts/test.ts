/**
 * deno task test            everything; the last line sums it up
 * deno task test:slurm      the tests on a real SLURM
 * deno task test:e2e        the tests of the compiled binary
 * deno task soak            the long ones, for an hour's patience
 */
import { runChecks } from "./checks.ts";
import { compile } from "./compile.ts";
import { installOpenSsh } from "./openssh.ts";
import { ensureInstalled } from "./setup.ts";
import { countTests, NOTHING, runBeside, runSuite, type Suite, sum, type Tally } from "./suites.ts";
import { type SlurmState, startSlurm, stopSlurm } from "./throw-away-slurm.ts";

export const SUITES = {
  unit: { paths: ["tests/unit"], parallel: true, limit: 10, secondTry: true },
  // Two clusters of one: what waits for the one leaves the machine to the other.
  contract: { paths: ["tests/contract"], parallel: true, limit: 6, secondTry: true },
  slurm: { paths: ["tests/slurm"], parallel: false, limit: 20, secondTry: true },
  e2e: { paths: ["tests/e2e"], parallel: true, limit: 25, secondTry: true },
  soak: {
    paths: ["tests/soak", "tests/e2e/discord.test.ts"],
    parallel: false,
    limit: 120,
    env: { HERD_SOAK: "1" },
  },
} as const satisfies Record<string, Suite>;

type Part = "all" | "slurm" | "e2e" | "soak";

export function closingLine({ passed, failed, skipped, late = [] }: Tally): string {
  const second = late.length === 0 ? "" : ` (${late.length} at the second try)`;
  return `${passed} passed${second}, ${failed} failed, ${skipped} skipped`;
}

async function runPart(part: Part): Promise<Tally> {
  await ensureInstalled();
  const tallies: Tally[] = [];
  await installOpenSsh();
  if (part === "all") {
    tallies.push({ ...NOTHING, failed: await runChecks() });
    tallies.push(await runSuite(SUITES.unit));
  }
  tallies.push(await tryCompile());
  const slurm = await startSlurm();
  try {
    if (part === "all") {
      const { contract, slurm: real, e2e } = SUITES;
      if (slurm.up) tallies.push(await runBeside([contract, real], e2e));
      else {
        tallies.push(await runSuite(contract), await onSlurm(real, slurm), await runSuite(e2e));
      }
    }
    if (part === "e2e") tallies.push(await runSuite(SUITES.e2e));
    if (part === "slurm" || part === "soak") tallies.push(await onSlurm(SUITES[part], slurm));
  } finally {
    await stopSlurm(slurm);
  }
  if (!slurm.up) console.log(await skippedLine(slurm));
  return sum(tallies);
}

async function tryCompile(): Promise<Tally> {
  try {
    console.log(`Compiled ${await compile()}`);
    return NOTHING;
  } catch (error) {
    console.error((error as Error).message);
    return { ...NOTHING, failed: 1 };
  }
}

async function onSlurm(suite: Suite, slurm: SlurmState): Promise<Tally> {
  if (slurm.up) return await runSuite(suite);
  return { ...NOTHING, skipped: await countTests(suite.paths), failed: slurm.broken ? 1 : 0 };
}

async function skippedLine({ reason }: SlurmState): Promise<string> {
  const { paths } = SUITES.slurm;
  return `Skipped: ${paths.join(", ")} (${await countTests(paths)} tests): ${reason}`;
}

if (import.meta.main) {
  const [part = "all"] = Deno.args;
  if (!["all", "slurm", "e2e", "soak"].includes(part)) {
    console.error(`Unknown part "${part}", allowed are all, slurm, e2e, soak`);
    Deno.exit(2);
  }
  const all = await runPart(part as Part);
  for (const name of all.late ?? []) console.log(`Passed at the second try only: ${name}`);
  console.log(closingLine(all));
  Deno.exit(all.failed > 0 ? 1 : 0);
}
