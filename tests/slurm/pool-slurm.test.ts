import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { livePool } from "../support/live-pool.ts";
import type { LivePool } from "../support/live-pool.ts";
import { startModelServer } from "../support/model-server.ts";
import { createTogether } from "../support/together.ts";
import { startCluster, withoutPrivateCluster } from "../support/private-cluster.ts";
import type { PrivateCluster } from "../support/private-cluster.ts";

const SKIP = { skip: withoutPrivateCluster };
const KEY = "sk-ant-the-daemons-own-key-0123456789";

/**
 * Puts each worker into a network of its own that has nothing but its loopback, and takes its time
 * with the answer where a test wants to be faster.
 */
const SBATCH = `#!/bin/bash
script=\${!#}
if grep -q ' worker --name ' "$script" 2>/dev/null && ! grep -q unshare "$script"; then
  sed -i 's|^exec |exec unshare -n -- sh -c '"'"'ip link set lo up; exec "$@"'"'"' sh |' "$script"
fi
PATH=\${PATH#*:}
sbatch "$@"
code=$?
[ -z "$SBATCH_SLOW" ] || sleep "$SBATCH_SLOW"
exit $code
`;

const YAML = `pool:
  defaults: {model: claude, sandbox: none, timeout: 3m}
  slurm: {time: 10, slots: SLOTS, idle: 30s, options: [OPTIONS]}
  limits: {attempts: ATTEMPTS}
  backends:
    anthropic: {kind: anthropic, base_url: MODEL, api_key_env: ANTHROPIC_API_KEY}
    shell: {kind: command, command: [FOLDER/shell.sh], input: stdin, result: stdout}
    inside: {kind: command, command: [/bin/bash, FOLDER/inside.sh], reads: [FOLDER/inside.sh], input: stdin, result: stdout, relay: anthropic}
  models:
    claude: {backend: anthropic, model: claude-sonnet-5-5, usd_per_million_tokens: {input: 3, output: 15}}
    shell: {backend: shell}
    inside: {backend: inside}
`;

const PROGRAMS = {
  "inside.sh": `#!/bin/bash
cat >/dev/null
curl -sS -m 60 -H "x-api-key: $ANTHROPIC_API_KEY" -d @- "$ANTHROPIC_BASE_URL/v1/messages" <<'JSON'
{"model": "claude-sonnet-5-5", "max_tokens": 100, "stream": true,
 "messages": [{"role": "user", "content": "from within"}]}
JSON
`,
  "shell.sh": `#!/bin/bash
text=$(cat)
case "$text" in
  probe*)
    env
    if (exec 3<>/dev/tcp/127.0.0.1/\${text#probe }) 2>/dev/null; then echo REACHED; else echo "NO ROUTE"; fi
    echo "routes: $(ip route | wc -l)" ;;
  wait*) sleep "\${text#wait }"; printf 'done on %s' "$HERD_TASK" ;;
  *) printf 'did %s' "$text" ;;
esac
`,
};

const together = createTogether();

interface Cleaning {
  after(act: () => unknown): void;
}

/** At the same time as the others, with its own clearing up. */
function alone(run: (t: Cleaning) => Promise<void>): () => Promise<void> {
  return together(async () => {
    const acts: (() => unknown)[] = [];
    try {
      await run({ after: (act) => void acts.push(act) });
    } finally {
      for (const act of acts.reverse()) await act();
    }
  });
}

let cluster: PrivateCluster;
before(async () => {
  if (withoutPrivateCluster !== false) return;
  cluster = await startCluster({ accounting: "own", programs: { sbatch: SBATCH } });
});
after(() => cluster?.[Symbol.asyncDispose]());

function poolOf(
  t: Parameters<typeof livePool>[0],
  { model = "http://127.0.0.1:9", slots = 1, attempts = 5, env = {} } = {},
): LivePool {
  const yaml = YAML.replace("MODEL", model).replace("SLOTS", `${slots}`)
    .replace("OPTIONS", "--mem=300M").replace("ATTEMPTS", `${attempts}`);
  const pool = livePool(t, {
    yaml,
    programs: PROGRAMS,
    env: { ...cluster.env, ANTHROPIC_API_KEY: KEY, ...env },
  });
  return pool;
}

