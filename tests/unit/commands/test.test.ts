import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readProcess } from "../../../lib/base/process-tree.ts";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
static_overrides: ["note=a b"]
parameters:
  lr: {type: discrete, values: [0.1, 0.2, 0.3]}
`;

const script = (body: string) => `#!/bin/bash\n${body}\n`;

/** Logs as trainers do, into the results of the trial that it was told. */
const LOGS = script(
  'cd "$HYPERHERD_WORKSPACE/.hyperherd" && [ -f manifest.json ] || exit 9\n' +
    "mkdir -p results/$HYPERHERD_TRIAL_ID/stream\n" +
    'echo "{\\"acc\\": 1}" > results/$HYPERHERD_TRIAL_ID.json',
);

test("test runs the launcher as the job would: arguments, environment, folder, no input", () =>
  inWorkspace(YAML, async ({ herd, write, root }) => {
    write(
      "launch.sh",
      script(
        'pwd; printf "<%s>\\n" "$1" "${@:2}"; env | grep -E "^(HYPERHERD|HERD)_" | sort; cat; echo "err" >&2; exit 7',
      ),
      0o755,
    );
    const said = await herd(["test", "1"], { env: { DISCORD_BOT_TOKEN: "secret" } });
    assert.equal(said.code, 7, said.error?.stack);
    assert.equal(
      said.stdout,
      [
        root,
        "<experiment_name=lr-0.2 lr=0.2 note=a b>",
        "<experiment_name=lr-0.2>",
        "<lr=0.2>",
        "<note=a b>",
        "HERD_ATTEMPT=0",
        "HERD_BIN=",
        "HERD_RESTART=0",
        "HYPERHERD_EXPERIMENT_NAME=lr-0.2",
        "HYPERHERD_SWEEP_NAME=t",
        "HYPERHERD_TRIAL_ID=1",
        "HYPERHERD_TRIAL_NAME=lr-0.2",
        `HYPERHERD_WORKSPACE=${root}`,
        "",
      ].join("\n"),
    );
    assert.match(said.stderr, /^err$/m);
    assert.match(said.stderr, /Trial 1: exit 7/);
  }));

test("a launcher that does not ask for the tokens gets one argument, as in its job", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    write("launch.sh", script('echo "$#:$*:${2:-none}"'), 0o755);
    assert.equal(
      (await herd(["test", "1"])).stdout,
      "1:experiment_name=lr-0.2 lr=0.2 note=a b:none\n",
    );
  }));

test("no secret of the shell reaches a test, as it reaches no job", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    write("launch.sh", script("env"), 0o755);
    write(".env", "MODEL_KEY=sesame\n", 0o600);
    const { stdout } = await herd(["test"], { env: { DISCORD_BOT_TOKEN: "secret" } });
    assert.match(stdout, /HYPERHERD_TRIAL_ID=0/);
    assert.doesNotMatch(stdout, /secret|sesame/);
  }));

test("G.1.16: an index is a trial's own, not a place in a list with gaps", () =>
  inWorkspace(YAML, async ({ herd, write, ran }) => {
    await ran([{ index: 1 }]);
    // Trial 0 goes; 1 and 2 stay, and the new one is 3.
    write("hyperherd.yaml", YAML.replace("[0.1, 0.2, 0.3]", "[0.2, 0.3, 0.4]"));
    assert.match((await herd(["test", "3"])).stdout, /^<experiment_name=lr-0\.4>$/m);
    assert.match((await herd(["test", "2"])).stdout, /^<experiment_name=lr-0\.3>$/m);
    const gone = await herd(["test", "0"]);
    assert.equal(gone.code, 2);
    assert.match(gone.error!.message, /trial 0: the YAML no longer contains it/);
    assert.equal((await herd(["test", "4"])).code, 2);
  }));

test("what a test logs never becomes the trial's result", () =>
  inWorkspace(YAML, async ({ herd, write, root }) => {
    write("launch.sh", LOGS, 0o755);
    const said = await herd(["test"]);
    assert.equal(said.code, 0, said.stderr);
    assert.deepEqual(readdirSync(join(root, ".hyperherd/results")), []);
    const [label] = readdirSync(join(root, ".hyperherd/tests/0"));
    const kept = join(root, ".hyperherd/tests/0", label!, "0.json");
    assert.equal(readFileSync(kept, "utf8"), '{"acc": 1}\n');
    const res = (await herd(["res", "--json"])).json() as { trials: { metrics: object }[] };
    assert.deepEqual(res.trials.map(({ metrics }) => metrics), [{}, {}, {}]);
    const { trials } = (await herd(["ls", "--json"])).json() as { trials: { index: number }[] };
    assert.deepEqual(trials.map(({ index }) => index), [0, 1, 2], "indices are not used up");
  }));

