import assert from "node:assert/strict";
import { test } from "node:test";
import { jobEnvironment } from "../../../lib/sweep/job-environment.ts";

test("a job gets what a login shell gives, and no token, key or bot's name", () => {
  const shell = {
    HOME: "/home/a",
    PATH: "/bin",
    CONDA_PREFIX: "/conda",
    DISCORD_TOKEN: "t",
    ANTHROPIC_API_KEY: "k",
    CONDA_TOKEN: "c",
    APPTAINER_DOCKER_PASSWORD: "p",
    AWS_SECRET_ACCESS_KEY: "s",
    BUN_OPTIONS: "--preload x",
    HERD_FAULT: "after-intent",
    HERD_TASK: "3",
    HERD_RESTART: "2",
  };
  assert.deepEqual(jobEnvironment(shell, []), {
    HOME: "/home/a",
    PATH: "/bin",
    CONDA_PREFIX: "/conda",
  });
});

test("what the user lists passes, secret or not", () => {
  assert.deepEqual(jobEnvironment({ WANDB_API_KEY: "k" }, ["WANDB_API_KEY"]), {
    WANDB_API_KEY: "k",
  });
});

test("herd inside a job hands on nothing of that job: no task, no MPI rank, no session", () => {
  const enclosing = {
    SLURM_JOB_ID: "1",
    SLURM_RESTART_COUNT: "4",
    SLURM_ARRAY_TASK_ID: "3",
    PMIX_RANK: "0",
    PMIX_NAMESPACE: "slurm.pmix.1.0",
    PMIX_SERVER_URI2: "pmix-server.1;tcp4://10.0.0.1:1",
    OMPI_COMM_WORLD_RANK: "0",
    OMPI_UNIVERSE_SIZE: "1",
    XDG_RUNTIME_DIR: "/run/user/1000",
    XDG_SESSION_ID: "c7",
  };
  assert.deepEqual(jobEnvironment(enclosing, []), {});
  const chosen = { OMPI_MCA_btl: "^openib", PMIX_MCA_gds: "hash", XDG_CACHE_HOME: "/scratch/c" };
  assert.deepEqual(jobEnvironment(chosen, []), chosen);
});
