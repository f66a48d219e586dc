import process from "node:process";
import { after, test } from "node:test";
import {
  abreast,
  killAndRecover,
  killCases,
  killRecovery,
  killSbatch,
  killWish,
  seeded,
} from "../support/kill-campaign.ts";
import { startCluster, withoutPrivateCluster } from "../support/private-cluster.ts";
import type { PrivateCluster } from "../support/private-cluster.ts";

const SKIP = { skip: withoutPrivateCluster };
/** For another campaign: HERD_SEED=7 deno task soak. */
const SEED = Number(process.env["HERD_SEED"] ?? 1);
const WIDTH = 6;

let cluster: PrivateCluster | undefined;

/** One cluster for the whole file. */
async function place(): Promise<NonNullable<Parameters<typeof killAndRecover>[1]>> {
  cluster ??= await startCluster({ accounting: "own", settings: { MinJobAge: "20" } });
  return { env: cluster.env, partition: "main" };
}

after(async () => await cluster?.[Symbol.asyncDispose]());

/** All of them, also after one that failed: the count says how sure one may be. */
async function campaign<T>(
  name: string,
  cases: readonly T[],
  run: (one: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const started = Date.now();
  await abreast(cases, WIDTH, async (one) => {
    try {
      await run(one);
    } catch (error) {
      failures.push(error);
      console.log(`${name}: ${JSON.stringify(one)}: ${(error as Error).message}`);
    }
  });
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`${name}: ${cases.length} runs, ${failures.length} wrong, ${seconds} s`);
  if (failures.length > 0) throw failures[0];
}

test("kill -9 of herd run 100 times (local): no trial lost, none submitted twice", async () => {
  await campaign("run killed, local", killCases("local", 100, SEED), (one) => killAndRecover(one));
});

test(
  "kill -9 of herd run 100 times (slurm): no trial lost, none submitted twice",
  SKIP,
  async () => {
    const where = await place();
    const cases = killCases("slurm", 100, SEED + 1);
    await campaign("run killed, slurm", cases, (one) => killAndRecover(one, where));
  },
);

test(
  "kill -9 of sbatch at 60 random moments: no trial lost, none submitted twice",
  SKIP,
  async () => {
    const where = await place();
    const random = seeded(SEED + 2);
    const cases = Array.from({ length: 60 }, () => ({
      delayMs: Math.floor(random() * 16),
      times: 1 + Math.floor(random() * 2),
    }));
    await campaign("sbatch killed", cases, (one) => killSbatch(one, where));
  },
);

test(
  "kill -9 of the command that recovers from a kill: no trial lost, none submitted twice",
  SKIP,
  async () => {
    const where = await place();
    const random = seeded(SEED + 3);
    const cases = Array.from({ length: 24 }, (_, i) => {
      const scheduler: "local" | "slurm" = i % 2 === 0 ? "slurm" : "local";
      // What it does on SLURM begins when twelve seconds have passed since the intent.
      const span = scheduler === "slurm" ? 14_000 : 400;
      return { scheduler, delayMs: i % 4 < 2 ? undefined : 20 + Math.floor(random() * span) };
    });
    await campaign("recovery killed", cases, (one) => killRecovery(one, where));
  },
);

test(
  "kill -9 of herd stop and herd pause: what was wished is done by the next command",
  SKIP,
  async () => {
    const where = await place();
    const random = seeded(SEED + 4);
    const cases = Array.from({ length: 24 }, (_, i) => ({
      scheduler: i % 2 === 0 ? "slurm" as const : "local" as const,
      verb: i % 4 < 2 ? "stop" as const : "pause" as const,
      delayMs: i % 3 < 2 ? undefined : 20 + Math.floor(random() * 300),
    }));
    await campaign("wish killed", cases, (one) => killWish(one, where));
  },
);
