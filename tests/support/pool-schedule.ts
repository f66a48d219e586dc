import assert from "node:assert/strict";
import { createStream } from "../../lib/sweep/random.ts";
import { CALM, createCrew } from "./pool-crew.ts";
import type { CrewWay, Machine, Weather } from "./pool-crew.ts";
import { checkJournal, createPoolWorld, ORIGIN, passOver, STEP_MS, wishOf } from "./pool-world.ts";
import { isOver } from "../../lib/tasks/task.ts";
import type { PoolWorld } from "./pool-world.ts";
import { createVirtualTime } from "./virtual-time.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { WorkerMailbox, WorkerVia } from "../../lib/tasks/pool-event.ts";

/** Workers that reach the coordinator otherwise than by its door, with the faults of that way. */
export interface ScheduleWay {
  crew: CrewWay;
  enrolment(name: string): { via: WorkerVia; mailbox?: WorkerMailbox };
  mischief: readonly (() => void)[];
  /** Faults cease. */
  calm(): void;
  counts: Tally;
}

export type Tally = Record<string, number>;

const STORM: Weather = {
  lose: 0.15,
  double: 0.1,
  old: 0.03,
  delayMs: 3_000,
  crashAtWrite: 0.02,
  diskFull: 0.02,
  startFails: 0.02,
};

/** After the last fault: the longest lease, all back-offs and the longest agent, with room. */
const PATIENCE_MS = 6 * 3_600_000;

