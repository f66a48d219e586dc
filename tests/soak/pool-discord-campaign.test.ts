import { test } from "node:test";
import { runCampaign } from "../support/pool-discord-campaign.ts";

const TASKS = Number(process.env["HERD_TASKS"] ?? 500);
const WORKERS = Number(process.env["HERD_WORKERS"] ?? 10);

test(`${WORKERS} workers with homes of their own do ${TASKS} tasks once each on a Discord with limits`, (t) =>
  runCampaign(t, { workers: WORKERS, tasks: TASKS, idleMs: 120_000 }));
