import assert from "node:assert/strict";
import type { BrokerProcess, BrokerScene } from "./broker-scene.ts";
import { type Asked, checkConversations, unsettled } from "./conversation-checks.ts";
import type { FakeChannel } from "./discord/world.ts";
import { seeded } from "./kill-campaign.ts";

export interface BrokerKillWish {
  kills: number;
  seed: number;
  /** At once. */
  conversations: number;
}

type Moment = "time" | "event" | "call" | "start";

export interface BrokerKillCounts {
  kills: number;
  /** By what the moment was chosen. */
  moments: Record<Moment, number>;
  conversations: number;
  messages: number;
  turns: number;
  /** Prompts that the agent saw again, because its first answer was not stored. */
  prompts: number;
  /** Ends that were asked for (SIGTERM), beside the kills. */
  drains: number;
  /** Messages that were given up, with a sentence. */
  lost: number;
  /** From the last start until all was answered, milliseconds. */
  longest: number;
}

/** A machine that is busy with other things takes its time. */
const SETTLES_MS = 180_000;
const MAY_KILL_AT = [
  /^POST .*\/messages$/,
  /^PATCH /,
  /^PUT .*\/reactions/,
  /^DELETE /,
  /^POST .*\/threads$/,
];

/**
 * Kills the daemon (SIGKILL) at moments that the seed chooses, while people talk in several
 * conversations, starts it again, waits until all is answered and looks: at what Discord holds and at
 * what the journal says.
 */
export async function brokerKillCampaign(
  scene: BrokerScene,
  { kills, seed, conversations }: BrokerKillWish,
): Promise<BrokerKillCounts> {
  const { discord, alice } = scene;
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const asked: Asked[] = [];
  const open: (FakeChannel | undefined)[] = Array.from({ length: conversations });
  const counts: BrokerKillCounts = {
    ...{
      kills: 0,
      drains: 0,
      conversations: 0,
      messages: 0,
      turns: 0,
      prompts: 0,
      lost: 0,
      longest: 0,
    },
    moments: { time: 0, event: 0, call: 0, start: 0 },
  };
  let daemon = scene.start();
  await scene.ready();

  function speak(): void {
    const slot = below(conversations);
    const token = `t${asked.length}.`;
    const text = `late ${(random() * 0.9).toFixed(2)} ${token}`;
    // A conversation that people have left makes room for a new one.
    const thread = random() < 0.1 ? undefined : threadIn(slot);
    if (thread === undefined) counts.conversations++;
    const message = thread === undefined ? scene.mention(text) : discord.say(alice, thread, text);
    if (thread === undefined) open[slot] = undefined;
    asked.push({ message, token, thread: thread?.id ?? message.id, slot });
  }

  /** The one that the last mention of the slot has opened. */
  function threadIn(slot: number): FakeChannel | undefined {
    const last = asked.findLast((one) => one.slot === slot);
    return last === undefined ? undefined : discord.channels.get(last.thread);
  }

  async function strike(moment: Moment): Promise<void> {
    const limit = moment === "time"
      ? random() * 2_500
      : moment === "start"
      ? random() * 700
      : 4_000;
    const nth = 1 + below(12);
    const watch = watchFor(scene, moment, nth, MAY_KILL_AT[below(MAY_KILL_AT.length)]!);
    const until = Date.now() + limit;
    const speakAt = Array.from({ length: below(4) }, () => Date.now() + random() * limit);
    while (Date.now() < until && !watch.isDue()) {
      if (speakAt.some((at) => at <= Date.now())) {
        speakAt.splice(speakAt.findIndex((at) => at <= Date.now()), 1);
        speak();
      }
      await pause(2);
    }
    watch.end();
    const isDrain = random() < 0.12;
    await end(daemon, isDrain ? "SIGTERM" : "SIGKILL");
    if (isDrain) counts.drains++;
    else {
      counts.kills++;
      counts.moments[moment]++;
    }
  }

  while (counts.kills < kills) {
    for (let n = 3 + below(conversations); n > 0; n--) speak();
    await strike((["time", "event", "call"] as const)[below(3)]!);
    // What is said while nobody listens.
    for (let n = below(4); n > 0; n--) speak();
    while (counts.kills < kills && random() < 0.3) {
      daemon = scene.start();
      await strike(random() < 0.5 ? "start" : "call");
    }
    const began = Date.now();
    daemon = scene.start();
    await scene.until(
      `all is answered after kill ${counts.kills}`,
      () => unsettled(scene, asked) === undefined,
      SETTLES_MS,
    ).catch((error) => {
      throw new Error(`${unsettled(scene, asked)}\n${error.message}`);
    });
    counts.longest = Math.max(counts.longest, Date.now() - began);
    checkConversations(scene, asked, daemon.child.pid!);
  }
  assert.deepEqual(discord.violations, []);
  const { turns, lost } = checkConversations(scene, asked, daemon.child.pid!);
  counts.prompts = scene.prompts().length;
  return { ...counts, messages: asked.length, turns, lost };
}

export function brokerKillText({ moments, ...counts }: BrokerKillCounts): string {
  return `${counts.kills} kills (${moments.time} at a time, ${moments.event} after an event, ` +
    `${moments.call} at a call to Discord, ${moments.start} in a start), ` +
    `${counts.drains} orderly ends, ${counts.conversations} conversations, ${counts.messages} messages, ${counts.turns} turns, ` +
    `${counts.prompts} prompts, ${counts.lost} given up with a word, ` +
    `${counts.longest} ms at most until all was answered`;
}

/** Tells when the n-th thing of a kind has happened since now. */
function watchFor(
  { discord, events }: BrokerScene,
  moment: Moment,
  nth: number,
  route: RegExp,
): { isDue(): boolean; end(): void } {
  if (moment === "event") {
    const begin = events().length;
    return { isDue: () => events().length >= begin + nth, end() {} };
  }
  if (moment !== "call") return { isDue: () => false, end() {} };
  let left = nth;
  let due = false;
  let release = () => {};
  discord.fault = ({ method, path }) => {
    if (due || !route.test(`${method} ${path}`) || --left > 0) return undefined;
    due = true;
    // It is carried out, and nobody hears the answer.
    return { kind: "hold", until: new Promise<void>((resolve) => release = resolve) };
  };
  return {
    isDue: () => due,
    end() {
      discord.fault = () => undefined;
      release();
    },
  };
}

async function end({ child, ended }: BrokerProcess, signal: NodeJS.Signals): Promise<void> {
  assert.equal(child.exitCode, null, "nobody else has ended it");
  const began = Date.now();
  child.kill(signal);
  await ended;
  assert.ok(Date.now() - began < 15_000, "A.17.6: nothing is drained for long");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
