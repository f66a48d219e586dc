import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { inWorkspace, quickClock } from "../../support/query-workspace.ts";
import type { QueryWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
parameters:
  lr: {type: discrete, values: [0.1, 0.2]}
`;
const OUT = ".hyperherd/logs/0.out";
const ERR = ".hyperherd/logs/0.err";

const lines = (n: number) => Array.from({ length: n }, (_, i) => `line ${i + 1}\n`).join("");

test("tail shows the last lines of both streams under their names", () =>
  inWorkspace(YAML, async ({ herd, ran, write, root }) => {
    await ran([{ index: 0 }]);
    write(OUT, lines(30));
    write(ERR, "oops");
    const { stdout, code } = await herd(["tail", "0", "-n", "2"]);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `==> stdout: ${join(root, OUT)} <==\nline 29\nline 30\n\n` +
        `==> stderr: ${join(root, ERR)} <==\noops\n`,
    );
    assert.equal((await herd(["tail", "0", "--stderr"])).stdout, "oops\n");
    assert.equal((await herd(["tail", "0", "--stdout"])).stdout.split("\n").length, 21);
  }));

test("tail --json has HyperHerd's keys, and null for a log that is not there", () =>
  inWorkspace(YAML, async ({ herd, ran, write, root }) => {
    await ran([{ index: 0 }]);
    write(OUT, "a\nb\nc\n");
    assert.deepEqual((await herd(["tail", "0", "-n", "2", "--json"])).json(), {
      index: 0,
      status: "completed",
      experiment_name: "lr-0.1",
      streams: {
        stdout: { path: join(root, OUT), lines: ["b", "c"], requested: 2 },
        stderr: { path: join(root, ERR), lines: null, requested: 2 },
      },
    });
    assert.deepEqual((await herd(["tail", "1", "--stderr", "--json"])).json(), {
      index: 1,
      status: "ready",
      experiment_name: "lr-0.2",
      streams: {
        stderr: { path: join(root, ".hyperherd/logs/1.err"), lines: null, requested: 20 },
      },
    });
    // A log that is there is shown, whatever the journal knows.
    write(".hyperherd/logs/9.out", "x\n");
    const stray = (await herd(["tail", "9", "--json"])).json() as { status: string };
    assert.equal(stray.status, "unknown");
  }));

test("no index, an unknown index and a trial without a log are told apart", () =>
  inWorkspace(YAML, async ({ herd, ran }) => {
    assert.equal((await herd(["tail", "0"])).code, 1);
    assert.equal((await herd(["tail", "0", "--json"])).code, 1);
    await ran([{ index: 0 }]);
    assert.equal((await herd(["tail"])).code, 2);
    assert.equal((await herd(["tail", "."])).code, 2);
    assert.equal((await herd(["tail", "7"])).code, 2);
    assert.equal((await herd(["tail", "7", "--json"])).code, 2);
    assert.equal((await herd(["tail", "1"])).code, 1);
    assert.equal((await herd(["tail", "0", "-f"])).code, 1);
    assert.equal((await herd(["tail", "0", "-f", "--json"])).code, 2);
  }));

test("on a terminal a log cannot drive it; to a pipe it goes as it is", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }]);
    const log = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\x1b[2J\x1b[6n 5%\r6%\n";
    write(OUT, log);
    assert.equal((await herd(["tail", "0", "--stdout"])).stdout, log);
    const shown = await herd(["tail", "0", "--stdout"], { columns: 80 });
    assert.equal(shown.stdout, "\x1b[31mred\x1b[0m 5%\r6%\n");
  }));

/** Follows trial 0, doing each step when the one before has been shown. */
async function follow(
  workspace: QueryWorkspace,
  argv: readonly string[],
  steps: readonly { shown: string; then: () => void }[],
) {
  const left = [...steps];
  return await workspace.herd(["tail", "0", "-f", ...argv], {
    clock: quickClock(20),
    onOutput(stdout) {
      const step = left[0];
      if (step === undefined || !stdout.includes(step.shown)) return;
      left.shift();
      step.then();
    },
  });
}

/** The job's own word that it has ended. */
function end({ root }: QueryWorkspace): void {
  mkdirSync(join(root, ".hyperherd/events/s1"), { recursive: true });
  const now = Date.now() / 1000;
  const line = (event: string) => `${now}\ts1job_0\t0\t${event}\t.\n`;
  writeFileSync(
    join(root, ".hyperherd/events/s1/0.tsv"),
    line("start\thost=n1") + line("done\trc=0") + line("exit\trc=0"),
  );
}

test("tail -f shows what comes until the trial ends, a log that appears later included", () =>
  inWorkspace(YAML, async (workspace) => {
    await workspace.ran([{ index: 0, phase: "running" }]);
    workspace.write(OUT, "one\nhal");
    const said = await follow(workspace, [], [
      { shown: "hal", then: () => workspace.append(OUT, "f\ntwo\n") },
      { shown: "two", then: () => workspace.write(ERR, "warning\n") },
      {
        shown: "warning",
        then: () => {
          workspace.append(OUT, "the end\n");
          end(workspace);
        },
      },
    ]);
    assert.equal(said.code, 0, said.error?.stack);
    const [out, err] = [join(workspace.root, OUT), join(workspace.root, ERR)];
    assert.equal(
      said.stdout,
      `==> stdout: ${out} <==\none\nhalf\ntwo\n\n==> stderr: ${err} <==\nwarning\n` +
        `\n==> stdout: ${out} <==\nthe end\n`,
    );
    assert.match(said.stderr, /0 {2}lr-0\.1 {2}completed/);
  }));

test("tail -f goes on after the log was cut, moved away, and linked to another file", () =>
  inWorkspace(YAML, async (workspace) => {
    await workspace.ran([{ index: 0, phase: "running" }]);
    const path = join(workspace.root, OUT);
    workspace.write(OUT, "a rather long first line\n");
    const said = await follow(workspace, ["--stdout"], [
      {
        shown: "first line\n",
        then() {
          truncateSync(path, 0);
          workspace.append(OUT, "cut\n");
        },
      },
      {
        shown: "cut\n",
        then() {
          workspace.append(OUT, "rest of the old file\n");
          renameSync(path, `${path}.1`);
          workspace.write(".hyperherd/logs/other.out", "linked\n");
          symlinkSync("other.out", path);
        },
      },
      { shown: "linked\n", then: () => end(workspace) },
    ]);
    assert.equal(said.code, 0, said.error?.stack);
    assert.equal(said.stdout, "a rather long first line\ncut\nrest of the old file\nlinked\n");
    assert.equal(said.stderr.match(/was replaced or cut/g)?.length, 2);
  }));

test("Ctrl-C ends following as an interruption", () =>
  inWorkspace(YAML, async (workspace) => {
    await workspace.ran([{ index: 0, phase: "running" }]);
    workspace.write(OUT, "one\n");
    const controller = new AbortController();
    const said = await workspace.herd(["tail", "0", "-f"], {
      clock: quickClock(20),
      signal: controller.signal,
      onOutput: (stdout) => stdout.includes("one\n") && controller.abort(),
    });
    assert.equal(said.code, 130);
  }));
