import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { brokerKillCampaign, brokerKillText } from "../support/broker-kill-campaign.ts";
import { type BrokerScene, brokerScene } from "../support/broker-scene.ts";
import { agentProcesses } from "../support/conversation-checks.ts";
import type { FakeMessage } from "../support/discord/world.ts";
import { createTogether } from "../support/together.ts";

const together = createTogether();

/** With ends of its own, as it may be over before its test is asked for. */
function beside(run: (t: { after(act: () => unknown): void }) => Promise<void>) {
  return together(async () => {
    const ends: (() => unknown)[] = [];
    try {
      await run({ after: (act) => ends.push(act) });
    } finally {
      for (const end of ends.toReversed()) await end();
    }
  });
}

test(
  "kill -9 at 6 random moments of six conversations: each goes on, nothing is answered twice or not at all",
  beside(async (t) => {
    const scene = await brokerScene(t);
    // The limits of reactions are most of the time otherwise.
    scene.discord.haste = 8;
    const counts = await brokerKillCampaign(scene, { kills: 6, seed: 5, conversations: 6 });
    console.log(brokerKillText(counts));
  }),
);

/** The program that has a prompt with these words. */
function agentOf(scene: BrokerScene, words: string): number {
  const { pid } = scene.prompts().find(({ text }) => text.includes(words))!;
  assert.ok(agentProcesses(scene).some((one) => one.pid === pid));
  return pid;
}

const answered = (message: FakeMessage) => message.reactions.has("🆗");

test(
  "an agent that is killed is told of; one that is frozen is stuck, with buttons; neither is in others' way",
  beside(async (t) => {
    const scene = await brokerScene(t, {
      more: "  limits: {silence: 10s}\n  pool: {max_sessions: 1}",
    });
    const { discord, alice } = scene;
    scene.start();
    await scene.ready();
    const killed = scene.mention("late 60 killed");
    const first = await scene.thread(killed);
    await scene.until("it works", () => /You said late/.test(discord.transcript(first)));
    process.kill(agentOf(scene, "killed"), "SIGKILL");
    await scene.until("it is told", () => killed.reactions.has("😱"));
    await scene.until("and why", () => /The agent is gone/.test(discord.transcript(first)));
    const again = discord.say(alice, first, "are you there?");
    await scene.until("it is there again", () => answered(again));

    const frozen = scene.mention("late 11 frozen");
    const second = await scene.thread(frozen);
    await scene.until("it works", () => /You said late/.test(discord.transcript(second)));
    const pid = agentOf(scene, "frozen");
    process.kill(pid, "SIGSTOP");
    const waiting = scene.mention("late 0.1 waiting");
    await scene.until("it is stuck", () => frozen.reactions.has("😨"));
    await scene.until("the other has its place", () => answered(waiting));
    const [shown] = scene.answers(second);
    assert.match(JSON.stringify(shown!.components), /Wait on.*Stop/);
    process.kill(pid, "SIGCONT");
    await scene.until("it goes on", () => answered(frozen));
    await scene.until(
      "all of it",
      () => /You said late 11 frozen/.test(discord.transcript(second)),
    );
    assert.deepEqual(discord.violations, []);
  }),
);

test(
  "another version takes over and gives back; a journal that cannot grow acknowledges nothing, says so, and goes on",
  beside(async (t) => {
    const scene = await brokerScene(t);
    const { discord, alice } = scene;
    const first = scene.start();
    await scene.ready();
    const asked = scene.mention("late 0.1 one");
    const thread = await scene.thread(asked);
    await scene.until("it is answered", () => answered(asked));
    const cut = discord.say(alice, thread, "late 1.5 two");
    await scene.until("it works", () => scene.prompts().length === 2);
    first.child.kill("SIGTERM");
    await first.ended;
    const other = scene.start({ isOther: true });
    await scene.until("the other version has answered", () => answered(cut));
    other.child.kill("SIGTERM");
    await other.ended;

    const { child } = scene.start();
    await scene.ready();
    const back = discord.say(alice, thread, "late 0.1 three");
    await scene.until("the first is back", () => answered(back));
    const limit = (bytes: string) =>
      execFileSync("prlimit", ["--pid", `${child.pid}`, `--fsize=${bytes}:`]);
    // Not even the next line has room.
    limit("1");
    const full = discord.say(alice, thread, "late 0.1 four");
    await scene.until("people are told", () => /cannot store/.test(discord.transcript(thread)));
    assert.equal(full.reactions.size, 0);
    limit("unlimited");
    await scene.until("it is answered after all", () => answered(full));
    const times = (word: string) =>
      scene.answers(thread).filter(({ content }) => new RegExp(`You said .*${word}`).test(content))
        .length;
    await scene.until("it is shown", () => times("four") === 1);
    assert.deepEqual(["one", "two", "three", "four"].map(times), [1, 1, 1, 1]);
    assert.deepEqual(discord.violations, []);
  }),
);
