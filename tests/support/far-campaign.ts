import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { eventsOf, type RunningMonitor, startMonitor } from "./daemon.ts";
import { type FarScene, jobsNamed, openFarScene, writtenBelow } from "./far-scene.ts";
import { herd, statusOf } from "./herd.ts";
import { seeded } from "./kill-campaign.ts";
import { isAlive } from "./monitor-campaign.ts";
import { PARTITION, slurm } from "./slurm.ts";

export interface FarCase {
  seed: number;
  /** How often the laptop's process is killed, and the connection troubled, at the most. */
  kills: number;
  cuts: number;
}

/** What one sweep went through. */
export interface FarRun {
  kills: Record<string, number>;
  cuts: Record<string, number>;
  /** Arrays that were submitted, and those that herd could not know of at first. */
  submissions: number;
  adopted: number;
  neverArrived: number;
  files: number;
}

const TRIALS = 12;

/** A log that grows, values, and a result that is put in its place again and again. */
const LAUNCHER = `#!/bin/bash
id=$HYPERHERD_TRIAL_ID
echo "$id $HERD_ATTEMPT" >> ledger.txt
results=.hyperherd/results/$id
mkdir -p "$results/stream"
for step in 1 2 3 4 5 6 7 8; do
  echo "step $step of trial $id: $RANDOM $RANDOM $RANDOM"
  printf '{"step": %d, "value": 0.%d, "ts": %s}\\n' $step $RANDOM "$EPOCHREALTIME" >> "$results/stream/loss.jsonl"
  head -c $((RANDOM % 4000)) /dev/urandom | base64 > "$results/.next"
  mv "$results/.next" "$results/state.json"
  sleep "0.$((RANDOM % 4))"
done
`;

/** The moment in which sbatch is at work can be seen, and lasts a while. */
const SBATCH = `#!/bin/bash
touch "$HOME/sbatch-now"
sleep "0.$((RANDOM % 4))"
exec "$(type -aP sbatch | sed -n 2p)" "$@"
`;

function yaml(name: string): string {
  return `name: ${name}
launcher: ./launch.sh
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 10M, host: login}
sync: [src]
monitor: {objective: minimize loss, metric_source: results-json}
parameters:
  x: {type: discrete, values: [${[...Array(TRIALS).keys()]}]}
conditions:
  - {name: b, when: {x: [4, 5]}, slurm: {mem: 11M}}
  - {name: c, when: {x: [6, 7]}, slurm: {mem: 12M}}
  - {name: d, when: {x: [8, 9]}, slurm: {mem: 13M}}
  - {name: e, when: {x: [10, 11]}, slurm: {mem: 14M}}
`;
}

const POINTS = ["before-files", "before-intent", "after-intent", "after-submit", "after-record"];

type Moment =
  | { kind: "time"; ms: number }
  /** As soon as so many events more are in the journal. */
  | { kind: "event"; count: number }
  | { kind: "point"; point: string }
  /** While files are sent, sbatch runs, or what jobs wrote is fetched: so long after that began. */
  | { kind: "push" | "sbatch" | "pull"; ms: number };

/**
 * Runs a sweep on the real SLURM behind a real sshd to its end while the connection is troubled and
 * the laptop's process killed at moments that the seed chooses; fails where a job was submitted
 * twice, or anything that jobs wrote is not here as it is there.
 */
