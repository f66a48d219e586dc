import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { misbehavingScene } from "../support/misbehaving-scene.ts";

test("nine conversations go on whatever the tenth agent does; its person is told; nothing is left of it", async (t) => {
  const scene = await misbehavingScene(t, { neighbours: 9 });
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
  // A machine that is slow by itself is slow in quiet, too.
  const most = Math.max(5_000, 20 * quiet);
  for (const [mode, ms] of Object.entries(slowest)) assert.ok(ms < most, `${mode}: ${ms} ms`);
  assert.ok(after.most < 1_000, `${after.most} MB`);
  assert.ok(statSync(scene.path("state/herd/herd.log")).size < 2_000_000);
  scene.daemon.child.kill("SIGTERM");
  await scene.daemon.ended;
  assert.deepEqual(scene.started(), []);
  assert.deepEqual(scene.discord.violations, []);
});

test("permissions: by policy, by those who may, once or always; a storm is one message, silence is a no", async (t) => {
  const scene = await misbehavingScene(t, { neighbours: 0 });
  const { begin, sees, asks, say } = scene;
  const { discord, alice, mallory } = scene;
  const silent = await begin("many");

  const policy = await begin("policy");
  const execute = await asks(policy, /execute it/);
  assert.equal((await discord.click(mallory, execute, "Once")).ephemeral, true);
  await scene.until("the wait shows", () => policy.asked.reactions.has("✋"));
  await discord.click(alice, execute, "Once");
  await sees(policy, "🆗", /Answers: 2 allow_once, 1 reject_once/);
  assert.match(policy.text(), /allowed once: `execute it`, by <@/);

  const storm = await begin("storm");
  const question = await asks(storm, /`make clean` · 19 more after it/);
  await discord.click(alice, question, "Always in this conversation");
  await sees(storm, "🆗", /Answers: 20 allow_once, 180 reject_once/);
  assert.match(storm.text(), /denied: `make clean` and 179 more, by herd, as 20 questions wait/);
  assert.match(storm.text(), /allowed from now on: `make clean` and 19 more/);
  assert.equal(scene.answers(storm.thread).length, 1);
  say(storm, "twins");
  await scene.until("it is not asked again", () => /Answers: 2 allow_once/.test(storm.text()));

  const twins = await begin("twins");
  await discord.click(alice, await asks(twins, /1 more after it/), "Deny");
  await sees(twins, "🆗", /Answers: 2 reject_once/);

  const strange = await begin("strange");
  // None of what it offers is known: nobody is asked for a yes that cannot be given.
  await sees(strange, "🆗", /Answers: 1 cancelled/);
  assert.doesNotMatch(strange.text(), /allowed|\[Once\]/);

  const hasty = await begin("hasty");
  await sees(hasty, "🆗", /I wait for nobody/);
  assert.doesNotMatch(hasty.text(), /\[Once\]/);
  say(hasty, "policy");
  await discord.click(alice, await asks(hasty, /execute it/), "Once");
  await scene.until("its own question", () => /Answers: 2 allow_once/.test(hasty.text()));

  await sees(silent, "🆗", /Answers: 200 reject_once/);
  assert.match(silent.text(), /denied: `step \d+` and \d+ more, by silence/);
  assert.equal(scene.answers(silent.thread).length, 1);
  assert.deepEqual(discord.violations, []);
});

test("an agent that answers late, does not stop, does not end, or remembers nothing harms only itself", async (t) => {
  const scene = await misbehavingScene(t, { neighbours: 0 });
  const { begin, sees, say } = scene;
  const [slow, deaf, null_] = await Promise.all(["slow", "deaf", "crash"].map(begin));
  await scene.until("both speak", () => /I begin/.test(slow!.text()) && /la la/.test(deaf!.text()));
  for (const one of [slow!, deaf!]) {
    say(one, "stop");
    say(one, "next");
  }
  await sees(null_!, "😱", /out of cheese/);
  scene.nextStarts("null");
  say(null_!, "and now?");
  await scene.until("it is told again", () => /You said and now\?/.test(null_!.text()));
  assert.match(null_!.text(), /it was told what was said here before/);

  for (const one of [slow!, deaf!]) {
    await sees(one, "🛑", /You said next/);
    const answer = scene.answers(one.thread).find(({ content }) => /You said/.test(content));
    assert.match(answer!.content, /^You said next\n/);
  }
  const [pid] = scene.started().filter((one) => /acp-misbehaving/.test(one));
  assert.ok(pid !== undefined);
  scene.daemon.child.kill("SIGTERM");
  const began = performance.now();
  await scene.daemon.ended;
  t.diagnostic(`ended after ${Math.round(performance.now() - began)} ms`);
  assert.deepEqual(scene.started(), []);
  assert.deepEqual(scene.discord.violations, []);
});
