import type { Clock } from "../../lib/base/clock.ts";
import type { Assignment, WorkerOrders, WorkerReport } from "../../lib/tasks/exchange.ts";
import type { AttemptReport, AttemptUse } from "../../lib/tasks/task.ts";
import { FENCED } from "../../lib/tasks/worker-runner.ts";
import type { AttemptHooks, RunningAttempt } from "../../lib/tasks/worker-runner.ts";
import { createWorker } from "../../lib/tasks/worker.ts";
import type { Worker, WorkerEnd } from "../../lib/tasks/worker.ts";
import type { WorkerJournal } from "../../lib/tasks/worker-journal.ts";
import {
  linesOf,
  plain,
  readJournalLines,
  takeLine,
} from "../../lib/tasks/worker-journal-lines.ts";
import type { JournalLine } from "../../lib/tasks/worker-journal-lines.ts";
import { LinkError } from "../../lib/tasks/worker-link.ts";
import type { WorkerLink } from "../../lib/tasks/worker-link.ts";
import type { PoolWorld } from "./pool-world.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** How bad the world is; all 0 when faults have ceased. */
export interface Weather {
  lose: number;
  double: number;
  /** An old answer comes in place of the right one. */
  old: number;
  /** Longest usual delay of a message, milliseconds. */
  delayMs: number;
  crashAtWrite: number;
  diskFull: number;
  startFails: number;
}

export const CALM: Weather = {
  lose: 0,
  double: 0,
  old: 0,
  delayMs: 50,
  crashAtWrite: 0,
  diskFull: 0,
  startFails: 0,
};

interface Agent {
  task: string;
  epoch: number;
  machine: Machine;
  deadline: number;
  alive: boolean;
  /** It was stopped at some time, as the whole machine was. */
  wasFrozen: boolean;
  /** Worker and attempt process were killed at once: it lives until the next start. */
  orphan: boolean;
}

/** A place where one worker after another runs, each a life. */
export interface Machine {
  name: string;
  host: string;
  disk: { text: string };
  life: Life | undefined;
  frozenUntil: number;
  cutOffUntil: number;
  agents: Set<Agent>;
}

interface Life {
  alive: boolean;
  worker: Worker;
  abort: AbortController;
}

export interface Crew {
  weather: Weather;
  /** What must never be; not thrown, for a worker takes what its runner throws for its own trouble. */
  broken: string[];
  machine(name: string, host: string): Machine;
  boot(machine: Machine): void;
  /** kill -9; `orphans`: the attempt processes too, so that nothing ends the agents. */
  crash(machine: Machine, orphans: boolean): void;
  wipe(machine: Machine): void;
  /** SIGSTOP; `all`: of the agents, too. */
  freeze(machine: Machine, ms: number, all: boolean): void;
  counts: {
    started: number;
    crashes: number;
    freezes: number;
    fenced: number;
    overlapsExcused: number;
    lost: number;
    doubled: number;
  };
  onEnd: (machine: Machine, end: WorkerEnd) => void;
}

/** Another way to the coordinator than its door. */
export interface CrewWay {
  /** `reach`: what reaches the worker's process, if it lives, and when it wakes. */
  linkOf(
    machine: Machine,
    clock: Clock & { elapsed(): number },
    reach: (act: () => void) => void,
  ): WorkerLink;
  everyMs: number;
  idleEveryMs: number;
  laterMs: number;
}

