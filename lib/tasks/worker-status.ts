import { visible } from "../base/width.ts";
import { FENCE_MS, GRACE_MS, LEASE_MS } from "./exchange.ts";
import type { WorkerAttempt } from "./exchange.ts";
import type { WorkerStatus } from "./pool-desk.ts";
import type { Sighting } from "./pool-rules.ts";
import type { PoolState } from "./pool-state.ts";
import { isOver } from "./task.ts";
import type { Attempt, Task } from "./task.ts";
import { LONGEST_TIMEOUT_MS } from "./wish-words.ts";

/** So long without work, and a worker that waits is called idle. */
export const IDLE_MS = 300_000;
/** An attempt that should be over, and still runs after so long, hangs. */
export const STUCK_MS = 120_000;
const LONGEST_PHASE = 60;

/** What a worker has in hand: by the journal, with what it told of it last. */
export interface InHand {
  task: Task;
  attempt: Attempt;
  told: WorkerAttempt | undefined;
}

/**
 * How people know a worker. `sighting` is undefined for one that was not heard of since the
 * coordinator began. `timeoutMs` counts for tasks that name none.
 */
export function workerStatus(
  state: PoolState,
  name: string,
  sighting: Sighting | undefined,
  now: number,
  timeoutMs = LONGEST_TIMEOUT_MS,
): WorkerStatus {
  const worker = state.workers.get(name);
  if (worker === undefined || sighting === undefined) return "OFFLINE";
  const { report, at } = sighting;
  const silent = now - at;
  if (silent > LEASE_MS + GRACE_MS) return "OFFLINE";
  // By now it has ended its attempts itself; or it says that it had to.
  const fenced = report.attempts.some((one) => one.report?.end === "fenced");
  if (silent > FENCE_MS || fenced) return "FENCED";
  if (report.attempts.some((told) => hangs(state, told, now, timeoutMs))) return "STUCK";
  if (worker.draining || report.leaving) return "DRAINING";
  const live = inHand(state, name, sighting);
  const runs = report.attempts.some((told) => told.report === undefined);
  if (runs || live.some(({ attempt }) => attempt.incarnation === report.incarnation)) {
    return "CLAIMED";
  }
  // What an earlier life left is cleared away, or a last word is on its way.
  if (live.length > 0 || report.attempts.length > 0) return "RESTARTING";
  return now - idleSince(state, name, sighting) >= IDLE_MS ? "IDLE" : "READY";
}

/** `[CLAIMED] gpu-1: 4f2a:1 (cheap, tool bash), 1 of 4 slots`: plain text, one line. */
export function statusLine(
  state: PoolState,
  name: string,
  sighting: Sighting | undefined,
  now: number,
  timeoutMs = LONGEST_TIMEOUT_MS,
): string {
  const status = workerStatus(state, name, sighting, now, timeoutMs);
  const words = wordsOf(status, state, name, sighting, now);
  return `[${status}] ${visible(name)}${words === "" ? "" : `: ${words}`}`;
}

/** Attempts of a worker that are neither over nor lost, by the journal. */
export function inHand(
  state: PoolState,
  name: string,
  sighting: Sighting | undefined,
): InHand[] {
  return [...state.tasks.values()].flatMap((task) => {
    const attempt = task.attempts.at(-1);
    if (isOver(task) || task.status === "queued" || attempt?.worker !== name) return [];
    const told = sighting?.report.attempts.find((one) =>
      one.task === task.id && one.epoch === attempt.epoch
    );
    return [{ task, attempt, told }];
  });
}

/** "cheap, tool bash": the model that was asked for, and what it is at. */
export function attemptWords({ task, attempt, told }: InHand): string {
  const phase = attempt.acceptedAt === undefined ? "offered" : told?.phase.trim() || "running";
  const shown = visible([...phase].slice(0, LONGEST_PHASE).join(""));
  const model = told?.use.at(-1)?.model ?? task.wish.model;
  const parts = [...(model === undefined ? [] : [visible(model)]), shown];
  if (task.cancelAsked !== undefined) parts.push("being cancelled");
  return parts.join(", ");
}

function wordsOf(
  status: WorkerStatus,
  state: PoolState,
  name: string,
  sighting: Sighting | undefined,
  now: number,
): string {
  if (!state.workers.has(name)) return "not enrolled";
  if (sighting === undefined) return "not heard of since the daemon began";
  const silent = `not heard of for ${minutesText(now - sighting.at)}`;
  const work = inHand(state, name, sighting);
  const tasks = work.map((one) => `${one.task.id}:${one.attempt.epoch} (${attemptWords(one)})`);
  const held = tasks.length === 0
    ? ""
    : `${tasks.join(", ")}, ${work.length} of ${sighting.report.slots} slots`;
  switch (status) {
    case "OFFLINE":
      return silent;
    case "FENCED":
      return now - sighting.at > FENCE_MS ? `${silent}; it ends its agents itself` : held;
    case "IDLE":
      return `no task for ${minutesText(now - idleSince(state, name, sighting))}`;
    case "DRAINING":
      return held === "" ? "takes no more tasks" : `${held}; takes no more tasks`;
    case "RESTARTING":
      return held === "" ? "clears up for a clean context" : `${held}; started anew`;
    case "READY":
      return `${sighting.report.slots} ${sighting.report.slots === 1 ? "slot" : "slots"}`;
    default:
      return held;
  }
}

/** Whether an attempt still runs long after it should have ended. */
function hangs(
  state: PoolState,
  { task: id, epoch, report }: WorkerAttempt,
  now: number,
  timeoutMs: number,
): boolean {
  if (report !== undefined) return false;
  const task = state.tasks.get(id);
  const attempt = task?.attempts.find((one) => one.epoch === epoch);
  if (task === undefined || attempt === undefined) return false;
  const limit = task.wish.timeoutMs ?? timeoutMs;
  const ends = [
    task.cancelAsked?.at,
    task.endedAt,
    state.stopped?.now === true ? state.stopped.at : undefined,
    attempt.acceptedAt === undefined ? undefined : attempt.acceptedAt + limit,
  ].filter((at) => at !== undefined);
  return ends.length > 0 && now - Math.min(...ends) > STUCK_MS;
}

/** When it last had work, or began to wait for some. */
function idleSince(state: PoolState, name: string, { report, at }: Sighting): number {
  const ends = [...state.tasks.values()].flatMap(({ attempts }) =>
    attempts.filter(({ worker }) => worker === name).map(({ endedAt }) => endedAt ?? 0)
  );
  // By its own clock, which may be ahead.
  const began = Math.min(report.startedAt, at);
  return ends.reduce((latest, end) => Math.max(latest, end), began);
}

function minutesText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
