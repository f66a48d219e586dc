import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
parameters:
  lr: {type: discrete, values: [1, 2, 3, 4]}
`;

interface Document {
  at: string;
  page: unknown;
  trials: { index: number; status: string }[];
  failed_stderr: { index: number; stderr_lines: string[] | null; stderr_truncated: boolean }[];
}

test("snapshot has HyperHerd's keys, a schema, and a page", () =>
  inWorkspace(YAML, async ({ herd, ran, write, root }) => {
    await ran([{ index: 0, schedulerState: "FAILED", cause: "exit", exitCode: 7 }]);
    write(".hyperherd/logs/0.out", "epoch 1\nepoch 2\n");
    write(".hyperherd/logs/0.err", "a\nb\nc\n");
    write(".hyperherd/results/0.json", '{"acc": 0.5}');
    write(
      ".hyperherd/results/0/stream/loss.jsonl",
      '{"step": 1, "value": 2, "ts": 1}\n{"step": 2, "value": NaN, "ts": 2}\n',
    );
    const said = await herd(["snapshot", "-n", "2", "--limit", "1"]);
    assert.equal(said.code, 0, said.error?.stack);
    const { at, ...document } = said.json() as Document;
    assert.match(at, /^\d{4}-.*Z$/);
    assert.deepEqual(document, {
      schema: 1,
      sweep_name: "t",
      workspace: root,
      totals: { total: 4, failed: 1, ready: 3 },
      page: { offset: 0, limit: 1, total: 4 },
      trials: [{
        index: 0,
        status: "failed",
        experiment_name: "lr-1",
        params: { lr: 1 },
        slurm_job_id: "s1job",
        slurm_state: "FAILED",
        elapsed: "00:01:30",
        elapsed_seconds: 90,
        max_rss_bytes: null,
        ave_rss_bytes: null,
        req_mem_bytes: null,
        metrics: { acc: 0.5 },
        last: { loss: "NaN" },
        last_log_line: "epoch 2",
        step: 2,
        note: "exit 7",
      }],
      failed_stderr: [{
        index: 0,
        stderr_path: join(root, ".hyperherd/logs/0.err"),
        stderr_lines: ["b", "c"],
        stderr_truncated: true,
      }],
      warnings: [],
    });
  }));

test("the last failures are the last by time, whatever their indices and the page", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    const at = 1_700_000_000_000;
    await ran([
      { index: 0, cause: "exit", endedAt: at + 3000 },
      { index: 1, cause: "exit", endedAt: at + 1000 },
      { index: 2, cause: "timeout", endedAt: at + 2000 },
    ]);
    write(".hyperherd/logs/0.err", "whole");
    const argv = ["snapshot", "--max-failed", "2", "--offset", "3"];
    const { failed_stderr: failed, trials } = (await herd(argv)).json() as Document;
    assert.deepEqual(failed.map(({ index }) => index), [0, 2]);
    assert.deepEqual(failed[0]!.stderr_lines, ["whole"]);
    assert.equal(failed[0]!.stderr_truncated, false);
    assert.equal(failed[1]!.stderr_lines, null);
    assert.deepEqual(trials.map(({ index }) => index), [3]);
  }));

test("pages put together are the whole, and before the first run there are trials too", () =>
  inWorkspace(YAML, async ({ herd }) => {
    const indices: number[] = [];
    for (const offset of ["0", "3", "6"]) {
      const argv = ["snapshot", "--offset", offset, "--limit", "3"];
      const { trials, page } = (await herd(argv)).json() as Document;
      assert.deepEqual(page, { offset: Number(offset), limit: 3, total: 4 });
      indices.push(...trials.map(({ index }) => index));
    }
    assert.deepEqual(indices, [0, 1, 2, 3]);
  }));

test("what earlier runs of a trial said, and herd's own line, is not in failed_stderr", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0, schedulerState: "FAILED", cause: "exit", exitCode: 7 }]);
    const begins = (attempt: number) =>
      `===== herd: trial 0, attempt ${attempt}, job 7_0, restart 0, node n1, T =====\n`;
    write(".hyperherd/logs/0.out", begins(1));
    write(".hyperherd/logs/0.err", `${begins(1)}old\n${begins(2)}new 1\nnew 2\n`);
    const said = async (lines: string) => {
      const { failed_stderr, trials } = (await herd(["snapshot", "-n", lines])).json() as
        & Document
        & {
          trials: { last_log_line: string | null }[];
        };
      const { stderr_lines, stderr_truncated } = failed_stderr[0]!;
      return [stderr_lines, stderr_truncated, trials[0]!.last_log_line];
    };
    assert.deepEqual(await said("9"), [["new 1", "new 2"], false, "new 2"]);
    assert.deepEqual(await said("1"), [["new 2"], true, "new 2"]);
  }));
