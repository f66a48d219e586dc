import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { eventsOf, makeHome, postsOf, startMonitor, untilTrue } from "../support/daemon.ts";
import type { RunningMonitor } from "../support/daemon.ts";
import { herd, herdJson, makeSweep, statusOf } from "../support/herd.ts";
import { startModelServer } from "../support/model-server.ts";
import type { ModelReply } from "../support/model-server.ts";

const LAUNCHER = `#!/bin/bash
echo "step 1 loss=0.5"
until [ -e go ]; do sleep 0.05; done
`;

function yaml(agent: string): string {
  return `name: outage
launcher: launch.sh
scheduler: local
local: {slots: 2}
slurm: {partition: x, time: 5, mem: 50M}
remediation: {mode: notify}
monitor: {objective: none, rollout: [1, rest]}
agent: {${agent}}
grid: all
parameters:
  x: {type: discrete, values: [0, 1]}
`;
}

interface Test {
  after(act: () => unknown): void;
}

/** A sweep whose trials wait for a file, with a monitor that may be started again. */
function scene(t: Test, url: string, agent: string) {
  const home = makeHome({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: "sk-ant-e2e" });
  const sweep = makeSweep({ yaml: yaml(agent), launcher: LAUNCHER }, "herd-outage-");
  const { env } = home;
  let monitor: RunningMonitor | undefined;
  const kill = async () => {
    if (monitor === undefined) return;
    if (monitor.child.exitCode === null && monitor.child.signalCode === null) {
      monitor.kill("SIGKILL");
    }
    await monitor.ended;
  };
  t.after(async () => {
    sweep.write("go", "");
    await kill();
    await herd(["stop", sweep.path, "--all"], { env });
    home.remove();
    sweep.remove();
  });
  const posts = () => postsOf(sweep.path);
  const until = (what: string, holds: () => boolean | Promise<boolean>) =>
    untilTrue(what, holds, () => `${monitor?.output()}\n${posts().join("\n")}`);
  const happened = () => eventsOf(sweep.path).map(({ what }) => what);
  return {
    env,
    sweep,
    posts,
    until,
    happened,
    kill,
    async start() {
      monitor = startMonitor([sweep.path], env);
      await until("the trials run", async () => {
        const { trials } = await statusOf(sweep.path, env).catch(() => ({ trials: [] }));
        return trials.length > 0 && trials.every(({ status }) => status === "running");
      });
      await until(
        "it answers",
        async () => (await herd(["api", "/v1/sweeps/outage"], { env })).code === 0,
      );
    },
    async say(text: string, id: string) {
      const body = JSON.stringify({ text, id });
      const said = await herd(["api", "/v1/sweeps/outage/messages", "-X", "POST", "-d", body], {
        env,
      });
      assert.equal(said.code, 0, said.stdout + said.stderr);
    },
    async finish() {
      sweep.write("go", "");
      const { code, output } = await monitor!.ended;
      assert.equal(code, 0, output);
      const { trials } = await statusOf(sweep.path, env);
      assert.deepEqual(trials.map(({ status }) => status), ["completed", "completed"]);
    },
    repliesTo: (id: string) =>
      happened().flatMap((what) =>
        what.type === "said" && what.said.replyTo === id ? [what.said.text] : []
      ),
    ticks: () => happened().flatMap((what) => what.type === "ticked" ? [what.tick] : []),
    document: (path: string) =>
      herd(["api", `/v1/sweeps/outage/${path}`], { env }).then(({ stdout }) => JSON.parse(stdout)),
  };
}

test("an outage over two restarts is told once, and so is its end; the message is answered once", async (t) => {
  // It asks for more patience than a test has: only a restart asks again at once.
  let reply: ModelReply = { fault: "status", status: 429, retryAfter: "900" };
  const model = await startModelServer([{ reply: () => reply, times: Infinity }]);
  t.after(() => model.close());
  const { start, kill, say, until, posts, happened, repliesTo, ticks, finish } = scene(
    t,
    model.url,
    "timeout: 20",
  );
  await start();
  await say("what do you make of the curves?", "m1");
  await until("the outage is told", () => happened().some(({ type }) => type === "model-health"));
  const before = ticks().length;
  await kill();
  const calls = model.requests().length;
  await start();
  await until(
    "it was asked again and went on",
    () => model.requests().length > calls && ticks().length > before,
  );
  await kill();
  assert.deepEqual(repliesTo("m1"), []);
  reply = { text: "They look well.", usage: { input: 1000, output: 100 } };
  await start();
  await until("the message is answered", () => repliesTo("m1").length > 0);
  await until("the end is told", () => posts().some((post) => /agent answers again/.test(post)));
  await finish();
  const health = happened().flatMap((what) => what.type === "model-health" ? [what.ok] : []);
  assert.deepEqual(health, [false, true]);
  assert.equal(posts().filter((post) => /rules go on/.test(post)).length, 1);
  assert.equal(posts().filter((post) => /agent answers again/.test(post)).length, 1);
  assert.deepEqual(repliesTo("m1"), ["They look well."]);
});

