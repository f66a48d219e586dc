import { test } from "node:test";
import {
  abreast,
  killAndRecover,
  killCases,
  killRecovery,
  killSbatch,
  killWish,
} from "../support/kill-campaign.ts";
import { startCluster, withoutPrivateCluster } from "../support/private-cluster.ts";
import { createTogether } from "../support/together.ts";

const SKIP = { skip: withoutPrivateCluster };
const together = createTogether();

type Place = Parameters<typeof killAndRecover>[1];

/** A sample; tests/soak has the whole campaign. */
async function inOwnCluster(use: (place: Place) => Promise<void>): Promise<void> {
  await using cluster = await startCluster({ accounting: "own" });
  await use({ env: cluster.env, partition: "main" });
}

test(
  "kill -9 of herd run between intent and record loses no trial and submits none twice (slurm)",
  SKIP,
  together(() =>
    inOwnCluster((place) =>
      abreast(killCases("slurm", 12, 2), 6, (one) => killAndRecover(one, place))
    )
  ),
);

test(
  "kill -9 of sbatch, or of the command that looks for what it did, does so neither",
  SKIP,
  together(() =>
    inOwnCluster(async (place) => {
      await Promise.all([
        ...[0, 3, 6, 9].map((delayMs, i) => killSbatch({ delayMs, times: 1 + i % 2 }, place)),
        killRecovery({ scheduler: "slurm", delayMs: undefined }, place),
        killRecovery({ scheduler: "slurm", delayMs: 12_000 }, place),
      ]);
    })
  ),
);

test(
  "a stop or a pause that was killed is carried out by the next command",
  SKIP,
  together(() =>
    inOwnCluster(async (place) => {
      const delayMs = undefined;
      await Promise.all([
        killWish({ scheduler: "slurm", verb: "stop", delayMs }, place),
        killWish({ scheduler: "slurm", verb: "pause", delayMs }, place),
      ]);
    })
  ),
);
