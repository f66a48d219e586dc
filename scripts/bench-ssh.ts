/**
 * What a look at SLURM behind ssh costs, counted on the wire, with 1,000 trials; and how much later
 * than on the login node a change is heard of.
 */
import { createSystemClock } from "../lib/base/clock.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { openOutside } from "../lib/daemon/open-outside.ts";
import { startMonitor } from "../tests/support/daemon.ts";
import { openReachScene, type ReachScene } from "../tests/support/reach-scene.ts";
import { createSshHost } from "../lib/ssh/create-ssh-host.ts";
import { PARTITION, withoutSlurm } from "../tests/support/slurm.ts";
import { withoutSshd } from "../tests/support/sshd.ts";
import { delaysOf, RUNNING } from "./bench-monitor.ts";
import { makeFakeSlurm } from "./fake-slurm.ts";

const TRIALS = 1000;
const LOOKS = 10;

function line(what: string, text: string): void {
  console.log(`${what.padEnd(44)} ${text}`);
}

/** Looks at 1,000 running trials: nothing new, signs of life, and each with new values and logs. */
export async function benchSshLooks(): Promise<void> {
  if (withoutSshd !== false) return line("a look over ssh", withoutSshd);
  await using scene = await openReachScene();
  const bin = `${scene.there}/bin`;
  await makeFakeSlurm(bin);
  await Deno.writeTextFile(`${bin}/squeue`, RUNNING, { mode: 0o755 });
  await Deno.writeTextFile(`${bin}/jobs`, "");
  await Deno.writeTextFile(`${scene.there}/.profile`, 'PATH="$HOME/bin:$PATH"\n');
  const { outside, close } = await submitAll(scene);
  try {
    const state = `${scene.there}/herd/looks/.hyperherd`;
    const records = await pretendRunning(state, outside);
    await show(scene, `the first look, ${TRIALS} trials`, outside, () => {}, 1);
    // What was written lately is listed again for two minutes.
    await new Promise((next) => setTimeout(next, 125_000));
    await show(scene, "a look, nothing new", outside, () => {});
    await show(scene, "a look, all show that they live", outside, () => records.forEach(touch));
    await show(scene, "a look, all wrote values and logs", outside, () => writeAll(state));
  } finally {
    await close();
  }
}

async function submitAll(
  { here, ssh, proxy }: ReachScene,
): Promise<{ outside: Outside; close(): Promise<void> }> {
  const root = `${here.env["HOME"]}/looks`;
  await Deno.mkdir(root);
  const values = Array.from({ length: TRIALS }, (_, i) => i).join(", ");
  await Deno.writeTextFile(
    `${root}/hyperherd.yaml`,
    `name: looks
launcher: launch.sh
slurm: {host: login, partition: cpu, time: UNLIMITED, mem: 1G}
grid: all
parameters:
  x: {type: discrete, values: [${values}]}
`,
  );
  await Deno.writeTextFile(`${root}/launch.sh`, "#!/bin/bash\ntrue\n", { mode: 0o755 });
  const clock = createSystemClock();
  const env = here.env;
  const host = createSshHost("login", {
    ...{ env, clock, home: env["HOME"]!, user: Deno.env.get("USER") || "root" },
    log: { write: () => {}, path: undefined },
    configFiles: [ssh("config")],
  });
  const outside = openOutside({
    ...{ workspace: root, env, clock, self: ["herd"], reach: () => host },
    signal: new AbortController().signal,
    onWarning: (message) => console.log(message),
  });
  const before = { ...proxy };
  const request = {
    ...{ indices: undefined, pins: [], force: false, skip: false, changed: undefined },
  };
  const started = performance.now();
  await outside.change("run", (perform) =>
    perform({
      ...{ verb: "run", request, scheduler: "slurm", maxConcurrent: undefined } as const,
      ...outside.sweep(),
    }));
  line(`submitting ${TRIALS} trials over ssh`, costText(proxy, before, started));
  return {
    outside,
    async close() {
      await outside.close();
      await host.close();
    },
  };
}

/** What the jobs' scripts would have written by now; gives the records. */
async function pretendRunning(state: string, outside: Outside): Promise<string[]> {
  const now = (Date.now() / 1000).toFixed(3);
  const attempts = [...outside.state().attempts.values()];
  const records = attempts.map(({ submission, task }) =>
    `${state}/events/${submission}/${task}.tsv`
  );
  for (const record of records) {
    await Deno.writeTextFile(record, `${now}\t1\t0\tstart\thost=n1\tpid=1\n`);
  }
  writeAll(state);
  return records;
}