export async function troubledRun(one: FarCase): Promise<FarRun> {
  const name = `far-${one.seed}-${Date.now().toString(36)}`;
  await using scene = await openFarScene({
    ...{ name, yaml: yaml(name), launcher: LAUNCHER, programs: { sbatch: SBATCH } },
    ssh: ["ServerAliveInterval 1", "ServerAliveCountMax 2"],
  });
  for (let i = 0; i < 20; i++) scene.sweep.write(`src/part-${i}.py`, `# ${i}\n`.repeat(2_000));
  const run: FarRun = {
    ...{ kills: {}, cuts: {}, submissions: 0, adopted: 0, neverArrived: 0, files: 0 },
  };
  const over = new AbortController();
  const troubling = trouble(scene, one, run, over.signal);
  try {
    await live(scene, one, run);
    over.abort();
    await troubling;
    await check(scene, name, run);
    return run;
  } catch (error) {
    const told = eventsOf(scene.sweep.path).map(({ seq, what }) =>
      `${seq} ${JSON.stringify(what)}`
    );
    throw new Error(`${JSON.stringify(one)}: ${(error as Error).message}\n${told.join("\n")}`, {
      cause: error,
    });
  } finally {
    over.abort();
    await troubling;
    for (const id of jobsNamed(`hyperherd_${name}_`).keys()) await slurm(["scancel", id]);
  }
}

/** Cuts, or lets nothing through for a while; what was held then comes late or never. */
async function trouble(
  { proxy }: FarScene,
  { seed, cuts }: FarCase,
  run: FarRun,
  signal: AbortSignal,
): Promise<void> {
  const random = seeded(seed ^ 0xc07);
  for (let done = 0; done < cuts && !signal.aborted;) {
    await pause(100 + random() * 3_000, signal);
    if (proxy.open === 0 || signal.aborted) continue;
    const kind = random() < 0.7 ? "cut" : random() < 0.5 ? "late" : "swallowed";
    if (kind !== "cut") {
      proxy.freeze();
      await pause(300 + random() * 4_000, signal);
    }
    if (kind !== "late") proxy.cut();
    proxy.thaw();
    run.cuts[kind] = (run.cuts[kind] ?? 0) + 1;
    done++;
  }
}

/** One life of the daemon after the other, until one comes to its end. */
async function live(scene: FarScene, { seed, kills }: FarCase, run: FarRun): Promise<void> {
  const random = seeded(seed);
  for (let left = kills;; left--) {
    const moment = left > 0 ? momentOf(random) : undefined;
    const fault = moment?.kind === "point" ? { HERD_FAULT: moment.point } : {};
    const monitor = startMonitor([scene.sweep.path], { ...scene.here.env, ...fault });
    try {
      const kind = moment === undefined ? undefined : await strike(monitor, moment, scene);
      const { code, signal, output } = await endOf(monitor);
      if (signal !== "SIGKILL") {
        assert.equal(code, 0, `a life that nobody ended: ${output}`);
        return;
      }
      run.kills[kind!] = (run.kills[kind!] ?? 0) + 1;
    } finally {
      if (isAlive(monitor)) monitor.kill("SIGKILL");
    }
    if (random() < 0.3) await pause(random() * 1_500);
  }
}

function momentOf(random: () => number): Moment {
  const [which, where] = [random(), random()];
  if (which < 0.15) return { kind: "time", ms: 50 + where * 3_000 };
  if (which < 0.35) return { kind: "event", count: 1 + Math.floor(where * 8) };
  if (which < 0.5) return { kind: "point", point: POINTS[Math.floor(where * POINTS.length)]! };
  const kind = which < 0.7 ? "push" : which < 0.85 ? "sbatch" : "pull";
  return { kind, ms: where * (kind === "pull" ? 60 : 400) };
}

/** Kills it at the moment, or at some time where that does not come; says which it was. */
async function strike(
  monitor: RunningMonitor,
  moment: Moment,
  scene: FarScene,
): Promise<string> {
  const lines = linesOf(scene);
  const before = signOf(moment, scene);
  const until = Date.now() + (moment.kind === "time" ? moment.ms : 20_000);
  while (Date.now() < until) {
    if (!isAlive(monitor)) return moment.kind;
    const isNow = moment.kind === "event"
      ? linesOf(scene) >= lines + moment.count
      : "ms" in moment && moment.kind !== "time" && signOf(moment, scene) !== before;
    if (isNow) {
      if ("ms" in moment) await pause(moment.ms);
      if (isAlive(monitor)) monitor.kill("SIGKILL");
      return moment.kind;
    }
    await pause(3);
  }
  if (isAlive(monitor)) monitor.kill("SIGKILL");
  return "time";
}

