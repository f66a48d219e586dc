import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { brokerScene, twoBotScene } from "../support/broker-scene.ts";

test("B.58: a mention gets 👀, a thread with a title, an answer and 🆗; a follow-up needs no mention", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  scene.start();
  await scene.ready();
  const asked = scene.mention("hello there");
  await scene.until("it is stored", () => asked.reactions.has("👀"));
  const thread = await scene.thread(asked);
  assert.equal(thread.name, "hello there");
  await scene.until("the answer", () => /You said/.test(discord.transcript(thread)));
  await scene.until("its sign", () => asked.reactions.has("🆗"));
  await scene.until("the other signs are gone", () => asked.reactions.size === 1);
  const [answer] = scene.answers(thread);
  assert.match(answer!.content, /^You said hello there/);
  assert.equal(scene.answers(thread).length, 1, "one message that grew");
  discord.say(scene.alice, thread, "and now?");
  await scene.until("the second", () => /You said and now\?/.test(discord.transcript(thread)));
  assert.equal(scene.prompts().length, 2);
  assert.equal(new Set(scene.prompts().map(({ pid }) => pid)).size, 1, "the same agent");
  assert.match(scene.prompts()[0]!.text, /<herd-sender[\s\S]*"alice"/);
  assert.deepEqual(discord.violations, []);
});

