import assert from "node:assert/strict";
import { eventsOf, makeHome, postsOf, startMonitor } from "./daemon.ts";
import type { RunningMonitor } from "./daemon.ts";
import { herd, makeSweep, statusOf } from "./herd.ts";
import { startModelServer } from "./model-server.ts";

/** What happened to one sweep whose daemon was killed again and again. */
export interface KilledRun {
  kills: number;
  messages: number;
}

const LAUNCHER = `#!/bin/bash
echo "start $HYPERHERD_TRIAL_ID $HERD_ATTEMPT $EPOCHREALTIME" >> ledger.txt
stream=.hyperherd/results/$HYPERHERD_TRIAL_ID/stream
mkdir -p "$stream"
printf '{"step": 1, "value": 0.5, "ts": %s}\\n' "$EPOCHREALTIME" >> "$stream/loss.jsonl"
sleep 0.$((RANDOM % 8 + 1))
end() { echo "end $HYPERHERD_TRIAL_ID $HERD_ATTEMPT $EPOCHREALTIME" >> ledger.txt; exit "$1"; }
if [ "$HERD_ATTEMPT" = 1 ]; then
  case "$HYPERHERD_TRIAL_ID" in
    2) printf 'Traceback (most recent call last):\\n  File "t.py", line 3, in main\\nValueError: bad start\\n' >&2; end 1 ;;
    4) printf 'Traceback (most recent call last):\\n  File "t.py", line 9, in load\\nMemoryError\\n' >&2; end 1 ;;
  esac
fi
end 0
`;

const YAML = `name: killed
launcher: launch.sh
scheduler: local
local: {slots: 3}
slurm: {partition: x, time: 5, mem: 100M}   # memory is raised once
remediation: {mode: remediate}
monitor: {objective: minimize loss, metric_source: results-json}
grid: all
parameters:
  x: {type: discrete, values: [0, 1, 2, 3, 4, 5, 6, 7]}
`;

/** Numbers from 0 up to 1 that are the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * Runs a sweep of eight trials to its end while its daemon is killed (SIGKILL) up to
 * `kills` times at moments that the seed chooses, with three messages sent meanwhile,
 * and fails where anything was lost, done twice or forgotten.
 */
