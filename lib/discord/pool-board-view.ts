import type { JobLine, PoolDesk, WorkerStatus } from "../tasks/pool-desk.ts";
import type { Sighting } from "../tasks/pool-rules.ts";
import type { PoolState } from "../tasks/pool-state.ts";
import type { Task } from "../tasks/task.ts";
import { quoted } from "../words/post-text.ts";
import { agoText, costText, isOver, span } from "./pool-text.ts";
import { ruleText } from "./safe-text.ts";

/** What the worker's one message and the board are drawn from. */
export interface PoolView {
  desk: Pick<PoolDesk, "state" | "sightings" | "config" | "holdback" | "jobs">;
  /** See `workerStatus` of lib/tasks. */
  status(worker: string): WorkerStatus;
  now: number;
}

export const BOARD_TITLE = "📊";

const MEANING: Readonly<Record<WorkerStatus, string>> = {
  READY: "ready for tasks",
  CLAIMED: "at work",
  RESTARTING: "starting anew for a clean context",
  IDLE: "nothing to do",
  DRAINING: "finishes what it has and takes nothing new",
  FENCED: "was out of reach and ended its work",
  STUCK: "at work without a sign of life",
  OFFLINE: "not heard of",
};
const EMOJI: Readonly<Record<WorkerStatus, string>> = {
  READY: "🟢",
  CLAIMED: "▶️",
  RESTARTING: "🔄",
  IDLE: "💤",
  DRAINING: "🟡",
  FENCED: "🚧",
  STUCK: "🟠",
  OFFLINE: "⚫",
};
const ROOM = 1_900;

/** A worker's one message. Its text changes with its state only: what counts by itself, Discord counts. */
export function workerText(name: string, { desk, status }: PoolView): string {
  const word = status(name);
  const tasks = tasksOf(name, desk.state());
  const sighting = desk.sightings().get(name);
  const { defaults } = desk.config();
  const at = tasks.slice(0, 6).map((task) =>
    `- ${span(task.id, 60)} · ${span(task.wish.model ?? defaults.model ?? "n/a", 40)} · ` +
    `attempt ${task.epoch}, ${agoText(task.attempts.at(-1)!.assignedAt)}`
  );
  const more = tasks.length > 6 ? [`- and ${tasks.length - 6} more`] : [];
  const heard = word === "OFFLINE" && sighting !== undefined
    ? `, last heard ${agoText(sighting.at)}`
    : "";
  return [
    `${EMOJI[word]} **[${word}]** ${span(name, 60)}: ${MEANING[word]}${heard}`,
    ...at,
    ...more,
    ...jobLine(desk.jobs().jobs.get(name)),
    ...(sighting === undefined ? [] : [placeLine(sighting)]),
  ].join("\n").slice(0, ROOM);
}

/** A worker that is a SLURM job: where it is, or why it waits. */
function jobLine(job: JobLine | undefined): string[] {
  if (job === undefined) return [];
  const { jobId, state, node, reason } = job;
  const where = node === undefined ? "" : ` on ${plain(node)}`;
  const why = reason === undefined ? "" : ` (${plain(reason.slice(0, 100))})`;
  return [`-# SLURM job ${jobId ?? "not submitted yet"} · ${plain(state)}${where}${why}`];
}

function placeLine({ report }: Sighting): string {
  const { host, slots, version, labels } = report;
  const tags = labels.length === 0 ? "" : ` · ${labels.slice(0, 8).map(plain).join(", ")}`;
  return `-# ${plain(host)} · ${slots} ${slots === 1 ? "slot" : "slots"} · herd ${
    plain(version)
  }${tags}`;
}

/** The one 📊 message of the pool. */
export function boardText(view: PoolView): string {
  const { desk, now } = view;
  const state = desk.state();
  const all = [...state.tasks.values()];
  const waiting = all.filter(({ status }) => status === "queued");
  const oldest = Math.min(...waiting.map(({ createdAt }) => createdAt));
  const running = all.filter(({ status }) => status === "assigned" || status === "running");
  const ended = all.filter((task) => isOver(task) && task.endedAt !== undefined)
    .sort((a, b) => b.endedAt! - a.endedAt!).slice(0, 5);
  const queue = waiting.length === 0
    ? "nothing waits"
    : `**${waiting.length}** waiting, the oldest came ${agoText(oldest)}`;
  return [
    `${BOARD_TITLE} **Pool**${stateText(view)}`,
    `Queue: ${queue} · **${running.length}** running`,
    `Workers: ${workersText(view)}`,
    `Spent today: ${spentText(desk, now)}`,
    ...(ended.length === 0 ? [] : ["Last:", ...ended.map(lastLine)]),
  ].join("\n").slice(0, ROOM);
}

function stateText({ desk }: PoolView): string {
  const { stopped } = desk.state();
  if (stopped !== undefined) {
    const why = stopped.why === "" ? "" : `: ${ruleText(quoted(stopped.why, 200))}`;
    return ` · 🛑 stopped ${agoText(stopped.at)}${why}`;
  }
  const held = desk.holdback();
  return held === undefined ? "" : ` · ⏸️ ${ruleText(quoted(held, 200))}`;
}

function workersText({ desk, status }: PoolView): string {
  const counts = new Map<WorkerStatus, number>();
  for (const name of desk.state().workers.keys()) {
    const word = status(name);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  if (counts.size === 0) return "none; `/pool enrol` invites one";
  return [...counts].map(([word, n]) => `${EMOJI[word]} ${n} ${word}`).join(", ");
}

/** Of today (UTC); unknown prices are said to be unknown. */
export function spentText(desk: PoolView["desk"], now: number): string {
  const day = new Date(now).toISOString().slice(0, 10);
  const today = desk.state().spent.filter((one) => one.day === day);
  const usd = today.reduce((sum, one) => sum + one.usd, 0);
  const unpriced = today.reduce((sum, one) => sum + one.unpriced, 0);
  const { usdPerDay } = desk.config().budget;
  const budget = usdPerDay === undefined ? "" : ` of ${costText(usdPerDay)}`;
  const unknown = unpriced > 0 ? ` and ${unpriced} attempts without a known price` : "";
  return `${costText(usd)}${budget}${unknown}`;
}

function lastLine({ id, status, endedAt }: Task): string {
  return `- ${span(id, 60)} ${status} ${agoText(endedAt!)}`;
}

export function tasksOf(worker: string, state: PoolState): Task[] {
  return [...state.tasks.values()].filter((task) =>
    (task.status === "assigned" || task.status === "running") &&
    task.attempts.at(-1)?.worker === worker
  );
}

function plain(text: string): string {
  return ruleText(quoted(text, 40)).replaceAll("`", "'");
}