async function jobsOf(pool: LivePool): Promise<string[]> {
  const found = pool.events().findLast(({ what }) => what.type === "pool-scaled");
  if (found?.what.type !== "pool-scaled") return [];
  const text = await cluster.slurm("squeue", "-h", "-t", "PD,R,CF", "-o", "%j");
  return text.split("\n").filter((name) =>
    name.startsWith(`herd-pool-${(found.what as { id: string }).id}-`)
  );
}

async function submit(pool: LivePool, text: string): Promise<string> {
  const said = await pool.run("task", "submit", text);
  assert.equal(said.code, 0, said.stderr);
  return said.stdout.trim().split(/\s/)[0]!;
}

async function done(pool: LivePool, id: string, ms = 90_000): Promise<string> {
  await pool.until(`${id} is over`, async () => {
    const { status } = await pool.task(id);
    return !["queued", "assigned", "running"].includes(status);
  }, ms);
  const task = await pool.task(id);
  assert.equal(task.status, "succeeded", JSON.stringify(task));
  return task.result ?? "";
}

async function scale(pool: LivePool, ...args: string[]): Promise<void> {
  const said = await pool.run("pool", "scale", ...args);
  assert.equal(said.code, 0, said.stderr);
}

test(
  "workers in SLURM without a route do tasks through the relay, and end when told",
  SKIP,
  alone(async (t) => {
    const model = await startModelServer([{
      reply: (request) => ({ text: `heard: ${request.text}`, usage: { input: 1000, output: 100 } }),
      times: Infinity,
    }]);
    t.after(() => model.close());
    const pool = poolOf(t, { model: model.url, slots: 3 });
    await pool.daemon();
    await scale(pool, "--slurm", "1");
    const port = new URL(model.url).port;
    const [asked, probed, within] = await Promise.all([
      submit(pool, "say it"),
      submit(pool, `probe ${port} [model:shell]`),
      submit(pool, "go [model:inside] [sandbox:workspace]"),
    ]);
    assert.equal(await done(pool, asked), "heard: say it");
    const probe = await done(pool, probed);
    assert.match(probe, /NO ROUTE\nroutes: 0\n?$/, probe);
    assert.doesNotMatch(probe, /the-daemons-own-key/);
    const stream = await done(pool, within);
    assert.match(stream, /^event: message_start[^]*heard: from within/);
    assert.deepEqual(
      new Set(model.requests().map(({ headers }) => headers["x-api-key"])),
      new Set([KEY]),
    );
    for (const id of [asked, within]) {
      const { usd } = await pool.task(id);
      assert.ok(usd !== null && usd > 0, "what it cost is known");
    }
    await pool.until(
      "the job is shown as it is",
      async () => /slurm-1 .* \d+ RUNNING on n[34]/.test((await pool.run("pool")).stdout),
      40_000,
    );
    await scale(pool, "--slurm", "0");
    await pool.until("the job is gone", async () => (await jobsOf(pool)).length === 0, 60_000);
    await pool.until(
      "so is the worker",
      async () => !(await pool.run("pool")).stdout.includes("slurm-1"),
      60_000,
    );
  }),
);

test(
  "the pool follows what waits, up at once and down after a time without work",
  SKIP,
  alone(async (t) => {
    const pool = poolOf(t);
    await pool.daemon();
    await scale(pool, "--min", "0", "--max", "2");
    assert.deepEqual(await jobsOf(pool), []);
    const ids = await Promise.all(
      [1, 2, 3, 4].map((i) => submit(pool, `number ${i} [model:shell]`)),
    );
    for (const [i, id] of ids.entries()) assert.equal(await done(pool, id), `did number ${i + 1}`);
    const made = pool.events().filter(({ what }) => what.type === "worker-job-intended").length;
    assert.equal(made, 2);
    await pool.until("both have ended", async () => (await jobsOf(pool)).length === 0, 80_000);
    await pool.until(
      "they leave the list",
      async () => !/slurm-/.test((await pool.run("pool")).stdout),
      30_000,
    );
  }),
);

