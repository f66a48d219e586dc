import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../lib/sweep/event.ts";
import { eventsOf, makeHome, startMonitor, untilTrue } from "./daemon.ts";
import type { RunningMonitor } from "./daemon.ts";
import { herd, makeSweep, statusOf } from "./herd.ts";
import { seeded } from "./kill-campaign.ts";
import { startModelServer } from "./model-server.ts";

export interface KilledRunCase {
  seed: number;
  /** The most that it is killed; the sweep may be over before. */
  kills: number;
  scheduler?: "local" | "slurm";
  partition?: string;
}

/** What happened to one sweep whose daemon was killed again and again. */
export interface KilledRun {
  kills: number;
  /** How many of the kills were at which kind of moment. */
  moments: Record<Moment["kind"], number>;
  /** Messages that were sent, each until it was accepted. */
  messages: number;
  /** How often a message was sent that had been heard: again on purpose, or as a kill ate the answer. */
  heardBefore: number;
  /** Looks at the budget that were held against the journal. */
  budgets: number;
  modelCalls: number;
}

/** When a life of the daemon ends. */
type Moment =
  | { kind: "time"; ms: number }
  /** As soon as it has written so many events. */
  | { kind: "events"; count: number }
  /** At a point of lib/daemon/fault.ts, if it comes by there. */
  | { kind: "point"; point: string };

const POINTS = [
  "before-files",
  "before-intent",
  "after-intent",
  "after-submit",
  "after-record",
  "bump-intended",
  "bump-edited",
  "voided",
] as const;

/** The last trial waits for the file "go": before, there is somebody to send messages to. */
const LAUNCHER = `#!/bin/bash
id=$HYPERHERD_TRIAL_ID
echo "start $id $HERD_ATTEMPT $EPOCHREALTIME" >> ledger.txt
stream=.hyperherd/results/$id/stream
mkdir -p "$stream"
printf '{"step": 1, "value": 0.5, "ts": %s}\\n' "$EPOCHREALTIME" >> "$stream/loss.jsonl"
end() { echo "end $id $HERD_ATTEMPT $EPOCHREALTIME" >> ledger.txt; exit "$1"; }
sleep "0.$((RANDOM % 9 + 1))"
if [ "$HERD_ATTEMPT" = 1 ]; then
  case "$id" in
    2) printf 'Traceback (most recent call last):\\n  File "t.py", line 3, in main\\nValueError: bad start\\n' >&2; end 1 ;;
    4) printf 'Traceback (most recent call last):\\n  File "t.py", line 9, in load\\nMemoryError\\n' >&2; end 1 ;;
  esac
fi
if [ "$id" = 7 ]; then for ((i = 0; i < 1200; i++)); do [ -e go ] && end 0; sleep 0.1; done; end 3; fi
end 0
`;

const ATTEMPTS = ["0 1", "1 1", "2 1", "2 2", "3 1", "4 1", "4 2", "5 1", "6 1", "7 1"];

function yaml({ scheduler = "local", partition = "none", seed }: KilledRunCase): string {
  return `name: killed-${seed}
launcher: ./launch.sh
scheduler: ${scheduler}
local: {slots: 3}
slurm: {partition: ${partition}, time: 5, mem: 8M}   # memory is raised once
remediation: {mode: remediate}
monitor: {objective: minimize loss, metric_source: results-json}
grid: all
parameters:
  x: {type: discrete, values: [0, 1, 2, 3, 4, 5, 6, 7]}
`;
}

type Sweep = ReturnType<typeof makeSweep>;

interface Scene {
  one: KilledRunCase;
  sweep: Sweep;
  env: Record<string, string>;
  random: () => number;
  run: KilledRun;
  usd: number[];
}

/**
 * Runs a sweep of eight trials to its end while its daemon is killed (SIGKILL) at
 * moments that the seed chooses, with three messages sent meanwhile, and fails
 * where anything was lost, done twice or forgotten.
 */