/** Changes when what the moment is about begins. */
function signOf({ kind }: Moment, { sweep, home, there }: FarScene): string {
  if (kind === "push") {
    const intended = eventsOf(sweep.path).filter(({ what }) => what.type === "submission-intended");
    return `${intended.length}`;
  }
  const path = kind === "sbatch"
    ? join(home, "sbatch-now")
    : join(there, ".hyperherd/mirror-clock");
  return `${statSync(path, { throwIfNoEntry: false })?.mtimeMs}`;
}

function linesOf({ sweep }: FarScene): number {
  const path = join(sweep.path, ".hyperherd/journal.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length : 0;
}

async function endOf(monitor: RunningMonitor): Promise<Awaited<RunningMonitor["ended"]>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it does not come to its end:\n${monitor.output()}`)),
      180_000,
    );
  });
  try {
    return await Promise.race([monitor.ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function check({ sweep, here, there }: FarScene, name: string, run: FarRun): Promise<void> {
  const { trials } = await statusOf(sweep.path, here.env);
  assert.deepEqual(trials.map(({ status }) => status), Array(TRIALS).fill("completed"));
  const again = await herd(["monitor", sweep.path, "--once"], { env: here.env });
  assert.equal(again.code, 0, `a look at the ended sweep: ${again.stdout}${again.stderr}`);
  checkJobs(sweep.path, name, run);
  const ran = readFileSync(join(there, "ledger.txt"), "utf8").trim().split("\n");
  assert.deepEqual(
    ran.map((line) => Number(line.split(" ")[0])).sort((a, b) => a - b),
    [...Array(TRIALS).keys()],
    `each trial ran once: ${ran}`,
  );
  // What a job took away again may still be here.
  const [mine, theirs] = [writtenBelow(sweep.path), writtenBelow(there)];
  for (const [path, text] of Object.entries(theirs)) assert.equal(mine[path], text, path);
  run.files = Object.keys(theirs).length;
}

/** Each intent has one job at the most, by its name in accounting, and each job has its intent. */
function checkJobs(workspace: string, name: string, run: FarRun): void {
  const jobs = [...jobsNamed(`hyperherd_${name}_`).values()].sort();
  assert.deepEqual(jobs, [...new Set(jobs)], "no submission has two jobs");
  const events = eventsOf(workspace).map(({ what }) => what);
  const intended = events.flatMap((what) =>
    what.type === "submission-intended" ? [what.jobName] : []
  );
  for (const job of jobs) assert.ok(intended.includes(job), `${job} was meant`);
  run.submissions = jobs.length;
  run.adopted = events.filter((what) => what.type === "submission-accepted" && what.adopted).length;
  run.neverArrived =
    events.filter((what) => what.type === "submission-ended" && what.why === "never-arrived")
      .length;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** Sums of all runs in one line. */
export function sumOf(runs: readonly FarRun[]): string {
  const add = (of: (run: FarRun) => Record<string, number>) => {
    const sums: Record<string, number> = {};
    for (const run of runs) {
      for (const [kind, n] of Object.entries(of(run))) sums[kind] = (sums[kind] ?? 0) + n;
    }
    const all = Object.values(sums).reduce((a, b) => a + b, 0);
    return `${all} (${Object.entries(sums).map(([kind, n]) => `${n} ${kind}`).join(", ")})`;
  };
  const sum = (of: (run: FarRun) => number) => runs.reduce((all, run) => all + of(run), 0);
  return `${runs.length} sweeps, connection troubled ${add(({ cuts }) => cuts)}, process killed ${
    add(({ kills }) => kills)
  }, ${sum((run) => run.submissions)} submissions (${sum((run) => run.adopted)} adopted, ` +
    `${sum((run) => run.neverArrived)} never arrived), ${sum((run) => run.files)} files the same`;
}
