import assert from "node:assert/strict";
import test from "node:test";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
parameters:
  lr: {type: discrete, values: [0.1, 0.2, 0.3]}
`;
const GIB = 1024 ** 3;

test("stats sets what a trial used against what it asked for", () =>
  inWorkspace(YAML, async ({ herd, ran }) => {
    await ran([{
      index: 1,
      schedulerState: "COMPLETED",
      usage: {
        elapsedSeconds: 600,
        maxRssBytes: 1.2 * GIB,
        aveRssBytes: GIB,
        requestedMemoryBytes: 8 * GIB,
        cpuSeconds: 1200,
        allocatedCpus: 4,
      },
    }]);
    const said = await herd(["stats", "--json"]);
    assert.equal(said.code, 0, said.error?.stack);
    assert.deepEqual(said.json(), {
      trials: [{
        index: 1,
        experiment_name: "lr-0.2",
        slurm_state: "COMPLETED",
        elapsed: "00:10:00",
        elapsed_seconds: 600,
        max_rss_bytes: 1.2 * GIB,
        ave_rss_bytes: GIB,
        req_mem_bytes: 8 * GIB,
        status: "completed",
        cpu_seconds: 1200,
        allocated_cpus: 4,
        time_limit_seconds: 3600,
        memory_efficiency: 0.15,
        time_efficiency: 0.1667,
        cpu_efficiency: 0.5,
      }],
      advice: [
        "Memory: at most 1.2G used of 8G; slurm.mem: 1536M would do",
        'Time: the longest took 00:10:00 of 01:00:00; slurm.time: "00:20:00" would do',
        "Processors: 50 % of 4 used on average",
      ],
      warnings: [],
    });
    const { stdout } = await herd(["stats", "1"]);
    assert.match(stdout, /1 {2}COMPLETED +10:00 +1:00:00 +17 % +1\.2G +1G +8G +15 % +20:00 +50 %/);
  }));

test("what is not known is null, and no share is made up", () =>
  inWorkspace(YAML, async ({ herd, ran }) => {
    await ran([{ index: 0 }]);
    const { trials, advice } = (await herd(["stats", "0", "--json"])).json() as {
      trials: Record<string, unknown>[];
      advice: string[];
    };
    assert.equal(trials[0]!["max_rss_bytes"], null);
    assert.equal(trials[0]!["slurm_state"], null);
    assert.equal(trials[0]!["memory_efficiency"], null);
    assert.equal(trials[0]!["cpu_efficiency"], null);
    assert.equal(trials[0]!["elapsed_seconds"], 90);
    assert.deepEqual(advice, [
      'Time: the longest took 00:01:30 of 01:00:00; slurm.time: "00:10:00" would do',
    ]);
  }));

test("an unknown index is a mistake, a trial that never started is an answer of no", () =>
  inWorkspace(YAML, async ({ herd, ran }) => {
    assert.equal((await herd(["stats"])).code, 1);
    assert.deepEqual((await herd(["stats", "--json"])).json(), {
      trials: [],
      advice: [],
      warnings: [],
    });
    await ran([{ index: 0 }]);
    const unknown = await herd(["stats", "9"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.error!.message, /no such trial/);
    assert.equal((await herd(["stats", "2"])).code, 1);
  }));
