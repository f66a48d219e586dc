import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { misbehavingScene } from "../support/misbehaving-scene.ts";

test("nine conversations go on whatever the tenth agent does; its person is told; nothing is left of it", async (t) => {
  const scene = await misbehavingScene(t);
  const { begin, sees, details, say } = scene;
  const quiet = await scene.neighbours();
  const before = scene.memory();
  const slowest: Record<string, number> = {};
  /** The others are asked again and again until that is over. */
  async function meanwhile(mode: string, over: Promise<unknown>): Promise<void> {
    let isOver = false;
    void over.catch(() => {}).finally(() => isOver = true);
    do {
      slowest[mode] = Math.max(slowest[mode] ?? 0, Math.round(await scene.neighbours()));
    } while (!isOver);
    await over;
  }

  const silence = await begin("silence");
  const trouble = {
    flood: ["🆗", /\.txt|\.md|099999/],
    garbage: ["🆗", /Half of it and . rest/],
    rubbish: ["😱", /it sends what is no ACP/],
    huge: ["😱", /it sends without end/],
    crash: ["😱", /exit code 7; its last words were: out of cheese/],
    long: ["🆗", /very long answer/],
    tools: ["🆗", /5000 tools done[^]*All steps are done/],
    wrong: ["🆗", /To you at last/],
    other: ["🆗", /mine/],
    orphan: ["😱", /exit code 3/],
    noise: ["🆗", /It was loud/],
  } as const;
  for (const [mode, [sign, what]] of Object.entries(trouble)) {
    const one = await begin(mode);
    await meanwhile(mode, sees(one, sign, what));
    assert.doesNotMatch(one.text(), /words of another/);
    if (mode === "crash") assert.match(await details(one), /out of cheese/);
    if (mode === "orphan") assert.deepEqual(scene.started().filter((one) => /sleep/.test(one)), []);
  }

  scene.nextStarts("crash");
  const start = await begin("hello");
  await sees(start, "😱", /no cheese to start with/);
  await scene.until("it is there again", () => say(start, "now?") !== undefined);
  await scene.until("it answers", () => /You said now\?/.test(start.text()));

  const endless = await begin("endless");
  await scene.until("it speaks", () => /again and again/.test(endless.text()));
  await meanwhile("endless", scene.neighbours());
  say(endless, "stop");
  await meanwhile("endless, stopped", sees(endless, "🛑", /Stopped by/));

  await sees(silence, "😱", /silent for too long/, 60_000);
  const after = scene.memory();
  t.diagnostic(`others: ${Math.round(quiet)} ms in quiet, ${JSON.stringify(slowest)}`);
  t.diagnostic(`memory: ${JSON.stringify({ before, after })} MB`);
  for (const [mode, ms] of Object.entries(slowest)) assert.ok(ms < 10_000, `${mode}: ${ms} ms`);
  assert.ok(after.most < 1_000, `${after.most} MB`);
  assert.ok(statSync(scene.path("state/herd/herd.log")).size < 2_000_000);
  scene.daemon.child.kill("SIGTERM");
  await scene.daemon.ended;
  assert.deepEqual(scene.started(), []);
  assert.deepEqual(scene.discord.violations, []);
});
