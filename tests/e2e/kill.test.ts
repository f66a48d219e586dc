import { test } from "node:test";
import { abreast, killAndRecover, killCases } from "../support/kill-campaign.ts";

test("kill -9 of herd run between intent and record loses no trial and submits none twice (local)", async () => {
  await abreast(killCases("local", 24, 1), 4, killAndRecover);
});