export function createCrew(
  time: VirtualTime,
  world: PoolWorld,
  random: () => number,
  way?: CrewWay,
): Crew {
  const live = new Map<string, Set<Agent>>();
  const begun = new Set<string>();
  const answers = new Map<string, WorkerOrders>();
  const crew: Crew = {
    weather: { ...CALM },
    broken: [],
    counts: {
      started: 0,
      crashes: 0,
      freezes: 0,
      fenced: 0,
      overlapsExcused: 0,
      lost: 0,
      doubled: 0,
    },
    onEnd: () => {},
    machine: (name, host) => ({
      name,
      host,
      disk: { text: "" },
      life: undefined,
      frozenUntil: 0,
      cutOffUntil: 0,
      agents: new Set(),
    }),
    boot,
    crash,
    wipe(machine) {
      machine.disk = { text: "" };
      for (const agent of machine.agents) over(agent);
    },
    freeze(machine, ms, all) {
      if (machine.life === undefined) return;
      crew.counts.freezes++;
      machine.frozenUntil = Math.max(machine.frozenUntil, time.now() + ms);
      if (all) { for (const agent of machine.agents) agent.wasFrozen = true; }
    },
  };
  const under = (most: number) => random() * most;
  const happens = (likely: number) => likely > 0 && random() < likely;

  /** What reaches a process: nothing after its death, and later while it is stopped. */
  function reach(machine: Machine, life: { alive: boolean }, act: () => void): void {
    if (!life.alive) return;
    if (machine.frozenUntil > time.now()) {
      time.at(machine.frozenUntil, () => reach(machine, life, act));
    } else act();
  }

  function clockOf(machine: Machine, life: { alive: boolean }): Clock & { elapsed(): number } {
    const rate = 0.98 + under(0.04);
    const offset = under(1_200_000) - 600_000;
    return {
      now: () => time.now() + offset,
      elapsed: () => time.now() * rate,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const takeBack = time.at(time.now() + ms / rate, () =>
            reach(machine, life, () => {
              signal?.removeEventListener("abort", stop);
              resolve();
            }));
          function stop() {
            takeBack();
            reject(signal?.reason);
          }
          signal?.addEventListener("abort", stop, { once: true });
        }),
    };
  }

  function linkOf(machine: Machine, life: { alive: boolean }): WorkerLink {
    return {
      exchange: (report, { signal, waitMs }) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason);
          const finish = (act: () => void) =>
            reach(machine, life, () => {
              takeBack();
              signal.removeEventListener("abort", stop);
              act();
            });
          const stop = () => {
            takeBack();
            reject(signal.reason);
          };
          const late = new LinkError("unreachable", "no answer came in time");
          const takeBack = time.at(time.now() + waitMs + 20_000, () => finish(() => reject(late)));
          signal.addEventListener("abort", stop, { once: true });
          const sent: WorkerReport = JSON.parse(JSON.stringify(report));
          send(machine, sent, waitMs, (orders) =>
            finish(() =>
              resolve(orders)
            ), () =>
            finish(() => reject(new LinkError("unreachable", "refused"))));
        }),
    };
  }

  function isCut(machine: Machine): boolean {
    return machine.cutOffUntil > time.now() || happens(crew.weather.lose);
  }

  function delay(): number {
    // Now and then a message is very late.
    return happens(0.02 * Math.sign(crew.weather.lose))
      ? under(90_000)
      : under(crew.weather.delayMs);
  }

  function send(
    machine: Machine,
    report: WorkerReport,
    waitMs: number,
    give: (orders: WorkerOrders) => void,
    fail: () => void,
  ): void {
    if (happens(crew.weather.double)) {
      crew.counts.doubled++;
      const again = time.now() + under(happens(0.3) ? 600_000 : 10_000);
      time.at(again, () => void world.serve(report, 0).catch(() => {}));
    }
    if (isCut(machine)) {
      crew.counts.lost++;
      return;
    }
    time.at(time.now() + delay(), () => {
      world.serve(report, waitMs).then((orders) => {
        const old = answers.get(machine.name);
        const given = old !== undefined && happens(crew.weather.old) ? old : orders;
        if (happens(0.2)) answers.set(machine.name, orders);
        if (isCut(machine)) crew.counts.lost++;
        else time.at(time.now() + delay(), () => give(given));
      }, () => time.at(time.now() + delay(), fail));
    });
  }

  function journalOf(machine: Machine, life: { alive: boolean }): WorkerJournal {
    const { kept, damaged } = readJournalLines(machine.disk.text);
    const { disk } = machine;
    disk.text = linesOf(kept).map((line) => `${JSON.stringify(line)}\n`).join("");
    const write = (line: JournalLine, durable: boolean) => {
      if (!life.alive) throw new Error("dead");
      if (durable && happens(crew.weather.diskFull)) throw new Error("no space");
      const dies = durable && happens(crew.weather.crashAtWrite);
      if (dies && happens(0.5)) return die();
      disk.text += `${JSON.stringify(line)}\n`;
      if (dies) return die();
      takeLine(kept, line);
    };
    const die = () => {
      crash(machine, false);
      throw new Error("killed");
    };
    return {
      kept: [...kept.open.values()].map((one) => ({ ...one })),
      damaged,
      nextLife(now) {
        const life = Math.max(Math.floor(now), kept.life + 1);
        write({ life }, false);
        return life;
      },
      lastEpoch: (task) => kept.seen.get(task) ?? 0,
      wordOf: (task, epoch) => kept.settled.get(`${task}:${epoch}`)?.report,
      begin: (task, epoch, at) => write({ begun: { task, epoch, at } }, true),
      note: (task, epoch, use) => write({ used: { task, epoch, use: [...use] } }, false),
      end: (task, epoch, report) => write({ ended: { task, epoch, report: plain(report) } }, true),
      settle: (task, epoch) => write({ settled: { task, epoch } }, false),
      close: () => {},
    };
  }

  function startAgent(
    machine: Machine,
    life: { alive: boolean },
    { task, epoch }: Assignment,
    hooks: AttemptHooks,
  ): RunningAttempt {
    if (!life.alive) throw new Error("dead");
    if (happens(crew.weather.startFails)) throw new Error("cannot fork");
    const agent: Agent = {
      task,
      epoch,
      machine,
      deadline: time.now() + hooks.deadManMs,
      alive: true,
      wasFrozen: false,
      orphan: false,
    };
    if (begun.has(`${task}:${epoch}`)) crew.broken.push(`${task}:${epoch} was run twice`);
    begun.add(`${task}:${epoch}`);
    crew.counts.started++;
    judgeOverlap(agent);
    machine.agents.add(agent);
    live.set(task, (live.get(task) ?? new Set()).add(agent));
    const ended = Promise.withResolvers<AttemptReport>();
    const startedAt = time.now();
    const use: AttemptUse[] = [{
      model: "m",
      input: 10,
      output: 5,
      cacheRead: 0,
      cacheWrite: 0,
      usd: 0.01,
    }];
    const say = (end: AttemptReport["end"], passing: boolean) => {
      if (!agent.alive) return;
      over(agent);
      const report: AttemptReport = {
        end,
        cause: end === "done" ? "" : `it ${end}`,
        passing,
        result: `${task}:${epoch}`,
        files: [],
        folder: "/x",
        use,
        startedAt,
        endedAt: time.now(),
      };
      reach(machine, life, () => ended.resolve(report));
    };
    /** Everything an agent does waits while its machine is stopped, and its switch is looked at first. */
    const act = (at: number, what: () => void) =>
      void time.at(at, () => {
        if (!agent.alive) return;
        if (agent.wasFrozen && machine.frozenUntil > time.now()) {
          return act(machine.frozenUntil, what);
        }
        if (!agent.orphan && agent.deadline <= time.now()) {
          return say("fenced", true);
        }
        what();
      });
    const watch = () => {
      if (!agent.orphan) act(agent.deadline, watch);
    };
    watch();
    if (happens(0.5)) {
      act(time.now() + under(60_000), () => reach(machine, life, () => hooks.onUse(use)));
    }
    act(time.now() + 1_000 + under(happens(0.3) ? 1_500_000 : 240_000), () => {
      const fate = random();
      if (fate < 0.7) say("done", true);
      else if (fate < 0.9) say("failed", true);
      else if (fate < 0.94) say("failed", false);
      else if (fate < 0.97) say("timed-out", false);
      else say("crashed", true);
    });
    return {
      renew(ms) {
        if (agent.alive && agent.deadline > time.now()) agent.deadline = time.now() + ms;
      },
      cancel(reason) {
        if (reason === FENCED) {
          crew.counts.fenced++;
          act(time.now() + 100, () => say("fenced", true));
        } else act(time.now() + under(15_000), () => say("cancelled", false));
      },
      ended: ended.promise,
    };
  }

  /** P2. */
  function judgeOverlap(agent: Agent): void {
    for (const other of live.get(agent.task) ?? []) {
      if (other.wasFrozen || other.orphan) crew.counts.overlapsExcused++;
      else {
        crew.broken.push(
          `P2: ${agent.task}:${agent.epoch} began on ${agent.machine.host} while ${other.epoch} ` +
            `ran on ${other.machine.host}`,
        );
      }
    }
  }

  function over(agent: Agent): void {
    agent.alive = false;
    agent.machine.agents.delete(agent);
    live.get(agent.task)?.delete(agent);
  }

  function boot(machine: Machine): void {
    if (machine.life !== undefined) return;
    machine.frozenUntil = 0;
    const abort = new AbortController();
    const life: { alive: boolean; worker?: Worker; abort: AbortController } = {
      alive: true,
      abort,
    };
    const clock = clockOf(machine, life);
    const worker = createWorker({
      link: way?.linkOf(machine, clock, (act) => reach(machine, life, act)) ??
        linkOf(machine, life),
      ...(way === undefined
        ? {}
        : { everyMs: way.everyMs, idleEveryMs: way.idleEveryMs, laterMs: way.laterMs }),
      runner: { start: (assignment, hooks) => startAgent(machine, life, assignment, hooks) },
      journal: journalOf(machine, life),
      endLeftOvers() {
        for (const agent of machine.agents) over(agent);
        return Promise.resolve([]);
      },
      clock,
      elapsed: clock.elapsed,
      random,
      identity: {
        worker: machine.name,
        version: "1",
        host: machine.host,
        slots: 2,
        labels: [],
        sandboxes: ["none"],
      },
      onStatus: () => {},
      log: { write: () => {} },
    });
    machine.life = Object.assign(life, { worker });
    worker.run(abort.signal).then((end) => {
      if (!life.alive) return;
      if (machine.agents.size > 0) crew.broken.push("A worker ended before its agents");
      life.alive = false;
      machine.life = undefined;
      crew.onEnd(machine, end);
    }, (error) => {
      // Killed in the middle of a write; anything else is a defect.
      if (life.alive) crew.broken.push(`A worker failed: ${(error as Error).message}`);
    });
  }

  function crash(machine: Machine, orphans: boolean): void {
    const { life } = machine;
    if (life === undefined) return;
    crew.counts.crashes++;
    life.alive = false;
    machine.life = undefined;
    for (const agent of [...machine.agents]) {
      // The pipe closes; who is stopped reads that when it wakes.
      if (orphans) agent.orphan = true;
      else if (agent.wasFrozen && machine.frozenUntil > time.now()) {
        time.at(machine.frozenUntil, () => over(agent));
      } else over(agent);
    }
  }

  return crew;
}
