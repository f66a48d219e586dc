import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { seeded } from "./kill-campaign.ts";
import type { LivePool, LiveProcess } from "./live-pool.ts";

/** A pool whose programs leave a mark of each run, so that doubled work is seen. */
export const KILL_YAML = `pool:
  defaults: {model: echo, sandbox: none}
  limits: {attempts: 100}
  backends:
    echo: {kind: command, command: [FOLDER/echo.sh], input: stdin, result: stdout}
  models:
    echo: {backend: echo}
`;

export const KILL_PROGRAMS = {
  "echo.sh": `#!/bin/bash
text=$(cat)
echo "$HERD_TASK" >> "$(dirname "$0")/runs"
case "$text" in *slow*) sleep 2 ;; esac
printf '%s' "did: $text"
`,
};

const TARGETS = ["daemon", "supervisor", "worker", "agent"] as const;
type Target = (typeof TARGETS)[number];

export interface KillWish {
  /** Moments at which something is struck. */
  moments: number;
  seed: number;
  /** Longest time that something is frozen by SIGSTOP. Milliseconds. */
  longestFreezeMs: number;
  /** For all tasks to be over after the last moment. Milliseconds. */
  patienceMs: number;
}

export interface KillCounts {
  tasks: number;
  attempts: number;
  /** By what was struck and how, such as `daemon killed`. */
  struck: Record<string, number>;
  /** Moments at which there was nothing of that kind to strike. */
  missed: number;
}

/**
 * Strikes daemon, supervisor, worker and agent with SIGKILL or SIGSTOP and SIGCONT at random moments
 * while tasks flow, and then looks: each task ended once, with one result, and no agent is left.
 */
export async function poolKillCampaign(pool: LivePool, wish: KillWish): Promise<KillCounts> {
  const next = seeded(wish.seed);
  const random = (n: number) => Math.floor(next() * n);
  const counts: KillCounts = { tasks: 0, attempts: 0, struck: {}, missed: 0 };
  const thaws: Promise<void>[] = [];
  const ids: string[] = [];
  let daemon = await pool.daemon();
  let worker = pool.worker("--slots", "3");

  async function submit(i: number, target: Target): Promise<void> {
    const text = `work ${i}${i % 3 === 0 || target === "agent" ? " slow" : ""}`;
    // The key makes it one task, also when the daemon died before it could answer.
    await pool.until("it is taken in", async () => {
      const said = await pool.run("task", "submit", text, "--key", `k${i}`);
      const id = said.stdout.trim().split(/\s/)[0];
      if (said.code === 0 && id) ids.push(id);
      return said.code === 0;
    });
  }

  /** A daemon that was killed is started again; so is a supervisor, when its worker is gone. */
  async function mend(): Promise<void> {
    if (isOver(daemon)) daemon = await pool.daemon();
    if (!isOver(worker)) return;
    await pool.until(
      "the worker without a supervisor ends",
      () => find(pool, "worker").length === 0,
    );
    worker = pool.worker("--slots", "3");
  }

  /** For a while: with a worker that waits before it starts again there is none. */
  async function someAgent(): Promise<void> {
    const until = Date.now() + 5_000;
    while (find(pool, "agent").length === 0 && Date.now() < until) {
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async function strike(target: Target): Promise<void> {
    if (target === "agent") await someAgent();
    const pids = find(pool, target);
    const how = random(3) === 0 ? "frozen" : "killed";
    if (pids.length === 0) return void counts.missed++;
    const name = `${target} ${how}`;
    counts.struck[name] = (counts.struck[name] ?? 0) + 1;
    if (how === "killed") {
      for (const pid of pids) signal(pid, "SIGKILL");
      if (target === "daemon") await daemon.ended;
      if (target === "supervisor") await worker.ended;
      // Now and then both at once, as an out-of-memory killer or a user would.
      if (target === "supervisor" && random(2) === 0) {
        for (const pid of find(pool, "worker")) signal(pid, "SIGKILL");
      }
      return;
    }
    const frozen = pids.filter((pid) => signal(pid, "SIGSTOP"));
    const ms = 300 + random(wish.longestFreezeMs);
    // A frozen daemon answers nobody, so the campaign waits for it; the rest thaws meanwhile.
    const thawed = new Promise((done) => setTimeout(done, ms)).then(() => {
      for (const pid of frozen) signal(pid, "SIGCONT");
    });
    if (target === "daemon") await thawed;
    else thaws.push(thawed);
  }

  for (let i = 0; i < wish.moments; i++) {
    const target = TARGETS[random(TARGETS.length)]!;
    await submit(i, target);
    await new Promise((done) => setTimeout(done, random(600)));
    await strike(target);
    await mend();
  }
  await Promise.all(thaws);
  await mend();
  await pool.until("all are over", async () => {
    await mend();
    const tasks = (await pool.tasks().catch(() => undefined)) ?? [];
    return tasks.length === ids.length && tasks.every(({ status }) => status === "succeeded");
  }, wish.patienceMs);
  await pool.until("no agent is left", () => find(pool, "agent").length === 0, 20_000);
  counts.tasks = ids.length;
  counts.attempts = judge(pool, ids);
  return counts;
}

/** Asserts what the journal and the programs' own marks say; answers the number of attempts begun. */
function judge(pool: LivePool, ids: readonly string[]): number {
  const ends = new Map<string, number>();
  const words = new Map<string, number>();
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const { what } of pool.events()) {
    if (what.type === "task-ended") count(ends, what.task);
    if (what.type === "attempt-ended" && what.report.end === "done") count(words, what.task);
  }
  assert.equal(new Set(ids).size, ids.length, "each submission is a task of its own");
  assert.deepEqual([...ends.keys()].sort(), [...ids].sort(), "every task ended");
  assert.deepEqual([...ends].filter(([, times]) => times !== 1), [], "each ends once");
  assert.deepEqual([...words].filter(([, times]) => times !== 1), [], "each has one result");
  const runs = readFileSync(pool.path("runs"), "utf8").trim().split("\n");
  assert.equal(new Set(runs).size, runs.length, "no attempt is begun twice");
  return runs.length;
}

export function countsText({ tasks, attempts, struck, missed }: KillCounts): string {
  const parts = Object.entries(struck).sort().map(([name, times]) => `${times} ${name}`);
  return `${tasks} tasks, ${attempts} attempts begun; ${parts.join(", ")}; ${missed} missed`;
}

function isOver({ child }: LiveProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Only processes of this pool: its home is in their environment. */
function find(pool: LivePool, target: Target): number[] {
  const mark = `XDG_STATE_HOME=${pool.home.env["XDG_STATE_HOME"]}`;
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark)) return false;
      return isA(target, readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"));
    } catch {
      return false;
    }
  });
}

function isA(target: Target, words: readonly string[]): boolean {
  switch (target) {
    case "daemon":
      return words[1] === "pool" && words[2] === "start";
    case "supervisor":
      return words[1] === "worker" && !words.includes("--alone");
    case "worker":
      return words[1] === "worker" && words.includes("--alone");
    case "agent":
      return words[1] === "attempt" || words.some((one) => one.endsWith("/echo.sh"));
  }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
