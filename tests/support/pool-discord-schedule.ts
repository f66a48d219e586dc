import assert from "node:assert/strict";
import { createStream } from "../../lib/sweep/random.ts";
import { isOver } from "../../lib/tasks/task.ts";
import type { Task } from "../../lib/tasks/task.ts";
import { createFaults } from "./discord/faults.ts";
import type { Faults } from "./discord/faults.ts";
import { startDiscord } from "./discord/start-discord.ts";
import type { FakeDiscord } from "./discord/start-discord.ts";
import type { FakeMessage, Person } from "./discord/world.ts";
import { startCrew } from "./pool-discord-crew.ts";
import { createPoolProcess } from "./pool-discord-life.ts";
import type { PoolProcess } from "./pool-discord-life.ts";
import { createVirtualTime } from "./virtual-time.ts";
import type { VirtualTime } from "./virtual-time.ts";

export type Tally = Record<string, number>;

interface World {
  discord: FakeDiscord;
  time: VirtualTime;
  random(): number;
  process: PoolProcess;
  faults: Faults;
  said: { message: FakeMessage; kind: "task" | "wrong" | "foreign"; goneBy?: number }[];
  isCalm: boolean;
}

/** Steps of promises that one event may set off. */
const STEPS = 60;
const STORM_MS = 25 * 60_000;
const QUIET_MINUTES = 15;
/** After the last fault: back-offs of five minutes, leases, digests, with room. */
const PATIENCE_MS = 6 * 3_600_000;

/** One random life of a pool on a Discord with faults. Throws what was broken. */
export async function runDiscordSchedule(seed: number): Promise<Tally> {
  const random = createStream(seed, "pool on Discord");
  const time = createVirtualTime(1_790_000_000_000, STEPS);
  await using discord = await startDiscord({ clock: time.now, isLocal: true, isChecked: false });
  discord.skewMs = Math.round((random() - 0.5) * 240_000);
  if (random() < 0.5) discord.haste = 1;
  const [alice, bob, mallory] = ["alice", "bob", "mallory"].map((name) => discord.person(name));
  const world: World = {
    discord,
    time,
    random,
    process: createPoolProcess({
      discord,
      time,
      random,
      authors: [alice!.id, bob!.id],
      operators: [bob!.id],
      onDeath: () => fall(world),
    }),
    faults: createFaults(discord, seed),
    said: [],
    isCalm: false,
  };
  const { process } = world;
  try {
    process.start();
    await time.runUntil(time.now() + 20_000);
    startCrew({ time, random, process, loses: () => world.isCalm ? 0 : 0.1 });
    // One that is stored before anything breaks.
    say(world, alice!, "the first", "task");
    await time.runUntil(time.now() + 20_000);
    weather(world, 0.4 + random());
    mischief(world, alice!, mallory!);
    await time.runUntil(time.now() + STORM_MS);
    world.isCalm = true;
    world.faults.clear();
    Object.assign(process.faults, { die: 0, late: 0 });
    process.start();
    await time.runUntil(time.now() + 1_000);
    // Sessions do not last for ever: each ends with a look at what was missed.
    process.link()!.deafen(1_000, true);
    const until = time.now() + PATIENCE_MS;
    // A limit of ten minutes may hold back what nobody has heard of yet.
    for (let quiet = 0; quiet < QUIET_MINUTES && time.now() < until;) {
      await time.runUntil(time.now() + 60_000);
      quiet = isDone(world) ? quiet + 1 : 0;
    }
    return check(world);
  } finally {
    await process.dispose();
  }
}

function isDone({ process }: World): boolean {
  const state = process.desk()?.state();
  return state !== undefined && [...state.tasks.values()].every(isOver) &&
    process.channels()!.waiting() === 0;
}

function later({ time, random }: World, ms: number, act: () => void): void {
  time.at(time.now() + random() * ms, act);
}

function fall(world: World): void {
  world.process.die(world.random() < 0.25);
  later(world, world.random() < 0.2 ? 400_000 : 40_000, () => world.process.start());
}

