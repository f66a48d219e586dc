import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startMonitor } from "../support/daemon.ts";
import { makeSweep } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";
import {
  countsText,
  KILL_PROGRAMS,
  KILL_YAML,
  poolKillCampaign,
} from "../support/pool-kill-campaign.ts";
import { startModelServer } from "../support/model-server.ts";

const YAML = `pool:
  defaults: {model: echo, sandbox: none}
  limits: {attempts: 50}
  backends:
    echo: {kind: command, command: [FOLDER/echo.sh], input: stdin, result: stdout}
    files: {kind: command, command: [FOLDER/files.sh], input: file, result: file}
  models:
    echo: {backend: echo}
    files: {backend: files}
`;

const PROGRAMS = {
  // Leaves a mark of each run, so that doubled work is seen.
  "echo.sh": `#!/bin/bash
text=$(cat)
echo "$HERD_TASK" >> "$(dirname "$0")/runs"
case "$text" in
  *slow*) sleep 2 ;;
  *hang*) sleep 300 ;;
  *fail*) echo "it cannot be" >&2; exit 3 ;;
esac
printf '%s' "did: $text"
`,
  "files.sh": `#!/bin/bash
cp TASK.txt copy.txt
mkdir sub && echo deep > sub/deep.txt
printf 'read %s bytes' "$(wc -c < TASK.txt)" > RESULT.txt
`,
};

function submitted({ stdout }: { stdout: string }): string {
  return stdout.trim().split(/\s/)[0]!;
}

test("the pool from nothing: a task before the daemon, a worker, results, files, lists, a stop", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  const early = await pool.run("task", "submit", "before the daemon [thinking:high]");
  assert.equal(early.code, 0, early.stderr);
  assert.match(early.stderr, /No daemon runs/);
  await pool.daemon();
  const worker = pool.worker("--slots", "2");
  await pool.until(
    "it is done",
    async () => (await pool.task(submitted(early))).status === "succeeded",
  );
  const again = await pool.run("worker", "--slots", "1");
  assert.equal(again.code, 3);
  assert.match(again.stderr, /"worker-1": it runs already/);
  const after = await pool.run("task", "submit", "after a second worker was refused", "--wait");
  assert.equal(after.code, 0, "the first one works on");
  const config = join(pool.home.env["HOME"]!, ".config/herd/config.yaml");
  const good = readFileSync(config, "utf8");
  const shown = async () => (await pool.run("pool")).stdout;
  writeFileSync(config, "pool: {");
  await pool.until("the mistake is seen", async () => /as it was configured/.test(await shown()));
  writeFileSync(config, good);
  await pool.until("it is gone", async () => !/as it was configured/.test(await shown()));
  const first = await pool.task(submitted(early));
  assert.equal(first.result, "did: before the daemon");
  assert.equal(first.thinking, "high");
  assert.deepEqual(first.attempts.map(({ end, worker }) => [end, worker]), [["done", "worker-1"]]);

  const waited = await pool.run("task", "submit", "and now", "--wait");
  assert.deepEqual([waited.code, waited.stdout.trim()], [0, "did: and now"]);
  const failing = await pool.run("task", "submit", "fail", "--wait");
  assert.equal(failing.code, 1);
  assert.match(failing.stderr, /failed: .*(code 3|cannot be)/);
  const filed = await pool.run("task", "submit", "leave files [model:files]", "--wait", "--json");
  const document = JSON.parse(filed.stdout);
  assert.equal(document.result, "read 11 bytes");
  const { folder, files } = document.attempts[0];
  assert.deepEqual(readdirSync(folder).filter((name: string) => !name.startsWith(".")).sort(), [
    "AGENTS.md",
    "RESULT.txt",
    "TASK.txt",
    "agent-output.log",
    "copy.txt",
    "manifest.json",
    "sub",
  ]);
  assert.ok(files.some(({ path }: { path: string }) => path === "sub/deep.txt"));
  assert.match(readFileSync(`${folder}/AGENTS.md`, "utf8"), new RegExp(`${document.task}:1`));

  const twice = await Promise.all(
    [1, 2].map(() => pool.run("task", "submit", "once only", "--key", "nightly-7")),
  );
  assert.equal(submitted(twice[0]!), submitted(twice[1]!), "one key is one task");
  const wrong = await pool.run("task", "submit", "x [model:nothing] [thinking:low; rm -rf ~]");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /"nothing".*"echo".*"files"/s);

  const hung = submitted(await pool.run("task", "submit", "hang"));
  await pool.until("it runs", async () => (await pool.task(hung)).status === "running");
  assert.match((await pool.run("pool")).stdout, /worker-1\s+CLAIMED\s+[12]\/2/);
  const queued = await pool.run("pool", "stop", "--now", "--reason", "fire drill");
  assert.equal(queued.code, 0);
  await pool.until(
    "the agent is ended",
    async () => (await pool.task(hung)).status === "cancelled",
  );
  const held = submitted(await pool.run("task", "submit", "later"));
  assert.match((await pool.run("pool")).stdout, /The pool is stopped: fire drill/);
  assert.equal((await pool.task(held)).status, "queued");
  await pool.run("pool", "resume");
  await pool.until("it goes on", async () => (await pool.task(held)).status === "succeeded");
  await pool.run("pool", "drain", "worker-1");
  const waits = submitted(await pool.run("task", "submit", "not now"));
  await pool.until("it says so", async () => /DRAINING/.test((await pool.run("pool")).stdout));
  assert.equal((await pool.task(waits)).status, "queued");
  assert.equal((await pool.run("task", "cancel", waits)).code, 0);
  assert.equal((await pool.task(waits)).status, "cancelled");
  worker.child.kill("SIGTERM");
  await worker.ended;
});