/** One random life of a pool, faults and all, checked all along. Throws what was broken. */
export async function runSchedule(
  seed: number,
  make?: (time: VirtualTime, world: PoolWorld, random: () => number) => ScheduleWay,
): Promise<Tally> {
  const random = createStream(seed, "pool");
  const time = createVirtualTime();
  const world = createPoolWorld(time, random);
  const way = make?.(time, world, random);
  const crew = createCrew(time, world, random, way?.crew);
  const below = (n: number) => Math.floor(random() * n);
  const names = Array.from({ length: 2 + below(3) }, (_, i) => `worker-${i + 1}`);
  const machines: Machine[] = names.map((name, i) => crew.machine(name, `host-${i + 1}`));
  // Sometimes somebody starts a worker's second life elsewhere while the first goes on.
  // With one bot they share a mailbox, where only the later one is heard: that is not promised.
  if (random() < 0.15 && way === undefined) machines.push(crew.machine(names[0]!, "host-x"));
  const begun = time.now();
  let isCalm = false;
  let submitted = 0;
  const removed = new Set<string>();

  const pick = <T>(all: readonly T[]): T => all[below(all.length)]!;
  const act = (what: () => void) => {
    if (world.coordinator() === undefined) return;
    try {
      what();
    } catch (error) {
      passOver(error);
    }
  };
  const desk = () => world.coordinator()!;
  const someTask = () => pick([...world.state().tasks.keys(), "none"]);
  const enrol = (name: string) =>
    act(() => {
      const how = way?.enrolment(name) ?? { via: "http" as const };
      desk().enrol({ name, labels: [], proof: "", ...how }, "test");
      removed.delete(name);
    });
  const later = (ms: number, what: () => void) => void time.at(time.now() + ms, what);

  crew.onEnd = (machine) =>
    later(1_000 + random() * 60_000, () => {
      if (machine.host !== "host-x" || !isCalm) crew.boot(machine);
    });

  const submit = () =>
    act(() => {
      const worker = random() < 0.2 ? pick(names) : undefined;
      const key = random() < 0.3 ? `key-${below(5)}` : undefined;
      const answer = desk().submit(
        wishOf("do", { worker, key, priority: below(3) }),
        ORIGIN,
        random() < 0.3 ? `discord-${below(8)}` : undefined,
      );
      if ("task" in answer && answer.isNew) submitted++;
    });

  const mischief: (() => void)[] = [
    submit,
    submit,
    submit,
    () => act(() => desk().cancel(someTask(), "not wanted", "test")),
    () => act(() => desk().retry(someTask(), "test")),
    () => act(() => desk().acknowledge(someTask(), "test")),
    () => act(() => desk().revise(someTask(), wishOf("do it otherwise"), "test")),
    () => {
      const name = pick(names);
      act(() => desk().drain(name, true, "test"));
      later(random() * 600_000, () => act(() => desk().drain(name, false, "test")));
    },
    () => {
      if (random() < 0.7) return;
      const name = pick(names);
      removed.add(name);
      act(() => desk().remove(name, "test"));
      later(random() * 600_000, () => enrol(name));
    },
    () => {
      if (random() < 0.6) return;
      act(() => desk().stop({ now: random() < 0.5, why: "stop" }, "test"));
      later(random() * 300_000, () => act(() => desk().resume("test")));
    },
    () => {
      world.kill();
      later(random() < 0.2 ? random() * 900_000 : random() * 60_000, () => world.start());
    },
    () => {
      const machine = pick(machines);
      const isBare = random() < 0.2;
      crew.crash(machine, random() < 0.1);
      if (isBare) crew.wipe(machine);
      later(random() < 0.3 ? random() * 1_200_000 : random() * 30_000, () => crew.boot(machine));
    },
    () => crew.freeze(pick(machines), random() * 1_200_000, random() < 0.5),
    () => {
      pick(machines).cutOffUntil = time.now() + random() * (random() < 0.5 ? 90_000 : 900_000);
    },
    () => {
      const { life } = pick(machines);
      if (random() < 0.5) life?.worker.leave();
      else life?.abort.abort();
    },
  ];

  mischief.push(...way?.mischief ?? []);

  function storm(): void {
    if (isCalm) return;
    pick(mischief)();
    later(random() * 45_000, storm);
  }

  world.start();
  for (const name of names) enrol(name);
  for (const machine of machines) {
    later(random() * (machine.host === "host-x" ? 1_200_000 : 20_000), () => crew.boot(machine));
  }
  for (let i = 0; i < 4; i++) later(random() * 60_000, submit);
  const heat = 0.3 + random();
  for (const key of Object.keys(STORM) as (keyof Weather)[]) crew.weather[key] = STORM[key] * heat;
  Object.assign(world.faults, { die: 0.02 * heat, refuse: 0.02 * heat });
  // Whoever was killed in the middle of a write is started again.
  const nurse = () => {
    if (world.coordinator() === undefined && random() < 0.3) world.start();
    for (const machine of machines) {
      if (machine.life === undefined && random() < 0.2 && !(isCalm && machine.host === "host-x")) {
        crew.boot(machine);
      }
    }
    later(20_000, nurse);
  };
  nurse();
  storm();
  await time.runUntil(begun + 1_200_000 + random() * 1_800_000);

  isCalm = true;
  Object.assign(crew.weather, CALM);
  Object.assign(world.faults, { die: 0, refuse: 0 });
  way?.calm();
  world.start();
  for (const machine of machines) {
    machine.cutOffUntil = 0;
    if (machine.host === "host-x") crew.crash(machine, false);
    else crew.boot(machine);
  }
  for (const name of names) {
    enrol(name);
    act(() => desk().drain(name, false, "test"));
  }
  act(() => desk().resume("test"));
  const until = time.now() + PATIENCE_MS;
  const isOpen = () => [...world.state().tasks.values()].some((task) => !isOver(task));
  while (time.now() < until && isOpen()) await time.runUntil(time.now() + 60_000);
  // The last words are answered, too.
  await time.runUntil(time.now() + 10 * STEP_MS);
  assert.deepEqual(crew.broken, []);
  checkJournal(world);

  const ends = [...world.state().tasks.values()].map(({ status }) => status);
  const of = (status: string) => ends.filter((one) => one === status).length;
  return {
    submitted,
    succeeded: of("succeeded"),
    failed: of("failed"),
    cancelled: of("cancelled"),
    expired: of("expired"),
    dead: of("dead"),
    attempts: crew.counts.started,
    discarded: world.events().filter(({ what }) => what.type === "result-discarded").length,
    lostAttempts: world.events().filter(({ what }) => what.type === "attempt-lost").length,
    exchanges: world.counts.exchanges,
    lostMessages: crew.counts.lost,
    doubled: crew.counts.doubled,
    workerCrashes: crew.counts.crashes,
    freezes: crew.counts.freezes,
    fenced: crew.counts.fenced,
    coordinatorDeaths: world.counts.deaths,
    overlapsExcused: crew.counts.overlapsExcused,
    virtualMinutes: Math.round((time.now() - begun) / 60_000),
    worstSilenceMs: world.counts.worstSilenceMs,
    ...way?.counts,
  };
}

/** Schedules of seeds `from`, `from + 1`, …; the sum of what happened. */
export async function runSchedules(
  from: number,
  many: number,
  make?: Parameters<typeof runSchedule>[1],
): Promise<Tally> {
  const sum: Tally = {};
  for (let seed = from; seed < from + many; seed++) {
    try {
      for (const [key, value] of Object.entries(await runSchedule(seed, make))) {
        const is = sum[key] ?? 0;
        sum[key] = key.startsWith("worst") ? Math.max(is, value) : is + value;
      }
    } catch (error) {
      throw new Error(`Schedule ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  return sum;
}
