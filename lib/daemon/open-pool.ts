import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import { openJournal } from "../store/journal.ts";
import { acquireLease, STALE_MS } from "../store/lease.ts";
import type { Lease } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import type { Event } from "../sweep/event.ts";
import { createCoordinator } from "../tasks/coordinator.ts";
import type { Coordinator } from "../tasks/coordinator.ts";
import type { WorkerOrders, WorkerReport } from "../tasks/exchange.ts";
import { enrolCommand } from "../tasks/enrol-command.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import type { JobBoard, PoolDesk, Submitted, WishOverrides } from "../tasks/pool-desk.ts";
import type { PoolHappening, WorkerMailbox } from "../tasks/pool-event.ts";
import { resolveWish } from "../tasks/resolve-wish.ts";
import { readScaleWish } from "../tasks/scale-wish.ts";
import { SLURM_LABEL } from "../tasks/slurm-worker.ts";
import { refuseFiles } from "../tasks/task-data.ts";
import { isOver } from "../tasks/task.ts";
import { parseTaskText } from "../tasks/task-text.ts";
import { POOL_FOLD } from "./pool-fold.ts";
import type { PoolPlace } from "./pool-place.ts";
import { spentToday } from "./pool-budget.ts";
import { keepTaskData, readTaskData } from "./pool-data.ts";
import { createFileStore } from "./pool-file-store.ts";

export interface OpenPoolParts {
  place: PoolPlace;
  /** As the file says now. */
  config(): PoolConfig;
  clock: Clock;
  log: Log;
}

/** What is written down of workers that are SLURM jobs. */
export interface JobRecords {
  /** Enrols the worker along with it. */
  intend(job: {
    worker: string;
    number: number;
    jobName: string;
    slots: number;
    labels: readonly string[];
  }): void;
  submitted(worker: string, jobId: string): void;
  /** The worker goes, and what it ran is offered again. */
  ended(worker: string, how: string, why: string): void;
}

export interface OpenPool extends AsyncDisposable {
  desk: PoolDesk;
  jobs: JobRecords;
  /** What does not work, by what it is of; undefined: it works. */
  trouble(of: "configuration" | "Discord", why: string | undefined): void;
  /** Where `desk.jobs` looks. */
  showJobs(board: () => JobBoard): void;
  mail: PoolMailDesk;
  /** Gives up what is lost, gives out what waits, fires what is due. */
  step(): void;
}

/** What the doors to workers that reach nothing but Discord need beside the desk. */
export interface PoolMailDesk extends Pick<Coordinator, "exchange" | "looked"> {
  enrol(
    worker: { name: string; labels: readonly string[]; mailbox: WorkerMailbox },
    by: string,
  ): void;
  /** Who opens mailboxes; returns what takes it back. */
  onInvite(inviter: MailInviter): () => void;
}

export type MailInviter = (
  worker: { name: string; labels: readonly string[] },
  by: string,
) => Promise<{ code: string; minutes: number } | { refused: string }>;

/** Workers that were silent for so long are offered nothing. */
const QUIET_MS = 90_000;
const CODE_MINUTES = 60;
/** Longer than a holder that is gone, and not seen to be, holds on. */
const LEASE_WAIT_MS = STALE_MS + 30_000;

