/** What people wait for when they mention a bot that has much to do, and what an idle conversation costs; on a loopback Discord. */
import { type BrokerScene, brokerScene } from "../tests/support/broker-scene.ts";
import type { FakeChannel, FakeMessage } from "../tests/support/discord/world.ts";
import { cost, report } from "./bench-figures.ts";

/** Conversations whose agents live and have nothing to do. */
const LIVE = 50;
const TIMES = 20;
/** Agents end their answers that long after their first words, so that the words are seen to stream. */
const SLOW = "slow 0.8";

export async function benchBroker(): Promise<void> {
  const after: (() => unknown)[] = [];
  try {
    const scene = await brokerScene({ after: (act) => void after.push(act) }, {
      more: `  pool: {max_sessions: ${LIVE + TIMES}, max_waiting: 100}`,
    });
    const daemon = scene.start().child.pid!;
    await scene.ready();
    const empty = await settled(daemon);
    const threads = await openAll(scene);
    const full = await settled(daemon);
    await reportMemory(daemon, empty, full);
    await benchMentions(scene);
    await benchFollowUps(scene, threads);
  } finally {
    for (const act of after.reverse()) await act();
  }
}

/** Fifty threads, each with an agent that lives. */
async function openAll(scene: BrokerScene): Promise<FakeChannel[]> {
  const asked = Array.from({ length: LIVE }, (_, i) => scene.mention(`hello ${i}`));
  for (const one of asked) await scene.until("an answer", () => isDone(one), 120_000);
  return await Promise.all(asked.map(scene.thread));
}

async function benchMentions(scene: BrokerScene): Promise<void> {
  const { discord } = scene;
  const times = { eyes: [] as number[], thread: [] as number[], words: [] as number[] };
  const before = discord.calls.length;
  for (let i = 0; i < TIMES; i++) {
    const at = performance.now();
    const asked = scene.mention(SLOW);
    const since = () => performance.now() - at;
    await Promise.all([
      scene.until("👀", () => asked.reactions.has("👀")).then(() => times.eyes.push(since())),
      scene.until("a thread", () => asked.thread !== undefined)
        .then(() => times.thread.push(since())),
      scene.until("words", () => asked.thread !== undefined && hasWords(scene, asked.thread))
        .then(() => times.words.push(since())),
    ]);
    await scene.until("the end", () => isDone(asked));
  }
  const calls = discord.calls.slice(before);
  report(`a mention, ${LIVE} live: to 👀`, times.eyes, "aim: 100");
  report("to its thread", times.thread, "aim: 300");
  report("to the first words of a new agent", times.words, "aim: 1000");
  reportCalls("requests of a first turn", calls);
}

async function benchFollowUps(scene: BrokerScene, threads: readonly FakeChannel[]): Promise<void> {
  const { discord, alice } = scene;
  const eyes: number[] = [];
  const words: number[] = [];
  const before = discord.calls.length;
  for (const thread of threads.slice(0, TIMES)) {
    const known = scene.answers(thread).length;
    const at = performance.now();
    const asked = discord.say(alice, thread, SLOW);
    await Promise.all([
      scene.until("👀", () => asked.reactions.has("👀"))
        .then(() => eyes.push(performance.now() - at)),
      scene.until("words", () => hasWords(scene, thread, known))
        .then(() => words.push(performance.now() - at)),
    ]);
    await scene.until("the end", () => isDone(asked));
  }
  report("a word to an agent that lives: to 👀", eyes, "aim: 100");
  report("to its first words", words, "aim: 300");
  reportCalls("requests of a further turn", discord.calls.slice(before));
}

function hasWords(scene: BrokerScene, thread: FakeChannel, known = 0): boolean {
  return scene.answers(thread).slice(known).some(({ content }) => content.includes("I begin"));
}

function isDone({ reactions }: FakeMessage): boolean {
  return reactions.has("🆗") && reactions.size === 1;
}

/** After two seconds in which nothing happens. */
async function settled(pid: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  return (await cost(pid)).megabytes;
}

async function reportMemory(daemon: number, empty: number, full: number): Promise<void> {
  let theirs = 0;
  for (const pid of await below(daemon)) theirs += (await cost(pid)).megabytes;
  const each = ((full - empty) * 1024 / LIVE).toFixed(0);
  console.log(
    `memory of the daemon, ${LIVE} idle sessions`.padEnd(45) +
      `${empty} MB before, ${full} MB with them: ${each} KB each; ` +
      `agents of ${Math.round(theirs / LIVE)} MB each beside it`,
  );
}

/** All processes that a process has begun, and those that they have begun. */
async function below(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => undefined);
    if (stat !== undefined) {
      parents.set(Number(name), Number(stat.replace(/^.*\) /, "").split(" ")[1]));
    }
  }
  const isBelow = (one: number | undefined): boolean =>
    one !== undefined && (one === pid || isBelow(parents.get(one)));
  return [...parents].filter(([, parent]) => isBelow(parent)).map(([child]) => child);
}

function reportCalls(what: string, calls: readonly { method: string; path: string }[]): void {
  const kinds = new Map<string, number>();
  for (const { method, path } of calls) {
    const kind = `${method} ${/.*\/(reactions|threads|typing|messages)/.exec(path)?.[1] ?? path}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const shown = [...kinds].map(([kind, count]) => `${(count / TIMES).toFixed(1)} ${kind}`);
  console.log(`${what.padEnd(45)}${(calls.length / TIMES).toFixed(1)}: ${shown.join(", ")}`);
}

if (import.meta.main) await benchBroker();