test(
  "a node that fails in mid-task: the task is done elsewhere, once, long before the lease is over",
  SKIP,
  async (t) => {
    const pool = poolOf(t);
    await pool.daemon();
    await scale(pool, "--slurm", "1");
    const id = await submit(pool, "wait 15 [model:shell]");
    await pool.until("it runs", async () => (await pool.task(id)).status === "running");
    // Of this pool alone: a worker of the test before may still be ending on the same node.
    const asked = ["-h", "-t", "R", "-n", (await jobsOf(pool))[0]!, "-o", "%N %A"];
    const [node = "", raw = ""] = (await cluster.slurm("squeue", ...asked)).trim().split(/\s+/);
    // As when the power goes: nobody on that node says anything any more.
    const pids = cluster.processesOf(raw);
    assert.ok(pids.length > 1, `processes of job ${raw} on ${node}: ${pids}`);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    const failedAt = Date.now();
    await cluster.slurm("scontrol", "update", `NodeName=${node}`, "State=DOWN", "Reason=test");
    await pool.until("it is lost", async () => (await pool.task(id)).status !== "running", 60_000);
    assert.ok(Date.now() - failedAt < 60_000);
    // It may have come back by itself.
    await cluster.ask("scontrol", "update", `NodeName=${node}`, "State=RESUME");
    assert.match(await done(pool, id), new RegExp(`^done on ${id}:2$`));
    const { attempts } = await pool.task(id);
    assert.equal(attempts.length, 2);
    const lost = pool.events().find(({ what }) => what.type === "attempt-lost")?.what as {
      why: string;
    };
    assert.match(
      lost.why,
      /^worker "slurm-1" is gone: its SLURM job \d+ lost its node.*\(NODE_FAIL\)$/,
    );
  },
);

test(
  "kill -9 of the daemon while it scales: every job is known again, none is there twice",
  SKIP,
  alone(async (t) => {
    const pool = poolOf(t, { env: { SBATCH_SLOW: "0.7" } });
    let daemon = await pool.daemon();
    await scale(pool, "--slurm", "4");
    for (const ms of [300, 900, 600]) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      daemon.child.kill("SIGKILL");
      await daemon.ended;
      daemon = await pool.daemon();
    }
    await pool.until("four are ready", async () => {
      const { stdout } = await pool.run("pool", "--json");
      const ready = JSON.parse(stdout).workers.filter((one: { status: string; job: unknown }) =>
        one.status === "READY" && one.job !== null
      );
      return ready.length === 4;
    }, 80_000);
    const names = await jobsOf(pool);
    assert.equal(names.length, 4, names.join(" "));
    assert.equal(new Set(names).size, 4);
    const all = await cluster.slurm(
      "sacct",
      "-X",
      "-n",
      "-P",
      "-S",
      "now-1hours",
      "-o",
      "JobName,State",
    );
    const own = all.split("\n").filter((line) =>
      line.startsWith(names[0]!.replace(/slurm-\d+$/, ""))
    );
    assert.equal(new Set(own.map((line) => line.split("|")[0])).size, own.length, own.join("\n"));
    const stopped = await pool.run("pool", "stop", "--now");
    assert.equal(stopped.code, 0);
    await pool.until("all end", async () => (await jobsOf(pool)).length === 0, 60_000);
  }),
);

test(
  "a worker that SLURM ends hands its task back, which counts against no limit",
  SKIP,
  alone(async (t) => {
    const pool = poolOf(t, { attempts: 1 });
    await pool.daemon();
    await scale(pool, "--slurm", "1");
    const id = await submit(pool, "wait 8 [model:shell]");
    await pool.until("it runs", async () => (await pool.task(id)).status === "running");
    const job = (await cluster.slurm("squeue", "-h", "-n", (await jobsOf(pool))[0]!, "-o", "%A"))
      .trim();
    // As before a preemption: a grace, in which the worker can speak.
    await cluster.slurm("scancel", "-s", "TERM", "--full", job);
    assert.equal(await done(pool, id), `done on ${id}:2`);
    const ends = (await pool.task(id)).attempts.map(({ end }) => end);
    assert.deepEqual(ends, ["cancelled", "done"]);
  }),
);