export async function killedRun(seed: number, kills: number): Promise<KilledRun> {
  const random = createRandom(seed);
  const model = await startModelServer([{ reply: { text: "Noted." }, times: Infinity }]);
  const home = makeHome({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-test" });
  const sweep = makeSweep({ yaml: YAML, launcher: LAUNCHER }, "herd-killed-");
  const sent = new Set<string>();
  const spent: number[] = [];
  let killed = 0;
  let monitor: RunningMonitor | undefined;
  try {
    for (;;) {
      monitor = startMonitor([sweep.path], home.env);
      const last = killed >= kills;
      const life = last ? 120_000 : 150 + random() * 1_800;
      const talking = talk(sent, home.env, random, life);
      const over = await Promise.race([
        monitor.ended.then(({ code, output }) => ({ code, output })),
        new Promise<undefined>((next) => setTimeout(next, life, undefined)),
      ]);
      if (over !== undefined) {
        await talking;
        assert.equal(over.code, 0, `seed ${seed}: ${over.output}`);
        break;
      }
      assert.ok(!last, `seed ${seed}: it does not come to its end:\n${monitor.output()}`);
      monitor.kill("SIGKILL");
      killed++;
      await monitor.ended;
      await talking;
      spent.push(spentOn(sweep.path));
    }
    await check({ seed, sweep, env: home.env, sent, spent });
    return { kills: killed, messages: sent.size };
  } finally {
    if (monitor?.child.exitCode === null && monitor.child.signalCode === null) {
      monitor.kill("SIGKILL");
    }
    await model.close();
    sweep.remove();
    home.remove();
  }
}

/** Sends what was not taken yet; a daemon that is killed over it is asked again in its next life. */
async function talk(
  sent: Set<string>,
  env: Record<string, string>,
  random: () => number,
  life: number,
): Promise<void> {
  const id = ["m1", "m2", "m3"].find((one) => !sent.has(one));
  if (id === undefined) return;
  await new Promise((next) => setTimeout(next, Math.min(life, 1_000) * random()));
  const body = JSON.stringify({ id, text: `what do you make of thing number ${id}?` });
  const said = await herd(["api", "/v1/sweeps/killed/messages", "-X", "POST", "-d", body], { env });
  if (said.code === 0) sent.add(id);
}

function spentOn(workspace: string): number {
  return eventsOf(workspace).reduce(
    (sum, { what }) => what.type === "model-used" ? sum + (what.use.usd ?? 0) : sum,
    0,
  );
}

async function check(
  { seed, sweep, env, sent, spent }: {
    seed: number;
    sweep: ReturnType<typeof makeSweep>;
    env: Record<string, string>;
    sent: ReadonlySet<string>;
    spent: readonly number[];
  },
): Promise<void> {
  const told = (what: string) => `seed ${seed}: ${what}\n${postsOf(sweep.path).join("\n")}`;
  const { trials } = await statusOf(sweep.path, env);
  assert.deepEqual(
    trials.map(({ status }) => status),
    Array(8).fill("completed"),
    told("statuses"),
  );
  const ledger = sweep.read("ledger.txt").trim().split("\n").map((one) => one.split(" "));
  const starts = ledger.filter(([word]) => word === "start").map(([, trial, attempt]) =>
    `${trial} ${attempt}`
  );
  const wanted = ["0 1", "1 1", "2 1", "2 2", "3 1", "4 1", "4 2", "5 1", "6 1", "7 1"];
  assert.deepEqual([...starts].sort(), wanted, told("every attempt once"));
  for (const trial of ["2", "4"]) {
    const at = (word: string, attempt: string) =>
      Number(ledger.find((one) => one[0] === word && one[1] === trial && one[2] === attempt)![3]);
    assert.ok(at("end", "1") <= at("start", "2"), told(`attempts of trial ${trial} overlap`));
  }
  const events = eventsOf(sweep.path).map(({ what }) => what);
  assert.equal(events.filter(({ type }) => type === "bumped").length, 1, told("one bump"));
  assert.match(sweep.read("hyperherd.yaml"), /mem: 150M\} {3}# memory is raised once/);
  const keys = events.flatMap((what) => what.type === "said" ? [what.said.key] : []);
  const twice = keys.filter((key, i) => keys.indexOf(key) !== i);
  assert.deepEqual(twice, [], told("said twice"));
  for (const id of sent) {
    const heard = events.filter((what) =>
      what.type === "message-received" && what.message.id === id
    );
    assert.equal(heard.length, 1, told(`${id} is heard once`));
    const handled = events.filter((what) =>
      what.type === "messages-handled" && what.ids.includes(id)
    );
    assert.equal(handled.length, 1, told(`${id} is answered once`));
  }
  const answers = events.flatMap((what) =>
    what.type === "said" && what.said.replyTo !== undefined ? [what.said] : []
  );
  assert.ok(answers.length <= sent.size, told("no more answers than messages"));
  const ends = new Set<number>();
  for (const what of events) {
    if (what.type !== "said") continue;
    for (const [trial, status] of what.said.trials ?? []) {
      if (status === "completed") ends.add(trial);
    }
  }
  assert.equal(ends.size, 8, told("every end is told, also of those that nobody saw"));
  const ticks = events.flatMap((what) => what.type === "ticked" ? [what.tick.number] : []);
  assert.deepEqual(ticks, ticks.map((_, i) => i + 1), told("ticks go on counting"));
  for (const [i, usd] of spent.entries()) {
    assert.ok(usd >= (spent[i - 1] ?? 0), told("cost only grows"));
  }
  const phases = events.flatMap((what) => what.type === "phase-entered" ? [what.phase] : []);
  const order = ["interviewing", "canary", "stage", "live", "done"];
  const places = phases.map((phase) => order.indexOf(phase));
  assert.deepEqual(places, [...places].sort((a, b) => a - b), told("phases go forward"));
  assert.equal(phases.at(-1), "done");
}