export async function killedRun(one: KilledRunCase): Promise<KilledRun> {
  const model = await startModelServer([{
    reply: { text: "Noted.", usage: { input: 20_000, output: 500 } },
    times: Infinity,
  }]);
  const home = makeHome({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-test" });
  const sweep = makeSweep({ yaml: yaml(one), launcher: LAUNCHER }, "herd-killed-");
  const run: KilledRun = {
    kills: 0,
    moments: { time: 0, events: 0, point: 0 },
    messages: 0,
    heardBefore: 0,
    budgets: 0,
    modelCalls: 0,
  };
  const scene = { one, sweep, env: home.env, random: seeded(one.seed), run, usd: [] };
  const over = new AbortController();
  const talking = talk(scene, over.signal);
  try {
    await Promise.race([live(scene), talking.then(() => new Promise<never>(() => {}))]);
    over.abort();
    await talking;
    run.modelCalls = model.requests().length;
    await check(scene);
    await checkNothingLeft(scene);
    return run;
  } catch (error) {
    const told = eventsOf(sweep.path).map(({ seq, what }) => `${seq} ${JSON.stringify(what)}`);
    throw new Error(`${JSON.stringify(one)}: ${(error as Error).message}\n${told.join("\n")}`, {
      cause: error,
    });
  } finally {
    over.abort();
    await talking.catch(() => {});
    await herd(["stop", sweep.path, "--all"], { env: home.env });
    await model.close();
    sweep.remove();
    home.remove();
  }
}

/** One life of the daemon after the other, until one comes to its end. */
async function live({ one, sweep, env, random, run }: Scene): Promise<void> {
  for (;;) {
    const isLast = run.kills >= one.kills;
    const moment = isLast ? undefined : momentOf(random);
    const fault = moment?.kind === "point"
      ? { HERD_TEST_HOOKS: "1", HERD_FAULT: moment.point }
      : {};
    const monitor = startMonitor([sweep.path], { ...env, ...fault });
    try {
      const kind = moment === undefined ? undefined : await strike(monitor, moment, sweep.path);
      const { code, signal, output } = await endOf(monitor);
      if (signal !== "SIGKILL") {
        assert.equal(code, 0, `a life that nobody ended: ${output}`);
        return;
      }
      run.kills++;
      run.moments[kind!]++;
    } finally {
      if (isAlive(monitor)) monitor.kill("SIGKILL");
    }
    // In every other case trials end while nobody watches.
    if (random() < 0.5) await pause(random() * 1_500);
  }
}

function momentOf(random: () => number): Moment {
  const [kind, where] = [random(), random()];
  if (kind < 0.4) return { kind: "time", ms: 100 + where * 2_400 };
  if (kind < 0.75) return { kind: "events", count: 1 + Math.floor(where * 12) };
  return { kind: "point", point: POINTS[Math.floor(where * POINTS.length)]! };
}

/** Kills it at the moment, or at some time where that does not come; says which it was. */
async function strike(
  monitor: RunningMonitor,
  moment: Moment,
  workspace: string,
): Promise<Moment["kind"]> {
  const begin = lineCount(workspace);
  const until = Date.now() + (moment.kind === "time" ? moment.ms : 4_000);
  while (Date.now() < until) {
    if (!isAlive(monitor)) return moment.kind;
    if (moment.kind === "events" && lineCount(workspace) >= begin + moment.count) {
      monitor.kill("SIGKILL");
      return "events";
    }
    await pause(moment.kind === "events" ? 2 : 10);
  }
  if (isAlive(monitor)) monitor.kill("SIGKILL");
  return "time";
}

export function isAlive({ child }: RunningMonitor): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function endOf(monitor: RunningMonitor): Promise<Awaited<RunningMonitor["ended"]>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it does not come to its end:\n${monitor.output()}`)),
      240_000,
    );
  });
  try {
    return await Promise.race([monitor.ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

function lineCount(workspace: string): number {
  const path = join(workspace, ".hyperherd/journal.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length : 0;
}

const MESSAGES = [
  { id: "m1", text: "what do you make of the first losses?" },
  { id: "m2", text: "status" },
  { id: "m3", text: "and what do you make of the later ones?" },
];

/** Sends each message until it is accepted, some again; then the last trial may end. */
async function talk(scene: Scene, signal: AbortSignal): Promise<void> {
  const { sweep, run } = scene;
  // The moments of talking are its own, so that those of the kills stay the same for a seed.
  const random = seeded(scene.one.seed ^ 0x5eed);
  for (const message of MESSAGES) {
    await pause(random() * 2_000);
    let sent = false;
    for (let times = random() < 0.5 ? 2 : 1; times > 0 && !signal.aborted;) {
      const heard = await send(scene, message);
      if (heard === undefined) {
        await pause(100);
        continue;
      }
      // What a killed daemon had stored before it could say so has been heard as well.
      if (sent) assert.equal(heard, false, `${message.id} was heard twice`);
      if (!heard) run.heardBefore++;
      sent = true;
      times--;
    }
    if (signal.aborted) return;
    run.messages++;
    await lookAtBudget(scene);
  }
  writeFileSync(join(sweep.path, "go"), "");
}

async function send(
  { one, env }: Scene,
  message: { id: string; text: string },
): Promise<boolean | undefined> {
  const path = `/v1/sweeps/killed-${one.seed}/messages`;
  const said = await herd(["api", path, "-X", "POST", "-d", JSON.stringify(message)], { env });
  return said.code === 0 ? (JSON.parse(said.stdout) as { heard: boolean }).heard : undefined;
}

/** What the daemon counts is what the journal says, whatever number of lives wrote it. */
async function lookAtBudget({ one, sweep, env, run, usd }: Scene): Promise<void> {
  const least = spentOn(sweep.path);
  const said = await herd(["api", `/v1/sweeps/killed-${one.seed}/budget`], { env });
  if (said.code !== 0) return;
  const found = (JSON.parse(said.stdout) as { spent: { usd: number } }).spent.usd;
  const most = spentOn(sweep.path);
  assert.ok(found >= least - 1e-9 && found <= most + 1e-9, `${least} <= ${found} <= ${most}`);
  assert.ok(found >= (usd.at(-1) ?? 0), "cost never falls");
  usd.push(found);
  run.budgets++;
}

function spentOn(workspace: string): number {
  return eventsOf(workspace).reduce(
    (sum, { what }) => what.type === "model-used" ? sum + (what.use.usd ?? 0) : sum,
    0,
  );
}

async function check(scene: Scene): Promise<void> {
  const { sweep, env } = scene;
  const { trials } = await statusOf(sweep.path, env);
  assert.deepEqual(trials.map(({ status }) => status), Array(8).fill("completed"));
  checkLedger(sweep);
  const events = eventsOf(sweep.path);
  checkBump(sweep, events);
  checkMessages(events);
  checkPosts(events);
  checkProgress(events);
  checkCost(events);
}

function checkLedger(sweep: Sweep): void {
  const ledger = sweep.read("ledger.txt").trim().split("\n").map((line) => line.split(" "));
  const starts = ledger.flatMap(([word, trial, attempt]) =>
    word === "start" ? [`${trial} ${attempt}`] : []
  );
  assert.deepEqual([...starts].sort(), ATTEMPTS, "each attempt ran once, and none too many");
  for (const trial of ["2", "4"]) {
    const at = (word: string, attempt: string) =>
      Number(ledger.find((one) => one[0] === word && one[1] === trial && one[2] === attempt)![3]);
    assert.ok(at("end", "1") <= at("start", "2"), `attempts of trial ${trial} overlap`);
  }
}

function checkBump(sweep: Sweep, events: readonly Event[]): void {
  const bumps = events.flatMap(({ what }) => what.type === "bumped" ? [what.bump] : []);
  assert.deepEqual(bumps.map(({ from, to }) => [from, to]), [[8, 12]], "one bump");
  const applied = events.filter(({ what }) => what.type === "bump-applied");
  assert.equal(applied.length, 1, "and applied once");
  assert.match(sweep.read("hyperherd.yaml"), /time: 5, mem: 12M\} {3}# memory is raised once\n/);
  const decisions = events.flatMap(({ what }) =>
    what.type === "triaged" ? what.verdicts.map((one) => `${one.trial} ${one.decision}`) : []
  );
  assert.deepEqual(decisions.sort(), ["2 retry", "4 bump"], "each failure is judged once");
}

function checkMessages(events: readonly Event[]): void {
  for (const { id } of MESSAGES) {
    const heard = events.filter(({ what }) =>
      what.type === "message-received" && what.message.id === id
    );
    assert.equal(heard.length, 1, `${id} is heard once`);
    const handled = events.filter(({ what }) =>
      what.type === "messages-handled" && what.ids.includes(id)
    );
    assert.equal(handled.length, 1, `${id} is handled once`);
    // Two that waited together are answered together, in the name of the later.
    const what = handled[0]!.what;
    const last = what.type === "messages-handled" ? what.ids.at(-1) : "";
    const answers = events.filter(({ what }) =>
      what.type === "said" && what.said.replyTo === last && what.said.key === `reply/${last}`
    );
    assert.equal(answers.length, 1, `${id} is answered once`);
    assert.ok(answers[0]!.seq < handled[0]!.seq && answers[0]!.at === handled[0]!.at, "in one");
  }
}

function checkPosts(events: readonly Event[]): void {
  const posts = events.flatMap(({ what }) => what.type === "said" ? [what.said] : []);
  const keys = posts.map(({ key }) => key);
  assert.deepEqual(keys.filter((key, i) => keys.indexOf(key) !== i), [], "nothing is said twice");
  // Only what was posted as news counts as told: also what happened while no daemon lived.
  const told = (kind: string, status: string) =>
    posts.filter((post) => post.kind === kind)
      .flatMap(({ trials = [] }) => trials.filter((one) => one[1] === status).map(([i]) => i))
      .sort((a, b) => a - b);
  assert.deepEqual(told("completed", "completed"), [0, 1, 2, 3, 4, 5, 6, 7], "every end is told");
  assert.deepEqual(told("warning", "failed"), [2, 4], "every failure is told");
  const once = (text: RegExp) =>
    assert.equal(posts.filter((post) => text.test(post.text)).length, 1, `once: ${text}`);
  once(/bumped slurm\.mem 8M→12M after 1 OUT_OF_MEMORY \(idx 4\)/);
  once(/resubmitting trial 2 once after/);
}

function checkProgress(events: readonly Event[]): void {
  const ticks = events.flatMap(({ what }) => what.type === "ticked" ? [what.tick.number] : []);
  assert.deepEqual(ticks, ticks.map((_, i) => i + 1), "ticks go on counting");
  const phases = events.flatMap(({ what }) => what.type === "phase-entered" ? [what.phase] : []);
  // Killed between its last event and its exit, it looks back when it is started again.
  if (phases.at(-1) === "post-mortem") phases.pop();
  assert.deepEqual(phases.filter((phase) => phase !== "interviewing"), [
    "canary",
    "stage",
    "live",
    "done",
  ]);
  assert.ok(!phases.slice(1).includes("interviewing"), "phases only go forward");
}

function checkCost(events: readonly Event[]): void {
  const uses = events.flatMap(({ what }) => what.type === "model-used" ? [what.use] : []);
  assert.equal(new Set(uses.map(({ id }) => id)).size, uses.length, "no call is counted twice");
  const report = uses.filter(({ purpose }) => purpose === "report").length;
  assert.ok(report >= 1, "the report is asked for");
  const sum = uses.reduce((all, { usd }) => all + usd!, 0);
  assert.ok(sum > 0.01);
  const stopped = events.findLast(({ what }) =>
    what.type === "said" && what.said.kind === "stopped"
  );
  const text = stopped?.what.type === "said" ? stopped.what.said.text : "";
  const [, usd = ""] = /\$([\d.]+) spent/.exec(text) ?? [];
  assert.ok(Math.abs(Number(usd) - sum) <= 0.005 + 1e-9, `${text}: ${sum}`);
}

/** Leases are given back, and whatever was started for this sweep ends by itself. */
async function checkNothingLeft({ sweep, env }: Scene): Promise<void> {
  for (const lease of ["lease", "monitor-lease"]) {
    const dir = join(sweep.path, ".hyperherd", lease);
    const last = readdirSync(dir).map((name) => Number(/^lease\.(\d+)$/.exec(name)?.[1] ?? 0))
      .sort((a, b) => a - b).at(-1);
    const text = readFileSync(join(dir, `lease.${last}`), "utf8");
    assert.ok(text === "" || JSON.parse(text).released === true, `${lease} is held: ${text}`);
  }
  const again = await herd(["monitor", sweep.path, "--once"], { env });
  assert.equal(again.code, 0, `a look at the ended sweep: ${again.stdout}${again.stderr}`);
  checkLedger(sweep);
  await untilTrue(
    "no process of the sweep is left",
    () => processesOf(sweep.path).length === 0,
    () => processesOf(sweep.path).join("\n"),
  );
}

/** Command lines that name the folder, which no other test's do. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return line.includes(folder) ? [`${pid} ${line}`] : [];
    } catch {
      return [];
    }
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
