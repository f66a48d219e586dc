import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobRequest } from "../../../lib/schedulers/scheduler.ts";
import { sbatchEnvironment } from "../../../lib/schedulers/slurm/sbatch.ts";

const OF_A_JOB = {
  TMPDIR: "/tmp/job.7",
  CUDA_VISIBLE_DEVICES: "0",
  ROCR_VISIBLE_DEVICES: "0",
  HIP_VISIBLE_DEVICES: "0",
  PATH: "/bin",
};

const JOB = { environment: OF_A_JOB, resources: {}, signal: undefined } as unknown as JobRequest;

test("the folder and the devices of the job that herd runs in are not its trials'", () => {
  assert.deepEqual(sbatchEnvironment(JOB, { ...OF_A_JOB, SLURM_JOB_ID: "7" }), { PATH: "/bin" });
});

test("on a login node TMPDIR and the visible devices are the user's own choice", () => {
  assert.deepEqual(sbatchEnvironment(JOB, OF_A_JOB), OF_A_JOB);
});