test("without a network the sweep goes on to its end, which is told once and costs nothing", async (t) => {
  const { start, say, until, posts, happened, finish, sweep, document } = scene(
    t,
    `http://127.0.0.1:${await closedPort()}`,
    "timeout: 5, ticks: every",
  );
  await start();
  await until("the outage is told", () => happened().some(({ type }) => type === "model-health"));
  assert.match(posts().find((post) => /rules go on/.test(post))!, /Cannot reach the model/);
  await say("/status", "m1");
  await until(
    "commands are answered",
    () => happened().some((what) => what.type === "messages-handled" && what.ids.includes("m1")),
  );
  assert.equal((await document("budget")).spent.usd, 0);
  await finish();
  assert.equal(posts().filter((post) => /rules go on/.test(post)).length, 1);
  assert.ok(!eventsOf(sweep.path).some(({ what }) => what.type === "model-used"));
});

test("the budget of a sweep holds over a restart, is told once, and can be raised while it runs", async (t) => {
  const model = await startModelServer([
    { reply: { text: "Well.", usage: { input: 50_000, output: 100 } }, times: Infinity },
  ]);
  t.after(() => model.close());
  const limits = (sweep: string) =>
    `max_tokens: 256, model: m, prices: {m: {input: 1, output: 5}}, budget: {tick: none, day: none, sweep: ${sweep}}`;
  const { start, kill, say, until, posts, happened, repliesTo, finish, sweep, document } = scene(
    t,
    model.url,
    limits("0.05"),
  );
  await start();
  await say("what do you make of the first curve?", "m1");
  await until("the first is answered", () => repliesTo("m1").length > 0);
  assert.deepEqual(repliesTo("m1"), ["Well."]);
  // 50,000 tokens for a dollar a million, 100 for five.
  const uses = happened().flatMap((what) => what.type === "model-used" ? [what.use.usd] : []);
  assert.deepEqual(uses, [0.0505]);
  const { spent, limits: shown } = await document("budget");
  assert.deepEqual([spent.usd, spent.today, spent.calls, shown.sweep], [0.0505, 0.0505, 1, 0.05]);
  await kill();
  await start();
  for (const id of ["m2", "m3"]) {
    await say(`what do you make of ${id} and its curve?`, id);
    await until("it is refused", () => repliesTo(id).length > 0);
    assert.match(repliesTo(id)[0]!, /budget of the sweep is used up/);
  }
  assert.equal(model.requests().length, 1, "nothing was asked past the budget");
  assert.equal(posts().filter((post) => /the sweep's budget is spent/.test(post)).length, 1);
  sweep.write("hyperherd.yaml", yaml(limits("1")));
  await until("it is asked again", async () => {
    const id = `m${happened().length}`;
    await say("what do you make of the last curve?", id);
    await until("it is answered", () => repliesTo(id).length > 0);
    return repliesTo(id)[0] === "Well.";
  });
  await finish();
});

test("a model without a price is not asked under a budget, and the operator hears why once", async (t) => {
  const model = await startModelServer([{ reply: { text: "Well." }, times: Infinity }]);
  t.after(() => model.close());
  const { start, until, posts, finish } = scene(
    t,
    model.url,
    "model: local-llama, ticks: every, budget: {day: 1}",
  );
  await start();
  const told = () => posts().filter((post) => /price of "local-llama" is not known/.test(post));
  await until("it is told", () => told().length > 0);
  await finish();
  assert.equal(told().length, 1);
  assert.equal(model.requests().length, 0);
});

test("ticks: every asks the model at each tick, ticks: needed only where something needs judgement", async (t) => {
  for (const word of ["every", "needed"]) {
    const model = await startModelServer([{ reply: { text: "Well." }, times: Infinity }]);
    t.after(() => model.close());
    const { start, kill, finish, ticks, env, sweep, until } = scene(
      t,
      model.url,
      `ticks: ${word}, timeout: 20`,
    );
    await start();
    await until("a tick was taken", () => ticks().length > 0);
    const before = ticks().length;
    const asked = await herd(["api", "/v1/sweeps/outage/actions/tick", "-X", "POST", "-d", "{}"], {
      env,
    });
    assert.equal(asked.code, 0, asked.stdout + asked.stderr);
    await until("another is taken", () => ticks().length > before);
    const quiet = ticks().map(({ modelCalls }) => modelCalls);
    const expected = word === "every" ? 1 : 0;
    assert.deepEqual(quiet, quiet.map(() => expected), word);
    await finish();
    const { totals } = await herdJson<{ totals: Record<string, number> }>(
      ["status", sweep.path],
      { env },
    );
    assert.equal(totals["completed"], 2);
    await kill();
  }
});

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
