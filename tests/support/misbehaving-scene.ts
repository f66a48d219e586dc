import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type BrokerProcess, type BrokerScene, brokerScene } from "./broker-scene.ts";
import type { FakeChannel, FakeMessage } from "./discord/world.ts";

interface Test {
  after(act: () => unknown): void;
  diagnostic(text: string): void;
}

/** A conversation that somebody began with one message. */
export interface Held {
  asked: FakeMessage;
  thread: FakeChannel;
  /** As people read it. */
  text(): string;
}

/** Conversations with agents that do as they are told, also what no agent should. */
export interface MisbehavingScene extends BrokerScene {
  daemon: BrokerProcess;
  begin(words: string): Promise<Held>;
  say(held: Held, words: string): FakeMessage;
  /** It has this sign, and its thread says this. */
  sees(held: Held, sign: string, what: RegExp, ms?: number): Promise<void>;
  /** The message with buttons that is shown there now; `has`: what it says. */
  asks(held: Held, has: RegExp): Promise<FakeMessage>;
  /** What the button shows to whoever presses it. */
  details(held: Held): Promise<string>;
  /** The next agent that starts does so in this way. */
  nextStarts(how: "crash" | "null"): void;
  /** All neighbours are asked at once; the slowest answer, in milliseconds. */
  neighbours(): Promise<number>;
  /** Resident memory of the daemon now and at its highest, MB. */
  memory(): { now: number; most: number };
  /** Processes that this daemon started, and those that they did, by command line. */
  started(): string[];
}

/** `neighbours`: conversations that behave, beside those that the test begins. */
export async function misbehavingScene(
  t: Test,
  { neighbours }: { neighbours: number },
): Promise<MisbehavingScene> {
  const agent = new URL("./acp-misbehaving.py", import.meta.url).pathname;
  const scene = await brokerScene(t, {
    agent: `{kind: acp, command: [python3, ${agent}, FOLDER]}`,
    more: "  pool: {max_sessions: 60}\n  limits: {silence: 10s}\n  permissions: {timeout: 10s}\n",
  });
  const daemon = scene.start();
  await scene.ready();
  const { discord, alice, until } = scene;
  const held: Held[] = [];
  let round = 0;

  async function begin(words: string): Promise<Held> {
    const asked = scene.mention(words);
    const thread = await scene.thread(asked);
    return { asked, thread, text: () => discord.transcript(thread) };
  }

  async function askNeighbour(one: Held, words: string): Promise<number> {
    const began = performance.now();
    discord.say(alice, one.thread, words);
    await until(`a neighbour answers "${words}"`, () => one.text().includes(`You said ${words}`));
    return performance.now() - began;
  }

  for (let i = 0; i < neighbours; i++) held.push(await begin(`neighbour ${i}`));
  for (const one of held) await until("it lives", () => /You said/.test(one.text()));

  return {
    ...scene,
    daemon,
    begin,
    say: ({ thread }, words) => discord.say(alice, thread, words),
    async sees({ asked, text }, sign, what, ms) {
      await until(`"${asked.content}" has ${sign}`, () => asked.reactions.has(sign), ms);
      await until(`"${asked.content}" tells ${what}`, () => what.test(text()), ms);
    },
    async asks({ thread }, has) {
      const last = () => scene.answers(thread).findLast(({ components }) => components.length > 0);
      await until(`it asks ${has}`, () => has.test(last()?.content ?? ""));
      return last()!;
    },
    async details({ thread }) {
      const failed = () =>
        scene.answers(thread).find(({ components }) => /Details/.test(JSON.stringify(components)));
      await until("a button for details", () => failed() !== undefined);
      const { ephemeral, message } = await discord.click(alice, failed()!, "Details");
      return ephemeral ? message()!.content : "shown to all";
    },
    nextStarts: (how) => writeFileSync(scene.path("start"), how),
    async neighbours() {
      const words = `round ${++round}`;
      return Math.max(...await Promise.all(held.map((one) => askNeighbour(one, words))));
    },
    memory() {
      const status = readFileSync(`/proc/${daemon.child.pid}/status`, "utf8");
      const of = (key: string) =>
        Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
      return { now: of("VmRSS"), most: of("VmHWM") };
    },
    started: () => withHome(scene.path()),
  };
}

/** Living processes with this home in their environment, but for this one. */
function withHome(home: string): string[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
      if (!readFileSync(`/proc/${name}/environ`, "utf8").includes(`=${home}`)) return [];
      return [readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}
