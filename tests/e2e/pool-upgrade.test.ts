import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import { HERD } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";
import type { LivePool } from "../support/live-pool.ts";

const YAML = `pool:
  defaults: {model: echo, sandbox: none}
  backends:
    echo: {kind: command, command: [FOLDER/echo.sh], input: stdin, result: stdout}
  models:
    echo: {backend: echo}
`;

const PROGRAMS = {
  "echo.sh": `#!/bin/bash
text=$(cat)
case "$text" in *wait*) echo begun > "$(dirname "$0")/begun"
  until [ -e "$(dirname "$0")/go" ]; do sleep 0.05; done ;; esac
printf '%s' "did: $text"
`,
};

interface Watched {
  pid: number;
  output(): string;
  ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** A worker of a binary of its own, to be replaced under it. */
function workerOf(
  pool: LivePool,
  t: { after(act: () => unknown): void },
  binary: string,
  ...args: string[]
): Watched {
  const child = spawn(binary, ["worker", ...args], {
    env: pool.home.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const ended = new Promise<number | null>((done) => child.on("exit", done));
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, signal);
  };
  t.after(async () => {
    kill("SIGTERM");
    await ended;
  });
  return { pid: child.pid!, output: () => output, ended, kill };
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.trim().split(" ").filter((one) => one !== "").map(Number);
  } catch {
    return [];
  }
}

/** The kernel's own word for which file a process runs. */
function inodeOf(pid: number): string {
  const [line = ""] = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  return line.split(/\s+/)[4] ?? "";
}

/** Another file with the same content, put in place as an installation does it. */
function install(path: string, from = HERD): void {
  copyFileSync(from, `${path}.new`);
  renameSync(`${path}.new`, path);
}

test("a new executable: what runs is finished by the old one, then supervisor and worker are the new one", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  const binary = pool.path("herd");
  install(binary);
  await pool.daemon();
  const supervisor = workerOf(pool, t, binary);
  const id = (await pool.run("task", "submit", "please wait")).stdout.trim();
  await pool.until("it runs", () => existsSync(pool.path("begun")));
  const [old] = childrenOf(supervisor.pid);
  const before = inodeOf(supervisor.pid);

  writeFileSync(`${binary}.new`, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  renameSync(`${binary}.new`, binary);
  await pool.until("a broken one is refused", () => /does not start/.test(supervisor.output()));
  assert.equal(childrenOf(supervisor.pid)[0], old, "the worker goes on");

  install(binary);
  await pool.until("it drains", () => /nothing new is taken/.test(supervisor.output()));
  const next = (await pool.run("task", "submit", "for the new one")).stdout.trim();
  assert.equal((await pool.task(id)).status, "running", "what runs goes on");
  assert.equal((await pool.task(next)).status, "queued", "nothing new is taken");
  writeFileSync(pool.path("go"), "");
  await pool.until("the new one works", async () => (await pool.task(next)).status === "succeeded");
  const first = await pool.task(id);
  assert.deepEqual([first.status, first.attempts.length], ["succeeded", 1]);
  assert.notEqual(inodeOf(supervisor.pid), before, "the supervisor is the new one, too");
  const [worker] = childrenOf(supervisor.pid);
  assert.notEqual(worker, old);
  assert.equal(inodeOf(worker!), inodeOf(supervisor.pid));
  supervisor.kill("SIGTERM");
  assert.equal(await supervisor.ended, 143);
});

test("a daemon of a new life finds its workers at work, and nothing is done twice", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  const daemon = await pool.daemon();
  const worker = pool.worker();
  const id = (await pool.run("task", "submit", "please wait")).stdout.trim();
  await pool.until("it runs", () => existsSync(pool.path("begun")));
  daemon.child.kill("SIGTERM");
  await daemon.ended;
  await pool.daemon();
  writeFileSync(pool.path("go"), "");
  await pool.until("it is done", async () => (await pool.task(id)).status === "succeeded");
  assert.equal((await pool.task(id)).attempts.length, 1);
  assert.doesNotMatch(worker.output(), /RESTARTING/);
});

test("D.11.19: a crash is told from an orderly end, with more patience each time", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  await pool.daemon();
  const supervisor = workerOf(pool, t, HERD);
  await pool.until("it is ready", () => /READY/.test(supervisor.output()));
  for (const wait of [1, 2]) {
    const [pid] = childrenOf(supervisor.pid);
    process.kill(pid!, "SIGKILL");
    await pool.until(
      `it is started again after ${wait} s`,
      () =>
        new RegExp(`RESTARTING: .*by SIGKILL; it starts again in ${wait} s`).test(
          supervisor.output(),
        ),
    );
    await pool.until("it is there", () => (childrenOf(supervisor.pid)[0] ?? pid) !== pid);
    await pool.until("it is ready", () => supervisor.output().trimEnd().endsWith("READY"));
  }
  await pool.run("pool", "remove", "worker-1");
  assert.equal(await supervisor.ended, 2, "one that is not wanted is not started again");
  assert.match(supervisor.output(), /not wanted any more/);
});

test("a worker whose supervisor is gone finishes what it has and makes room", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  await pool.daemon();
  const supervisor = workerOf(pool, t, HERD);
  const id = (await pool.run("task", "submit", "please wait")).stdout.trim();
  await pool.until("it runs", () => existsSync(pool.path("begun")));
  const [worker] = childrenOf(supervisor.pid);
  supervisor.kill("SIGKILL");
  await supervisor.ended;
  await pool.until("it leaves", () => /supervisor is gone/.test(supervisor.output()));
  writeFileSync(pool.path("go"), "");
  await pool.until("it is done", async () => (await pool.task(id)).status === "succeeded");
  await pool.until("it has ended", () => !existsSync(`/proc/${worker}`));
  assert.equal((await pool.task(id)).attempts.length, 1);
  assert.ok(readdirSync(pool.path()).includes("go"));
});
