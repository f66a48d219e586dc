import assert from "node:assert/strict";
import { test } from "node:test";
import {
  auditOf,
  eventsOf,
  makeHome,
  postsOf,
  startMonitor,
  untilTrue,
} from "../support/daemon.ts";
import type { RunningMonitor } from "../support/daemon.ts";
import { herd, herdJson, makeSweep, statusOf } from "../support/herd.ts";
import { startModelServer } from "../support/model-server.ts";
import { PARTITION, slurm, unlessStarted, withoutSlurm } from "../support/slurm.ts";

const SKIP = { skip: withoutSlurm };

/** What each trial does; a trial that ran out of time finds its state and is quick the second time. */
const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID $HERD_ATTEMPT" >> ledger.txt
stream=.hyperherd/results/$HYPERHERD_TRIAL_ID/stream
mkdir -p "$stream"
log() { printf '{"step": %s, "value": %s, "ts": %s}\\n' "$1" "$2" "$(date +%s.%N)" >> "$stream/loss.jsonl"; }
case "$1" in
  *do=flaky*) [ "$HERD_ATTEMPT" = 1 ] && { python3 -c 'raise ValueError("bad start 17")'; exit 1; } ;;
  *do=oom*) python3 -c "
import time
x = bytearray(75 << 20)
for i in range(0, len(x), 4096): x[i] = 1
time.sleep(2)" || exit $? ;;
  *do=slow*) [ "$HERD_ATTEMPT" = 1 ] && { log 1 0.9; sleep 300; } ;;
  *do=nan*) for i in 1 2 3 4; do log $i NaN; done; sleep 300 ;;
esac
for i in 1 2 3; do log $i 0.$((5 - i)); sleep 0.3; done
`;

function yaml(name: string): string {
  return `# a sweep with every kind of trouble
name: ${name}
launcher: ./launch.sh
scheduler: slurm
slurm:
  partition: ${PARTITION}
  time: 3            # minutes
  mem: 60M           # too little for one of them
remediation: {mode: remediate}
monitor: {objective: minimize loss}
prune_grace_seconds: 3
grid: all
parameters:
  do: {type: discrete, values: [flaky, ok, oom, slow, nan, plain]}