function touch(record: string): void {
  const now = new Date();
  Deno.utimeSync(record, now, now);
}

function writeAll(state: string): void {
  for (let trial = 0; trial < TRIALS; trial++) {
    Deno.mkdirSync(`${state}/results/${trial}/stream`, { recursive: true });
    const value = `{"step": 1, "value": ${Math.random()}, "ts": ${Date.now() / 1000}}\n`;
    Deno.writeTextFileSync(`${state}/results/${trial}/stream/loss.jsonl`, value, { append: true });
    const text = `step 1: loss ${Math.random()}, on the way to the next one\n`.repeat(5);
    Deno.writeTextFileSync(`${state}/logs/${trial}.out`, text, { append: true });
  }
}

async function show(
  { proxy }: ReachScene,
  what: string,
  outside: Outside,
  prepare: () => void,
  times = LOOKS,
): Promise<void> {
  const costs: Cost[] = [];
  for (let i = 0; i < times; i++) {
    prepare();
    const before = { ...proxy };
    const started = performance.now();
    await outside.look();
    costs.push(costOf(proxy, before, started));
  }
  const middle = (of: (cost: Cost) => number) =>
    costs.map(of).sort((a, b) => a - b)[Math.floor(times / 2)]!;
  line(
    what,
    textOf({
      turns: middle(({ turns }) => turns),
      sent: middle(({ sent }) => sent),
      received: middle(({ received }) => received),
      ms: middle(({ ms }) => ms),
    }),
  );
}

type Wire = { turns: number; sent: number; received: number };
type Cost = Wire & { ms: number };

function costOf(now: Wire, before: Wire, started: number): Cost {
  return {
    turns: now.turns - before.turns,
    sent: now.sent - before.sent,
    received: now.received - before.received,
    ms: performance.now() - started,
  };
}

const costText = (now: Wire, before: Wire, started: number) => textOf(costOf(now, before, started));

function textOf({ turns, sent, received, ms }: Cost): string {
  const kib = (bytes: number) => (bytes / 1024).toFixed(1);
  return `${turns} round trips, ${kib(sent)} KiB there, ${kib(received)} KiB back, ${
    ms.toFixed(0)
  } ms`;
}

const LAUNCHER = '#!/bin/bash\nsleep 1.$((RANDOM % 9))\ncase "$1" in *do=f*) exit 3 ;; esac\n';

/** The same sweep here and over ssh, at the same time on the same SLURM. */
export async function benchSshLatency(): Promise<void> {
  const why = withoutSshd || withoutSlurm;
  if (why !== false) return line("a change over ssh to the word about it", why);
  await using scene = await openReachScene();
  const [near, far] = await Promise.all(
    ["", "host: login, "].map(async (place, i) => {
      const root = `${scene.here.env["HOME"]}/${i === 0 ? "near" : "far"}`;
      await makeChanging(root, place);
      const env = { ...scene.here.env, XDG_RUNTIME_DIR: root, XDG_STATE_HOME: `${root}/state` };
      await startMonitor([root, "--no-agent"], env).ended;
      return await delaysOf(root);
    }),
  );
  const at = (share: number, list: number[]) => list[Math.floor(list.length * share)] ?? NaN;
  const shown = (list: number[]) =>
    `median ${at(0.5, list)} ms, 95th percentile ${at(0.95, list)} ms over ${list.length}`;
  line("a change to the word about it, SLURM here", shown(near!));
  line("the same run, SLURM behind ssh", shown(far!));
  line("", `${(at(0.5, far!) / at(0.5, near!)).toFixed(1)} times as long in the median`);
}

async function makeChanging(root: string, place: string): Promise<void> {
  await Deno.mkdir(root, { mode: 0o700 });
  const values = Array.from({ length: 26 }, (_, i) => `${i % 4 === 3 ? "f" : "v"}${i}`);
  await Deno.writeTextFile(
    `${root}/hyperherd.yaml`,
    `name: latency
scheduler: slurm
launcher: launch.sh
slurm: {${place}partition: ${PARTITION}, time: 5, mem: 20M, max_concurrent: 3}
monitor: {rollout: [rest], objective: none, interview: false}
remediation: {mode: notify}
grid: all
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
`,
  );
  await Deno.writeTextFile(`${root}/launch.sh`, LAUNCHER, { mode: 0o755 });
}

if (import.meta.main) {
  await benchSshLooks();
  if (!Deno.args.includes("looks")) await benchSshLatency();
}