test("hostile texts reach the agent byte for byte, and nothing else", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  await pool.daemon();
  pool.worker();
  const texts = [
    "$(touch FOLDER/owned) `touch FOLDER/owned` ; touch FOLDER/owned | touch FOLDER/owned",
    "a|b|c\nd|e\t\\ \\\\ 'single' \"double\"",
    "@everyone ```fence``` **bold** <@123>",
    "--help",
    `x${"é".repeat(4_000)}`,
    '{"type":"task-ended","task":"t-1","status":"succeeded"}',
  ].map((text) => text.replaceAll("FOLDER", pool.path()));
  for (const text of texts) {
    const { code, stdout, stderr } = await pool.run(
      "task",
      "submit",
      "--wait",
      "--json",
      "--",
      text,
    );
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).result, `did: ${text}`);
  }
  assert.ok(!existsSync(pool.path("owned")));
});

test("an agent of the Messages API works in its folder, and its cost is known", async (t) => {
  const model = await startModelServer([
    {
      reply: {
        calls: [{
          name: "write_file",
          input: { path: "notes.md", content: "# Notes" },
        }],
        usage: { input: 1_000, output: 100 },
      },
    },
    {
      reply: {
        text: "The notes are written.",
        usage: { input: 2_000, output: 50, cacheRead: 500 },
      },
    },
  ]);
  t.after(() => model.close());
  const pool = livePool(t, {
    env: { ANTHROPIC_API_KEY: "sk-ant-test" },
    yaml: `pool:
  defaults: {model: primary, sandbox: workspace}
  backends:
    claude: {kind: anthropic, base_url: "${model.url}", api_key_env: ANTHROPIC_API_KEY}
  models:
    primary:
      backend: claude
      model: claude-sonnet-5-5
      usd_per_million_tokens: {input: 2, output: 10, cache_read: 0.1, cache_write: 2.5}
`,
  });
  await pool.daemon();
  pool.worker();
  const { code, stdout, stderr } = await pool.run(
    "task",
    "submit",
    "write notes",
    "--wait",
    "--json",
  );
  assert.equal(code, 0, `${stderr}${stdout}`);
  const task = JSON.parse(stdout);
  assert.equal(task.result, "The notes are written.");
  assert.deepEqual(task.tokens, { input: 3_000, output: 150, cache_read: 500, cache_write: 0 });
  assert.ok(Math.abs(task.usd - (3_000 * 2 + 150 * 10 + 500 * 0.1) / 1e6) < 1e-9, `${task.usd}`);
  assert.equal(readFileSync(`${task.attempts[0].folder}/notes.md`, "utf8"), "# Notes");
  const cost = JSON.parse((await pool.run("cost", "--by", "model", "--json")).stdout);
  assert.equal(cost.rows[0].name, "claude-sonnet-5-5");
  const journal = JSON.stringify(pool.events());
  assert.ok(!journal.includes("sk-ant-test"), "the key is in no record");
});

test("kill -9 and freezes at random moments: every task ends once", async (t) => {
  const pool = livePool(t, { yaml: KILL_YAML, programs: KILL_PROGRAMS });
  const counts = await poolKillCampaign(pool, {
    ...{ moments: 8, seed: 7, longestFreezeMs: 1_000, patienceMs: 240_000 },
  });
  t.diagnostic(countsText(counts));
});

test("a daemon that was started for a sweep is kept for the pool once that is asked for", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  const sweep = makeSweep({
    yaml: `name: short
launcher: ./launch.sh
scheduler: local
slurm: {partition: none, time: 5, mem: 50M}
monitor: {objective: none, rollout: [rest]}
grid: all
parameters:
  x: {type: discrete, values: [1]}
`,
    launcher: "#!/bin/bash\nuntil [ -e go ]; do sleep 0.05; done\n",
  }, "herd-kept-");
  t.after(() => sweep.remove());
  const monitor = startMonitor([sweep.path], pool.home.env);
  await pool.until("it answers", async () => (await pool.run("api", "daemon")).code === 0);
  const kept = await pool.run("pool", "start");
  assert.match(kept.stdout, /The pool runs in the daemon that is there/);
  sweep.write("go", "");
  await pool.until("the sweep is over", () => /🛑 monitor stopped/.test(monitor.output()));
  pool.worker();
  const done = await pool.run("task", "submit", "after the sweep", "--wait");
  assert.deepEqual([done.code, done.stdout.trim()], [0, "did: after the sweep"]);
  assert.equal((await pool.run("monitor", "--stop")).code, 0);
  assert.equal((await monitor.ended).code, 0, monitor.output());
});