function weather({ faults, process, random }: World, heat: number): void {
  const chance = (n: number) => n * heat * random() * 2;
  faults.call({ what: { kind: "stale", ms: 20_000 }, chance: chance(0.3) });
  faults.call({ what: { kind: "gone" }, chance: chance(0.3) });
  for (const when of ["before", "after"] as const) {
    faults.call({ what: { kind: "status", status: 503, when }, chance: chance(0.08) });
  }
  for (const when of ["before", "after", "middle"] as const) {
    faults.call({ what: { kind: "drop", when }, chance: chance(0.04) });
  }
  faults.call({
    what: { kind: "limit", seconds: 1 + random() * 5, scope: "user" },
    chance: chance(0.05),
  });
  faults.call({ what: { kind: "limit", seconds: 3, scope: "global" }, chance: chance(0.01) });
  faults.call({ what: { kind: "limit", seconds: 600, scope: "shared" }, chance: chance(0.003) });
  for (const fate of ["twice", "lost", "late"] as const) {
    faults.event({ fate, chance: chance(0.12), name: /^MESSAGE/ });
  }
  Object.assign(process.faults, { die: chance(0.006), late: chance(0.01) });
}

function mischief(world: World, alice: Person, mallory: Person): void {
  const { random, process, faults, discord } = world;
  const below = (n: number) => Math.floor(random() * n);
  const alive = () => world.said.filter(({ goneBy }) => goneBy === undefined);
  let count = 0;
  const acts: [weight: number, act: () => void][] = [
    [10, () => say(world, alice, `do thing ${++count}`, "task")],
    [2, () => say(world, alice, `with a key ${++count} [key:k${below(3)}]`, "task")],
    [2, () => say(world, alice, `x [model:nobody's ${++count}]`, "wrong")],
    [2, () => say(world, mallory, `mine ${++count}`, "foreign")],
    [3, () => {
      const one = alive()[below(alive().length)];
      if (one !== undefined && one.kind !== "foreign") {
        one.kind = "task";
        discord.editMessage(one.message, `changed ${++count}`);
      }
    }],
    [2, () => {
      const one = alive()[below(alive().length)];
      if (one === undefined) return;
      one.goneBy = world.time.now();
      discord.deleteMessage(one.message);
    }],
    [2, () => {
      process.desk()?.submit(`by the command line ${++count}`, {}, {
        kind: "cli",
        by: "cli:alice",
        name: "alice",
      });
    }],
    [1, () => {
      const ids = [...process.desk()?.state().tasks.keys() ?? []];
      const id = ids[below(ids.length)];
      if (id !== undefined) process.desk()?.cancel(id, "not wanted", "cli:alice");
    }],
    [1, () => {
      const ids = [...process.desk()?.state().tasks.keys() ?? []];
      const id = ids[below(ids.length)];
      if (id !== undefined) process.desk()?.retry(id, "cli:alice");
    }],
    [1, () => void process.link()?.deafen(random() * 300_000, random() < 0.5)],
    [1, () => {
      const forMs = random() * (random() < 0.3 ? 720_000 : 90_000);
      const when = random() < 0.7 ? "before" : "after";
      faults.call({ what: { kind: "status", status: 502, when }, forMs });
    }],
    [1, () => fall(world)],
  ];
  const total = acts.reduce((sum, [weight]) => sum + weight, 0);
  const guarded = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if ((error as Error).message !== "the process was killed") throw error;
    }
  };
  function storm(): void {
    if (world.isCalm) return;
    let at = random() * total;
    guarded(acts.find(([weight]) => (at -= weight) < 0)![1]);
    later(world, random() < 0.3 ? 2_000 : 60_000, storm);
  }
  storm();
}

function say(world: World, by: Person, text: string, kind: World["said"][number]["kind"]): void {
  const message = world.discord.say(by, world.discord.channel("task-queue")!, text);
  world.said.push({ message, kind });
}