/** Becomes the one writer of the user's pool. Throws RefusedError when another process is. */
export async function openPool(parts: OpenPoolParts): Promise<OpenPool> {
  const { place, clock, log } = parts;
  for (const folder of [place.root, place.tasks, place.workers, place.data]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const lease = await soleLease(place, clock);
  const journal = openJournal({
    path: place.journal,
    snapshot: place.snapshot,
    fold: POOL_FOLD,
    clock,
  });
  journal.refresh();
  const troubles = new Map<string, string>();
  for (const { message } of journal.notices) {
    log.write("warn", message, { path: place.journal });
    troubles.set(message, `${message} ("${place.journal}")`);
  }
  let board: () => JobBoard = () => ({ trouble: undefined, jobs: new Map() });
  const changed = new Set<() => void>();
  let inviter: MailInviter | undefined;
  const codes = new Map<
    string,
    { worker: string; labels: readonly string[]; until: number; via: "http" | "files" | "discord" }
  >();
  const tellChange = () => {
    for (const listener of changed) {
      try {
        listener();
      } catch (error) {
        log.write("warn", "A listener of the pool failed", { error: explain(error, "log") });
      }
    }
  };

  function append(whats: readonly PoolHappening[], by: string): readonly Event<PoolHappening>[] {
    return journal.append(whats, { by, at: clock.now(), lease });
  }

  const coordinator = createCoordinator({
    state: () => journal.state,
    append,
    clock,
    limits() {
      const { limits } = parts.config();
      return { maxAttempts: limits.attempts, maxRunning: limits.running, quietMs: QUIET_MS };
    },
    newId: () => newTaskId(clock.now()),
    resolve: (task) => resolveWish(task, parts.config()),
    holdback,
    onChange: tellChange,
    dataOf: (data) => readTaskData(place, data),
  });

  function holdback(): string | undefined {
    const { stopped } = journal.state;
    if (stopped !== undefined) return `The pool is stopped: ${stopped.why}`;
    const { usdPerDay } = parts.config().budget;
    if (usdPerDay === undefined) return undefined;
    const spent = spentToday(journal.state, clock.now());
    return spent >= usdPerDay
      ? `Today's budget of $${usdPerDay} is used up ($${spent.toFixed(2)} spent)`
      : undefined;
  }

  function parse(text: string, overrides: WishOverrides) {
    const { models, backends, limits } = parts.config();
    const workers = [...journal.state.workers.values()];
    const labels = [...coordinator.sightings().values()].flatMap(({ report }) => report.labels);
    return parseTaskText(text, overrides, {
      models: Object.keys(models),
      backends: Object.keys(backends),
      workers: [
        ...new Set([
          ...workers.flatMap(({ name, labels }) => [name, ...labels]),
          ...labels,
          // One of them may be there by the time that it is its turn.
          ...(journal.state.scale === undefined ? [] : [SLURM_LABEL]),
        ]),
      ],
      longestTask: limits.longestTask,
    });
  }

  const files = createFileStore({ place, state: () => journal.state, config: parts.config, clock });
  journal.onAppend(files.hear);

  const desk: PoolDesk = {
    folder: place.root,
    config: parts.config,
    state: () => journal.state,
    sightings: coordinator.sightings,
    submit(text, overrides, origin, id, given): Submitted {
      // What was taken in once stays taken in, whatever the configuration says today.
      if (id !== undefined) {
        const known = journal.state.tasks.get(id);
        if (known !== undefined) return { task: known, isNew: false };
      }
      const parsed = parse(text, overrides);
      if ("refused" in parsed) return parsed;
      const wrong = given === undefined ? undefined : refuseFiles(given.files);
      if (wrong !== undefined) return { refused: [wrong] };
      const data = given === undefined ? undefined : keepTaskData(place, given);
      const wish = data === undefined ? parsed.wish : { ...parsed.wish, data };
      const made = coordinator.submit(wish, origin, id);
      return "refused" in made ? { refused: [made.refused] } : made;
    },
    revise(id, text, by) {
      const parsed = parse(text, {});
      return "refused" in parsed ? parsed : coordinator.revise(id, parsed.wish, by);
    },
    cancel: coordinator.cancel,
    retry: coordinator.retry,
    acknowledge: coordinator.acknowledge,
    clear(by) {
      const tasks = [...journal.state.tasks.values()];
      const waiting = tasks.filter(({ status }) => status === "queued");
      const failed = tasks.filter((task) =>
        isOver(task) && task.status !== "succeeded" && !task.acknowledged
      );
      for (const { id } of waiting) coordinator.cancel(id, "the queue was cleared", by);
      for (const { id } of failed) coordinator.acknowledge(id, by);
      return { cancelled: waiting.length, acknowledged: failed.length };
    },
    fired(schedule, due, task) {
      append([{ type: "schedule-fired", schedule, due, task }], "pool");
      tellChange();
    },
    told(id, told) {
      append([{ type: "answer-told", task: id, told }], "pool");
      tellChange();
    },
    decided(id, epoch, proposal, by) {
      append([{ type: "proposal-decided", task: id, epoch, proposal }], by);
      tellChange();
    },
    drain: coordinator.drain,
    scale(wish, by) {
      const id = journal.state.scale?.id ?? randomBytes(4).toString("hex");
      const scaled = readScaleWish(wish, parts.config(), id);
      if ("refused" in scaled) return { done: false, reason: scaled.refused };
      append([scaled], by);
      tellChange();
      return { done: true };
    },
    jobs: () => board(),
    troubles: () => [...troubles.values()],
    stop: coordinator.stop,
    resume: coordinator.resume,
    invite({ name, labels, via }, by) {
      if (via === "discord") {
        return { refused: "Cannot enrol over Discord by this way: a mailbox is needed" };
      }
      if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) {
        return {
          refused: `Cannot call a worker "${name.slice(0, 80)}": ` +
            "letters, digits, dots, dashes and underscores are wanted, at most 63",
        };
      }
      // Typed and copied by people: no sign in it that a shell or an option would take for its own.
      const code = randomBytes(15).toString("hex");
      const command = enrolCommand(via, { name, code, folder: place.root });
      if (via === "files") {
        // Nobody has the secret: who may write into the folder is ours.
        coordinator.enrol({ name, labels, via, proof: proofOf(newSecret()) }, by);
        return { enrolled: true, folder: place.root, command };
      }
      // The newest invitation counts: an older one would throw out whoever joined by it.
      for (const [known, { worker }] of codes) if (worker === name) codes.delete(known);
      codes.set(code, { worker: name, labels, via, until: clock.now() + CODE_MINUTES * 60_000 });
      return { code, minutes: CODE_MINUTES, command };
    },
    enrol(code) {
      const found = codes.get(code);
      codes.delete(code);
      if (found === undefined || found.until < clock.now()) {
        return { refused: "Cannot enrol: the code is not known, was used, or is too old" };
      }
      const secret = newSecret();
      const { worker, labels, via } = found;
      coordinator.enrol({ name: worker, labels, via, proof: proofOf(secret) }, "pool");
      return { worker, secret };
    },
    knows(secret) {
      const wanted = digest(secret);
      for (const { name, proof } of journal.state.workers.values()) {
        const known = Buffer.from(proof, "hex");
        if (known.length === wanted.length && timingSafeEqual(known, wanted)) return name;
      }
      return undefined;
    },
    async inviteByMail(worker, by) {
      if (inviter === undefined) {
        return { refused: "Cannot open a mailbox: the pool is not on Discord (pool.discord)" };
      }
      const made = await inviter(worker, by);
      if ("refused" in made) return made;
      const { name } = worker;
      const command = enrolCommand("discord", { name, code: made.code, folder: place.root });
      return { ...made, command };
    },
    remove: coordinator.remove,
    exchange: (report) => ({ ...exchange(report), ...files.ordersFor(report) }),
    ordersFor: (report) => ({ ...coordinator.ordersFor(report), ...files.ordersFor(report) }),
    takeFile: files.take,
    holdback,
    events: (after, limit) => journal.since(after).slice(0, limit),
    onEvent: journal.onAppend,
    onChange(listener) {
      changed.add(listener);
      return () => changed.delete(listener);
    },
    file: files.read,
  };

  /** People are told of it, too. */
  function exchange(report: WorkerReport, agoMs?: number): WorkerOrders {
    const orders = coordinator.exchange(report, agoMs);
    tellChange();
    return orders;
  }

  const mail: PoolMailDesk = {
    exchange,
    looked: coordinator.looked,
    enrol({ name, labels, mailbox }, by) {
      // Its bot's user id is the proof; the secret is nobody's.
      const proof = proofOf(newSecret());
      coordinator.enrol({ name, labels, via: "discord", proof, mailbox }, by);
    },
    onInvite(one) {
      inviter = one;
      return () => {
        if (inviter === one) inviter = undefined;
      };
    },
  };

  return {
    desk,
    jobs: {
      intend({ worker, number, jobName, slots, labels }) {
        // It proves itself by writing into a folder that is ours; nobody knows this secret.
        const proof = proofOf(newSecret());
        append([
          { type: "worker-enrolled", worker, labels, proof, via: "files" },
          { type: "worker-job-intended", worker, number, jobName, slots },
        ], "pool");
        tellChange();
      },
      submitted(worker, jobId) {
        append([{ type: "worker-job-submitted", worker, jobId }], "pool");
        tellChange();
      },
      ended(worker, how, why) {
        const over: PoolHappening = { type: "worker-job-ended", worker, how, why };
        coordinator.bury(worker, why, [over], "pool");
      },
    },
    trouble(of, why) {
      if (troubles.get(of) === why) return;
      if (why === undefined) troubles.delete(of);
      else troubles.set(of, why);
      tellChange();
    },
    showJobs(source) {
      board = source;
    },
    mail,
    step: coordinator.step,
    [Symbol.asyncDispose]() {
      journal.saveSnapshot(lease);
      lease.release();
      return Promise.resolve();
    },
  };
}

async function soleLease({ lease }: PoolPlace, clock: Clock): Promise<Lease> {
  const taken = await acquireLease({
    dir: lease,
    clock,
    waitMs: LEASE_WAIT_MS,
    aliveMs: 2_000,
    purpose: "pool",
  });
  if (!("heldBy" in taken)) return taken;
  throw new RefusedError(`Cannot open the pool: ${describeHolder(taken.heldBy)} has it`, {
    hint: "`herd pool status` speaks with the daemon that runs it",
  });
}

/** Grows with time, so that lists sort by age; without what people confuse (0 and o, 1 and l). */
function newTaskId(now: number): string {
  const alphabet = "23456789abcdefghjkmnpqrstuvwxyz";
  let number = BigInt(now) * 961n + BigInt(randomBytes(2).readUInt16BE() % 961);
  let text = "";
  while (number > 0n) {
    text = alphabet[Number(number % 31n)] + text;
    number /= 31n;
  }
  return `t-${text}`;
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function proofOf(secret: string): string {
  return digest(secret).toString("hex");
}

function digest(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