test("results that a killed test left are put away before they can count", () =>
  inWorkspace(YAML, async ({ herd, write, root }) => {
    write(".hyperherd/results/0.json", '{"acc": 5}');
    const said = await herd(["test"]);
    assert.match(said.stderr, /Results that were there before trial 0 ever ran/);
    assert.equal(existsSync(join(root, ".hyperherd/results/0.json")), false);
  }));

test("a trial that was ever submitted is refused, but may show its configuration", () =>
  inWorkspace(YAML, async ({ herd, write, ran, root }) => {
    await ran([{ index: 0, cause: "exit", exitCode: 1 }]);
    write(".hyperherd/results/0.json", '{"acc": 0.5}');
    const refused = await herd(["test", "0"]);
    assert.equal(refused.code, 3);
    assert.match(refused.error!.message, /was submitted before/);
    const shown = await herd(["test", "0", "--cfg-job"]);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /note=a b --cfg job --resolve>\n/);
    assert.match(shown.stdout, /<--cfg>\n<job>\n<--resolve>\n$/);
    write("launch.sh", LOGS, 0o755);
    await herd(["test", "0", "--cfg-job"]);
    assert.equal(readFileSync(join(root, ".hyperherd/results/0.json"), "utf8"), '{"acc": 0.5}');
    assert.deepEqual(readdirSync(join(root, ".hyperherd/results")), ["0.json"]);
  }));

test("--timeout ends a launcher and everything that it started", () =>
  inWorkspace(YAML, async ({ herd, write, root }) => {
    write("launch.sh", script('sleep 1000 & echo $! > child; trap "" TERM; wait; exit 5'), 0o755);
    const said = await herd(["test", "--timeout", "0.5"]);
    assert.equal(said.code, 124);
    const child = Number(readFileSync(join(root, "child"), "utf8"));
    assert.ok(readProcess(child)?.zombie ?? true, "it lives");
  }));

test("Ctrl-C ends the launcher, and what it logged is put away all the same", () =>
  inWorkspace(YAML, async ({ herd, write, root }) => {
    write("launch.sh", `${LOGS}echo logged\nexec sleep 1000\n`, 0o755);
    const controller = new AbortController();
    const said = await herd(["test"], {
      signal: controller.signal,
      onOutput: (stdout) => stdout.includes("logged") && controller.abort(),
    });
    assert.equal(said.code, 130);
    assert.deepEqual(readdirSync(join(root, ".hyperherd/results")), []);
  }));

test("test --json is one document, and the exit code still the launcher's", () =>
  inWorkspace(YAML, async ({ herd, write }) => {
    write("launch.sh", script("echo out; echo err >&2; kill -TERM $$"), 0o755);
    const said = await herd(["test", "2", "--json"]);
    assert.equal(said.code, 143);
    const { duration_seconds: seconds, command, ...rest } = said.json() as Record<string, unknown>;
    assert.ok(typeof seconds === "number" && seconds >= 0);
    assert.deepEqual((command as string[]).slice(0, 2), ["bash", "launch.sh"]);
    assert.deepEqual(rest, {
      index: 2,
      experiment_name: "lr-0.3",
      overrides: "experiment_name=lr-0.3 lr=0.3 note=a b",
      exit_code: null,
      signal: "TERM",
      timed_out: false,
      stdout: "out\n",
      stderr: "err\n",
    });
  }));

test("--cfg-job --all checks every trial and tells the failed ones", () =>
  inWorkspace(YAML, async ({ herd, write, ran }) => {
    await ran([{ index: 0 }]);
    write(
      "launch.sh",
      script("[[ $1 == *lr=0.2* ]] || exit 0; echo \"Key 'lr' is not in struct\" >&2; exit 1"),
      0o755,
    );
    const said = await herd(["test", "--cfg-job", "--all", "-j", "2"]);
    assert.equal(said.code, 1, said.error?.stack);
    assert.match(said.stdout, /✗ 1 {2}lr-0\.2 {2}exit 1 .*\n {4}Key 'lr' is not in struct\n/);
    assert.match(said.stdout, /1 of 3 trials failed/);
    const { failed, tests } = (await herd(["test", "--cfg-job", "--all", "--json"])).json() as {
      failed: number;
      tests: { index: number; exit_code: number; stderr_tail: string }[];
    };
    assert.equal(failed, 1);
    assert.deepEqual(tests.map(({ index, exit_code }) => [index, exit_code]), [[0, 0], [1, 1], [
      2,
      0,
    ]]);
    assert.equal((await herd(["test", "--all"])).code, 2);
    assert.equal((await herd(["test", "1", "--cfg-job", "--all"])).code, 2);
  }));