function check(world: World): Tally {
  const { discord, process, said } = world;
  const state = process.desk()!.state();
  const events = process.journal;
  const tasks = [...state.tasks.values()];
  for (const task of tasks) assert.ok(isOver(task), `"${task.id}" is ${task.status}`);
  let accepted = 0;
  let refused = 0;
  for (const { message, kind, goneBy } of said) {
    const task = state.tasks.get(`discord-${message.id}`);
    const has = (sign: string) => message.reactions.get(sign)?.includes(discord.bot.id) === true;
    const isKeyed = /\[key:/.test(message.content);
    if (has("👀") && !isKeyed) {
      accepted++;
      assert.ok(task, `"${message.content}" was accepted and is no task`);
    }
    if (kind === "foreign") assert.equal(task, undefined, `"${message.content}" is a task`);
    if (task === undefined) refused++;
    // Whoever was deleted may never have been read.
    if (kind !== "task" || goneBy !== undefined) continue;
    const key = /\[key:(\w+)\]/.exec(message.content)?.[1];
    assert.ok(
      task !== undefined || (key !== undefined && state.keys.has(key)),
      `lost: "${message.content}" of ${message.id}`,
    );
  }
  const submitted = new Map<string, number>();
  const ended = new Map<string, number>();
  const done = new Map<string, number>();
  const add = (map: Map<string, number>, key: string, by = 1) =>
    map.set(key, (map.get(key) ?? 0) + by);
  for (const { what } of events) {
    if (what.type === "task-submitted") add(submitted, what.task);
    if (what.type === "task-ended") add(ended, what.task);
    if (what.type === "attempt-ended" && what.report.end === "done") add(done, what.task);
  }
  const retried = new Map<string, number>();
  for (const { what } of events) if (what.type === "task-retried") add(retried, what.task);
  for (const { id, status } of tasks) {
    assert.equal(submitted.get(id), 1, `"${id}" was submitted more than once`);
    assert.equal((ended.get(id) ?? 0) - (retried.get(id) ?? 0), 1, `"${id}" ended more than once`);
    assert.equal(done.get(id) ?? 0, status === "succeeded" ? 1 : 0, `results of "${id}"`);
  }
  const told = checkResults(world, tasks, ended);
  assert.deepEqual(
    discord.messages(discord.channel("results")!).flatMap(({ pinged }) => pinged),
    [],
  );
  const sum = (names: RegExp) =>
    Object.entries(world.faults.counts).reduce(
      (all, [name, n]) => names.test(name) ? all + n : all,
      0,
    );
  return {
    messages: said.length,
    accepted,
    "not tasks": refused,
    tasks: tasks.length,
    ends: [...ended.values()].reduce((a, b) => a + b, 0),
    ...told,
    crashes: process.counts.deaths,
    "memories lost": process.counts.memoriesLost,
    requests: discord.calls.length,
    "calls that failed": sum(/status|drop|limit|gone/),
    "stale reads": sum(/stale/),
    "events lost, doubled, late": sum(/event/),
  };
}

/** Each end is told; twice at worst, never differently. */
function checkResults(
  world: World,
  tasks: readonly Task[],
  ended: ReadonlyMap<string, number>,
): Tally {
  const { discord } = world;
  const posts = discord.messages(discord.channel("results")!);
  let doubled = 0;
  let digested = 0;
  for (const { id } of tasks) {
    const own = posts.filter(({ content }) =>
      content.startsWith("**[") && content.includes(`\`${id}\``)
    );
    const inDigests = posts.filter(({ content }) =>
      content.startsWith("📬") && content.includes(id)
    );
    const ends = ended.get(id)!;
    const different = new Set(own.map(({ content }) => content)).size;
    assert.ok(
      different <= ends,
      `"${id}" has ${different} different results for ${ends} ends:\n${
        own.map(({ content }) => content).join("\n--\n")
      }`,
    );
    if (own.length + inDigests.length > ends) doubled += own.length + inDigests.length - ends;
    assert.ok(own.length + inDigests.length > 0, `the end of "${id}" is not told`);
    digested += inDigests.length;
  }
  return { "results told": posts.length, "told in digests": digested, "told twice": doubled };
}

/** Schedules of seeds `from`, `from + 1`, …; the sum of what happened. */
export async function runDiscordSchedules(from: number, many: number): Promise<Tally> {
  const sum: Tally = {};
  for (let seed = from; seed < from + many; seed++) {
    try {
      for (const [key, value] of Object.entries(await runDiscordSchedule(seed))) {
        sum[key] = (sum[key] ?? 0) + value;
      }
    } catch (error) {
      throw new Error(`Schedule ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  return sum;
}
