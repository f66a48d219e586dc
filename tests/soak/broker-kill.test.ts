import { test } from "node:test";
import { brokerKillCampaign, brokerKillText } from "../support/broker-kill-campaign.ts";
import { brokerScene } from "../support/broker-scene.ts";

/** For another campaign: HERD_SEED=7 deno task soak. */
const SEED = Number(process.env["HERD_SEED"] ?? 1);
const MOMENTS = Number(process.env["HERD_MOMENTS"] ?? 100);

test(`kill -9 at ${MOMENTS} random moments of ten conversations, seed ${SEED}: each goes on`, async (t) => {
  const scene = await brokerScene(t);
  const counts = await brokerKillCampaign(scene, {
    kills: MOMENTS,
    seed: SEED,
    conversations: 10,
  });
  console.log(`Kill campaign of the broker, seed ${SEED}: ${brokerKillText(counts)}`);
});