`;
}

const EXPECTED = ["completed", "completed", "completed", "completed", "pruned", "completed"];
const ATTEMPTS = ["0 1", "0 2", "1 1", "2 1", "2 2", "3 1", "3 2", "4 1", "5 1"];

function makeTrouble(name: string) {
  return makeSweep({ yaml: yaml(name), launcher: LAUNCHER }, "herd-monitor-");
}

type Sweep = ReturnType<typeof makeSweep>;

function ledger(sweep: Sweep): string[] {
  return sweep.read("ledger.txt").trim().split("\n").sort();
}

/** The time limit of a running trial is brought near, as nobody wants to wait for minutes. */
async function hastenEnd(sweep: Sweep, index: number, env: Record<string, string>): Promise<void> {
  const status = await statusOf(sweep.path, env);
  const job = status.trials.find((one) => one.index === index)!.job_id!;
  await slurm(["scontrol", "update", `JobId=${job}`, "EndTime=now+1"]).catch(unlessStarted);
}

async function endOf(monitor: RunningMonitor): Promise<{ code: number | null; output: string }> {
  const { child } = monitor;
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  await untilTrue("the monitor ends", isOver, monitor.output);
  return await monitor.ended;
}

async function runToTheEnd(
  sweep: Sweep,
  env: Record<string, string>,
  args: readonly string[],
): Promise<string> {
  const monitor = startMonitor([sweep.path, ...args], env);
  try {
    await untilTrue(
      "the slow trial runs",
      () => eventsOf(sweep.path).length > 0 && ledgerHas(sweep, "3 1"),
      monitor.output,
    );
    await hastenEnd(sweep, 3, env);
    const { code, output } = await endOf(monitor);
    assert.equal(code, 0, output);
    return output;
  } finally {
    if (monitor.child.exitCode === null) monitor.kill("SIGKILL");
  }
}

/** No job of a test that failed stays on the cluster. */
async function cleared(sweep: Sweep, env: Record<string, string>): Promise<void> {
  await herd(["stop", sweep.path, "--all"], { env });
  sweep.remove();
}

function ledgerHas(sweep: Sweep, line: string): boolean {
  try {
    return ledger(sweep).includes(line);
  } catch {
    return false;
  }
}

async function assertOutcome(sweep: Sweep, env: Record<string, string>): Promise<void> {
  const status = await statusOf(sweep.path, env);
  assert.deepEqual(status.trials.map((one) => one.status), EXPECTED);
  assert.deepEqual(ledger(sweep), ATTEMPTS, "no attempt twice, none too many");
  const text = sweep.read("hyperherd.yaml");
  assert.match(text, /mem: 90M {11}# too little for one of them/, "bumped in place, comments kept");
  assert.match(
    text,
    /time: "0:05:00" .*# minutes|time: "?5"? .*# minutes|time: "00:05:00" .*# minutes/,
  );
  assert.match(text, /^# a sweep with every kind of trouble/);
}

/** What people read, in the order of what it means; other posts may stand between. */
const TRANSCRIPT = [
  /^monitoring whole: 6 trials, nothing has run yet\.\nAgent: .*ANTHROPIC_API_KEY/,
  /^plan: minimize loss, on failures remediate/,
  /^canary: submitting trial 0/,
  /^trial 0 failed: exit 1/,
  /^resubmitting trial 0 once after: ValueError: bad start 17\. Next tick in/,
  /^stage 2: submitting trials 1-2, as trial 0 trains/,
  /^trial 2 failed: out of memory/,
  /^bumped slurm\.mem 60M→90M after 1 OUT_OF_MEMORY \(idx 2\); resubmitting/,
  /^live: submitting the remaining trials 3-5/,
  /^Trial 1 is fine\.$/,
  /^monitor stopped: it was told to stop\. .* live trials? go(?:es)? on without it/,
  /^monitoring whole: 6 trials, trials are under way\. It goes on in phase live\./,
  /^trial 3 failed: out of time/,
  /^bumped slurm\.time 3m→5m after 1 TIMEOUT \(idx 3\); resubmitting/,
  /^trial 3 completed/,
  /^The sweep is over: 6 trials, 1 pruned, 5 completed\./,
  /^monitor stopped: every trial has come to its end/,
];

function assertTranscript(posts: readonly string[]): void {
  let from = 0;
  for (const wanted of TRANSCRIPT) {
    const found = posts.findIndex((post, i) => i >= from && wanted.test(post));
    assert.ok(found >= 0, `${wanted} after post ${from} of\n${posts.join("\n")}`);
    from = found + 1;
  }
}

/** Who did what, why, and with what result. */
function assertAudit(audit: readonly Record<string, unknown>[]): void {
  for (const line of audit) {
    const { timestamp, by, result } = line;
    assert.ok(typeof timestamp === "string" && by && result !== undefined, JSON.stringify(line));
  }
  const of = (event: string) => audit.filter((line) => line["event"] === event);
  const runs = of("run").filter(({ indices }) => (indices as number[]).length > 0);
  assert.deepEqual(runs.map(({ indices, by }) => `${by} ${indices}`), [
    "monitor 0",
    "monitor 0",
    "monitor 1,2",
    "monitor 2",
    "monitor 3,4,5",
    "monitor 3",
  ]);
  for (const { why, result } of runs) {
    assert.ok(typeof why === "string" && why !== "");
    assert.equal((result as { submitted: unknown[] }).submitted.length, 1);
  }
  assert.deepEqual(of("bump").map(({ what, from, to }) => [what, from, to]), [
    ["memory", 60, 90],
    ["time", 180, 300],
  ]);
  assert.deepEqual(of("prune").map(({ indices, why }) => [indices, why]), [
    [[4], "loss is no finite number since step 1"],
  ]);
  const reasons = of("triage").flatMap(({ verdicts }) => verdicts as { why: string }[]);
  assert.ok(reasons.length === 3 && reasons.every(({ why }) => why !== ""));
  assert.deepEqual(of("message-received").map(({ by }) => /^api:/.test(String(by))), [true]);
  const [tool] = of("tool");
  assert.deepEqual([tool?.["by"], tool?.["is_error"]], ["agent", false]);
  assert.match(String(tool?.["result"]), /"index":1,"status":"completed"/);
  for (const tick of of("tick")) {
    assert.ok((tick["triggers"] as string[]).length > 0);
    for (const name of ["usd", "durationMs", "modelCalls"]) {
      assert.equal(typeof tick[name], "number", name);
    }
    const { input, output } = tick["tokens"] as { input: number; output: number };
    assert.deepEqual([input, output], [100, 20].map((n) => n * Number(tick["modelCalls"])));
  }
}

test(
  "a whole sweep on SLURM with an agent: canary that fails once, OOM, TIMEOUT and NaN, a hot reload, a post-mortem",
  SKIP,
  async (t) => {
    const model = await startModelServer([
      {
        when: ({ text }) => text.includes("how is trial 1"),
        reply: { calls: [{ name: "read_trial", input: { trial: 1 } }] },
      },
      { when: ({ results }) => results.length > 0, reply: { text: "Trial 1 is fine." } },
      { reply: { text: "Noted." }, times: Infinity },
    ]);
    t.after(() => model.close());
    const home = makeHome({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-test" });
    t.after(home.remove);
    const { env } = home;
    const sweep = makeTrouble("whole");
    t.after(() => cleared(sweep, env));

    const first = startMonitor([sweep.path], env);
    t.after(() =>
      first.child.exitCode === null && first.child.signalCode === null && first.kill("SIGKILL")
    );
    await untilTrue("the slow trial runs", () => ledgerHas(sweep, "3 1"), first.output);
    const asked = { text: "how is trial 1 doing, and why?", id: "m1" };
    const body = JSON.stringify(asked);
    const said = await herd(["api", "/v1/sweeps/whole/messages", "-X", "POST", "-d", body], {
      env,
    });
    assert.equal(said.code, 0, said.stdout + said.stderr);
    await untilTrue(
      "the message is answered",
      () => postsOf(sweep.path).includes("Trial 1 is fine."),
      first.output,
    );
    first.kill("SIGTERM");
    assert.equal((await endOf(first)).code, 143);
    const stopped = eventsOf(sweep.path).at(-1)!;
    assert.equal(stopped.what.type, "monitor-stopped");

    // While nobody watches the slow trial runs out of time.
    const slow = (await statusOf(sweep.path, env)).trials[3]!.job_id!;
    await hastenEnd(sweep, 3, env);
    await untilTrue("the slow trial has ended", async () => {
      const state = await slurm(["squeue", "-h", "-r", "-j", slow, "-o", "%T"])
        .catch((error: Error) => error.message);
      // After MinJobAge SLURM no longer knows of it.
      return state.trim() === "" || state.includes("Invalid job id");
    });
    assert.ok(!ledger(sweep).includes("3 2"), "nobody submits while the daemon is down");
    // Whoever looks meanwhile may write down what he sees; the monitor does nothing.
    const monitors = eventsOf(sweep.path).filter(({ by }) => by === "monitor");
    assert.equal(monitors.at(-1)!.what.type, "monitor-stopped");
    const second = startMonitor([sweep.path], env);
    t.after(() =>
      second.child.exitCode === null && second.child.signalCode === null && second.kill("SIGKILL")
    );
    const { code, output } = await endOf(second);
    assert.equal(code, 0, output);
    await assertOutcome(sweep, env);

    const events = eventsOf(sweep.path).map(({ what }) => what);
    const boots = events.flatMap((what) => what.type === "monitor-started" ? [what.boot] : []);
    assert.equal(boots.length, 2);
    const phases = events.flatMap((what) => what.type === "phase-entered" ? [what.phase] : []);
    assert.deepEqual([...new Set(phases)], ["interviewing", "canary", "stage", "live", "done"]);
    assert.equal(phases.filter((phase) => phase === "canary").length, 1);
    const decisions = events.flatMap((what) =>
      what.type === "triaged"
        ? what.verdicts.map(({ trial, failure, decision }) => `${trial} ${failure} ${decision}`)
        : []
    );
    assert.deepEqual(decisions.sort(), [
      "0 exception retry",
      "2 out-of-memory bump",
      "3 timeout bump",
    ]);
    const posts = postsOf(sweep.path);
    const keys = events.flatMap((what) => what.type === "said" ? [what.said.key] : []);
    assert.equal(new Set(keys).size, keys.length, "nothing is posted twice");
    assert.ok(
      posts.some((post) => /bumped slurm\.mem 60M→90M after 1 OUT_OF_MEMORY \(idx 2\)/.test(post)),
      posts.join("\n"),
    );
    assert.ok(posts.some((post) => /TIMEOUT \(idx 3\)/.test(post)), posts.join("\n"));
    assert.ok(posts.some((post) => /pruned trial 4|trial 4 pruned/.test(post)), posts.join("\n"));
    const ticks = events.flatMap((what) => what.type === "ticked" ? [what.tick] : []);
    for (const { summary } of ticks) assert.match(summary, /Next tick in .+\.$/);
    assert.deepEqual(ticks.map(({ number }) => number), ticks.map((_, i) => i + 1));

    const audit = auditOf(sweep.path);
    const verbs = new Map(audit.map((line) => [`${line["by"]} ${line["event"]}`, line]));
    assert.ok(verbs.has("monitor run") && verbs.has("monitor bump") && verbs.has("monitor prune"));
    assert.ok(audit.some((line) => line["event"] === "tool" && line["tool"] === "read_trial"));
    const tick = audit.find((line) => line["event"] === "tick" && Number(line["modelCalls"]) > 0);
    assert.ok(Number(tick?.["usd"]) > 0 && Array.isArray(tick?.["triggers"]));
    for (const line of audit) assert.ok(line["timestamp"] && line["by"], JSON.stringify(line));
    assert.ok(!JSON.stringify(events).includes("sk-ant-test"));

    assertTranscript(posts);
    assertAudit(audit);
    const manifest = JSON.parse(sweep.read(".hyperherd/manifest.json")) as { status: string }[];
    assert.deepEqual(manifest.map(({ status }) => status), EXPECTED);
    assert.deepEqual(model.unmatched(), []);

    // Everything has ended: a third start looks back and submits nothing.
    const journal = eventsOf(sweep.path);
    const third = await herd(["monitor", sweep.path, "--once"], { env });
    assert.equal(third.code, 0, third.stdout + third.stderr);
    const after = eventsOf(sweep.path).slice(journal.length).map(({ what }) => what);
    const started = after.find((what) => what.type === "monitor-started");
    assert.equal(started?.type === "monitor-started" && started.boot, "post-mortem");
    assert.ok(after.some((what) => what.type === "phase-entered" && what.phase === "post-mortem"));
    assert.match(
      after.flatMap((what) => what.type === "said" ? [what.said.text] : [])[0]!,
      /^The sweep is over: 6 trials, 1 pruned, 5 completed\.\nBest loss:/,
    );
    assert.ok(!after.some(({ type }) => type === "submission-intended" || type === "triaged"));
    assert.deepEqual(ledger(sweep), ATTEMPTS);
  },
);

test("the same sweep with no agent, and with no key at all, ends the same way", SKIP, async (t) => {
  const home = makeHome();
  t.after(home.remove);
  const model = await startModelServer([]);
  t.after(() => model.close());
  const other = makeHome({
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: "sk-ant-never-used",
  });
  t.after(other.remove);
  const [bare, passive] = [makeTrouble("nokey"), makeTrouble("noagent")];
  t.after(() => cleared(bare, home.env));
  t.after(() => cleared(passive, other.env));
  const outputs = await Promise.all([
    runToTheEnd(bare, home.env, []),
    runToTheEnd(passive, other.env, ["--no-agent"]),
  ]);
  await assertOutcome(bare, home.env);
  await assertOutcome(passive, other.env);
  for (const sweep of [bare, passive]) {
    const events = eventsOf(sweep.path).map(({ what }) => what.type);
    assert.ok(!events.includes("model-used"));
    const totals =
      (await herdJson<{ totals: unknown }>(["status", sweep.path], { env: home.env })).totals;
    assert.deepEqual(totals, { total: 6, pruned: 1, completed: 5 });
  }
  assert.equal(model.requests().length, 0, "with --no-agent nobody is asked");
  assert.match(outputs[0]!, /neither ANTHROPIC_API_KEY nor ANTHROPIC_AUTH_TOKEN is set/);
});