test("what is said during a turn is the next one; edits, withdrawals, a stranger, a file alone", async (t) => {
  const scene = await brokerScene(t);
  const { discord, alice, mallory } = scene;
  scene.start();
  await scene.ready();
  const asked = scene.mention("wait");
  const thread = await scene.thread(asked);
  await scene.until("it streams", () => /Half/.test(discord.transcript(thread)));
  const two = discord.say(alice, thread, "two");
  const three = discord.say(alice, thread, "three");
  const four = discord.say(alice, thread, "four");
  for (const one of [two, three, four]) {
    await scene.until("it is stored", () => one.reactions.has("👀"));
  }
  discord.editMessage(two, "two, mended");
  discord.deleteMessage(three);
  await scene.until("both are known", () => {
    const types = scene.events().map(({ what }) => what.type);
    return types.includes("message-revised") && types.includes("message-withdrawn");
  });
  const stranger = discord.say(mallory, thread, "let me in");
  await scene.until("the stranger is refused", () => stranger.reactions.has("🚫"));
  writeFileSync(scene.path("go"), "");
  await scene.until("the next turn", () => /two, mended \| four/.test(discord.transcript(thread)));
  assert.match(scene.answers(thread)[0]!.content, /^Half and whole\./);
  assert.doesNotMatch(JSON.stringify(scene.prompts()), /three|let me in/);

  const bytes = new TextEncoder().encode("a,b\n1,2\n");
  const alone = scene.mention("", { files: [{ name: "table.csv", bytes }] });
  const second = await scene.thread(alone);
  assert.equal(second.name, "table.csv");
  await scene.until("it is answered", () => alone.reactions.has("🆗"));
  assert.match(scene.prompts().at(-1)!.text, /\[File: table\.csv\]\n```\na,b\n1,2/);
  assert.deepEqual(discord.violations, []);
});

test("G.8.9: nobody is pinged; a flood of tools is one line, a crash is told with its reason", async (t) => {
  const scene = await brokerScene(t);
  const { discord, alice } = scene;
  scene.start();
  await scene.ready();
  const threads = await Promise.all(
    ["everyone", "tools", "die", "garbage", "silent", "file"].map(async (word) => {
      const asked = scene.mention(word);
      return { word, asked, thread: await scene.thread(asked) };
    }),
  );
  const of = (word: string) => threads.find((one) => one.word === word)!;
  const text = (word: string) => discord.transcript(of(word).thread);
  for (const word of ["everyone", "tools", "garbage", "file"]) {
    await scene.until(`${word} is answered`, () => of(word).asked.reactions.has("🆗"), 60_000);
  }
  await scene.until("its words", () => /@everyone/.test(text("everyone")));
  const pinged = [...discord.channels.values()].flatMap((one) =>
    discord.messages(one).flatMap((message) => message.pinged)
  );
  assert.deepEqual(pinged, []);
  await scene.until("its tools", () => /3000 tools done/.test(text("tools")));
  for (const word of ["die", "silent"]) {
    await scene.until(`${word} is told`, () => of(word).asked.reactions.has("😱"));
  }
  await scene.until("its last words", () => /I am/.test(text("die")));
  await scene.until("and more of it", () => /\[Details\]/.test(text("die")));
  await scene.until("its silence", () => /without a word/.test(text("silent")));
  await scene.until("the file", () => /<report\.txt>/.test(text("file")));
  // Who crashed is there again for the next word.
  const after = discord.say(alice, of("die").thread, "are you there?");
  await scene.until("it answers again", () => after.reactions.has("🆗"));
  assert.match(text("die"), /started again/);
  assert.deepEqual(discord.violations, []);
});

test("a thread that a sibling has made is joined; where none can be made the answer is a reply", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  scene.start();
  await scene.ready();
  discord.permit("CREATE_PUBLIC_THREADS", false);
  const asked = scene.mention("no thread here");
  await scene.until("a reply", () => /You said no thread here/.test(discord.transcript(scene.lab)));
  const [reply] = scene.answers(scene.lab);
  assert.equal(reply!.replyTo, asked.id);
  discord.permit("CREATE_PUBLIC_THREADS", true);
  // Discord has made it and says that it has failed.
  let isFirst = true;
  discord.fault = ({ path, method }) => {
    if (!isFirst || method !== "POST" || !path.endsWith("/threads")) return undefined;
    isFirst = false;
    return { kind: "status", status: 502, when: "after" };
  };
  const again = scene.mention("there it is");
  const thread = await scene.thread(again);
  await scene.until(
    "it answers in it",
    () => /You said there it is/.test(discord.transcript(thread)),
  );
  assert.deepEqual(discord.violations, []);
});

test("A.17.5, B.114, C.1, C.14: kill -9 in the middle of a turn: it goes on, answered once; what was said meanwhile is caught up", async (t) => {
  const scene = await brokerScene(t);
  const { discord, alice } = scene;
  const first = scene.start();
  await scene.ready();
  const asked = scene.mention("wait");
  const thread = await scene.thread(asked);
  await scene.until("it streams", () => /Half/.test(discord.transcript(thread)));
  first.child.kill("SIGKILL");
  await first.ended;
  const meanwhile = discord.say(alice, thread, "still there?");
  const other = scene.mention("and me?");
  writeFileSync(scene.path("go"), "");
  scene.start();
  await scene.until("it is answered", () => asked.reactions.has("🆗"), 60_000);
  await scene.until("so is what was said meanwhile", () => meanwhile.reactions.has("🆗"), 60_000);
  await scene.until("in another place, too", () => other.reactions.has("🆗"), 60_000);
  const said = () => scene.answers(thread).map(({ content }) => content);
  const count = (begin: string) => said().filter((one) => one.startsWith(begin)).length;
  await scene.until(
    "both are shown",
    () => count("Half and whole.") === 1 && count("You said") === 1,
  );
  // The last line is small print; a placeholder that was never filled would be one.
  assert.ok(said().every((one) => one !== "…"), said().join("\n"));
  assert.deepEqual([...asked.reactions.keys()], ["🆗"]);

  discord.gateway.cut();
  const cut = discord.say(alice, thread, "after the cut");
  await scene.until("it is heard", () => cut.reactions.has("🆗"), 60_000);
  await scene.until("and answered", () => count("You said after the cut") === 1);
  assert.deepEqual([count("Half and whole."), count("You said")], [1, 2]);
  assert.deepEqual(discord.violations, []);
});

test("C.9: two bots that call each other stop at the limit with one warning; herd broker tells of both", async (t) => {
  const scene = await twoBotScene(t, { discordMore: "    max_bot_turns: 6" });
  const { discord, alice, lab, second } = scene;
  // Each answers by mentioning the other.
  const call = `relay ${second.person.id} ${discord.bot.id}`;
  const asked = discord.say(
    alice,
    lab,
    `<@${discord.bot.id}>
${call}`,
  );
  const thread = await scene.thread(asked);
  await scene.until("one of them warns", () =>
    /messages of bots without a person/.test(
      discord.transcript(thread),
    ), 60_000);
  await scene.until("all is calm", () => asked.reactions.has("🆗"));
  const { stdout } = await scene.run("broker", "--json");
  const { bots } = JSON.parse(stdout);
  assert.deepEqual(bots.map((one: { name: string }) => one.name), ["herd", "dealer"]);
  assert.equal(bots[0].connection.phase, "connected");
  assert.match((await scene.run("broker")).stdout, /herd as @HerdDog connected/);
  const warnings = discord.messages(thread).filter(({ content }) =>
    /messages of bots without a person/.test(content)
  );
  assert.equal(warnings.length, 1, discord.transcript(thread));
  // G.8.12: a person's word lets them go on, up to the same cap.
  const before = discord.messages(thread).length;
  discord.say(alice, thread, `<@${discord.bot.id}>\n${call}`);
  await scene.until(
    "they stop again",
    () =>
      discord.messages(thread).filter(({ content }) =>
        /messages of bots without a person/.test(content)
      ).length === 2,
    60_000,
  );
  const more = discord.messages(thread).length - before;
  assert.ok(more >= 6 && more <= 10, `${more} messages\n${discord.transcript(thread)}`);
  assert.deepEqual(discord.violations, []);
});

test("B.49, B.50: a bot hands over to another, which knows who is here and what was said without it", async (t) => {
  const scene = await twoBotScene(t);
  const { discord, alice, lab, second } = scene;
  const asked = discord.say(alice, lab, `<@${discord.bot.id}>\nlook at the secret word cheese`);
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  const called = discord.say(alice, thread, `handover ${second.person.id}`);
  await scene.until(
    "the other answers",
    () =>
      discord.messages(thread).some(({ author, content }) =>
        author.id === second.person.id && content.startsWith("You said")
      ),
  );
  await scene.until("the first is done", () => called.reactions.has("🆗"));
  assert.ok(scene.prompts()[0]!.text.includes(`"Dealer" <@${second.person.id}>: a bot`));
  const [told, ...more] = scene.prompts("second.jsonl");
  assert.deepEqual(more, []);
  assert.match(told!.text, /herd-earlier[^]*the secret word cheese/);
  assert.match(told!.bodies[0]!, /^take it over\nline 0000 [^]*line 0059 /);
  assert.match(told!.text, /"is_bot":true,"bot_turns":\d+,"max_bot_turns":100/);
  assert.deepEqual(discord.violations, []);
});

test("a permission is asked by buttons; a single word stops a turn; a stranger's press does nothing", async (t) => {
  const scene = await brokerScene(t);
  const { discord, alice, mallory } = scene;
  scene.start();
  await scene.ready();
  const asked = scene.mention("ask");
  const thread = await scene.thread(asked);
  const question = () =>
    scene.answers(thread).find(({ content }) => content.includes("make clean"));
  await scene.until("the question", () => question() !== undefined);
  await scene.until("its sign", () => asked.reactions.has("✋"));
  assert.match(JSON.stringify(question()!.components), /Once.*Always.*Deny/);
  const foreign = await discord.click(mallory, question()!, "Once");
  assert.equal(foreign.ephemeral, true);
  await discord.click(alice, question()!, "Once");
  await scene.until("it goes on", () => /answer: allow_once/.test(discord.transcript(thread)));

  const slow = discord.say(alice, thread, "slow 60");
  await scene.until("it works", () => /I begin/.test(discord.transcript(thread)));
  discord.say(mallory, thread, "stop");
  discord.say(alice, thread, "stop");
  await scene.until("it is stopped", () => slow.reactions.has("🛑"));
  assert.match(discord.transcript(thread), /turn in this conversation is ended/);

  const { message } = await discord.slash(alice, thread, "session list");
  assert.match(message()!.content, /2 turns.*here/);
  const forgotten = await discord.slash(alice, thread, "reset");
  assert.ok(forgotten.message() !== undefined);
  assert.deepEqual(discord.violations, []);
});

test("A.17.6, B.80: an agent that cannot load is told what was said; a restart in mid-turn loses nothing; an outage is outlasted", async (t) => {
  const scene = await brokerScene(t, { noload: true });
  const { discord, alice } = scene;
  const first = scene.start();
  await scene.ready();
  const asked = scene.mention("remember the word cheese");
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  const slow = discord.say(alice, thread, "slow 4");
  await scene.until("it works", () => /I begin/.test(discord.transcript(thread)));
  const began = Date.now();
  first.child.kill("SIGTERM");
  await first.ended;
  // Nothing is drained for half a minute before what was said is safe.
  assert.ok(Date.now() - began < 10_000);
  scene.start();
  await scene.until("it is done after all", () => slow.reactions.has("🆗"), 60_000);
  assert.match(scene.prompts().at(-1)!.text, /remember the word cheese/);
  await scene.until("people know", () => /was told what was said/.test(discord.transcript(thread)));

  discord.fault = () => ({ kind: "status", status: 503, when: "before" });
  const meanwhile = discord.say(alice, thread, "in the outage");
  await scene.until(
    "it is stored all the same",
    () =>
      scene.events().some(({ what }) =>
        what.type === "message-heard" && what.arrival.id === meanwhile.id
      ),
  );
  discord.fault = () => undefined;
  await scene.until(
    "it is answered when Discord is back",
    () => /You said in the outage/.test(discord.transcript(thread)),
    90_000,
  );
  assert.equal(
    scene.answers(thread).filter(({ content }) => /in the outage/.test(content)).length,
    1,
  );
  assert.deepEqual(discord.violations, []);
});

test("B.2, B.4, B.5, B.115: herd broker check and start tell what is wrong with a bot, herd broker import reads OpenAB", async (t) => {
  const scene = await brokerScene(t);
  const good = await scene.run("broker", "check");
  assert.match(good.stdout, /The bot "herd" is HerdDog, in "lab"/);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  scene.discord.permit("CREATE_PUBLIC_THREADS", false);
  scene.discord.messageContent(false);
  const bad = await scene.run("broker", "check");
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /MESSAGE CONTENT INTENT is off/);
  assert.match(bad.stdout, /"Create Public Threads" is missing/);

  const started = scene.start();
  await scene.until(
    "its start tells the same",
    () =>
      /MESSAGE CONTENT INTENT is off.*Privileged Gateway Intents/.test(started.output()) &&
      /#lab: the right "Create Public Threads" is missing: answers come in/.test(started.output()),
  );
  assert.match((await scene.run("broker")).stdout, /connected: MESSAGE CONTENT INTENT is off/);
  started.child.kill("SIGTERM");
  await started.ended;
  scene.discord.revokeToken();
  const refused = await scene.run("broker", "check");
  assert.match(refused.stdout, /Reset the token/);
  const again = scene.start();
  await scene.until(
    "the refusal is told, with what helps",
    () => /"herd": Discord refuses the bot token\. Make a new token/.test(again.output()),
  );
  assert.match(
    (await scene.run("broker")).stdout,
    /herd refused: Discord refuses the bot token.*\n {4}→ Make a new token/,
  );
  again.child.kill("SIGTERM");
  await again.ended;
  for (const text of [good.stdout, bad.stdout, refused.stdout, started.output(), again.output()]) {
    assert.ok(!text.includes(scene.discord.token), "the token is never shown");
  }

  const toml = scene.path("config.toml");
  writeFileSync(
    toml,
    '[discord]\nbot_token = "${DISCORD_BOT_TOKEN}"\nallowed_channels = ["123"]\n' +
      '[agent]\ncommand = "kiro-cli"\nargs = ["acp", "--trust-all-tools"]\nworking_dir = "/home/agent"\n',
  );
  const imported = await scene.run("broker", "import", toml);
  assert.match(imported.stdout, /^broker:/);
  assert.equal(imported.code, 0, imported.stderr);
  const none = await scene.run("broker");
  assert.match(none.stderr, /no daemon runs/);
});
