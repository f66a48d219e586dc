import type { PoolDesk, WorkerStatus } from "../tasks/pool-desk.ts";
import type { Attempt, Task, TaskStatus } from "../tasks/task.ts";
import { spanText } from "../words/duration-text.ts";
import { joinFitting, quoted } from "../words/post-text.ts";
import type { Outgoing } from "./message.ts";
import { boardText, tasksOf } from "./pool-board-view.ts";
import {
  agentText,
  agoText,
  blockOf,
  costText,
  isOver,
  originText,
  span,
  sumOf,
  tagsText,
} from "./pool-text.ts";
import { ruleText } from "./safe-text.ts";

/** What people read when they ask. */
export interface PoolAnswers {
  list(status: TaskStatus | undefined): Outgoing;
  /** Undefined: there is no such task. */
  show(id: string): Outgoing | undefined;
  status(): Outgoing;
  models(): Outgoing;
}

export interface PoolAnswersParts {
  desk: Pick<PoolDesk, "state" | "config" | "sightings" | "holdback" | "jobs">;
  status(worker: string): WorkerStatus;
  now(): number;
}

const ROOM = 1_900;
const EMOJI: Readonly<Record<TaskStatus, string>> = {
  queued: "⏳",
  assigned: "📨",
  running: "▶️",
  succeeded: "✅",
  failed: "❌",
  cancelled: "🛑",
  expired: "⌛",
  dead: "⚰️",
};

export function createPoolAnswers(parts: PoolAnswersParts): PoolAnswers {
  const { desk } = parts;

  function list(status: TaskStatus | undefined): Outgoing {
    const all = [...desk.state().tasks.values()].reverse()
      .filter((task) => status === undefined || task.status === status);
    const isHad = ({ status }: Task) => status === "assigned" || status === "running";
    const ordered = [
      ...all.filter(isHad),
      ...all.filter((task) => !isOver(task) && !isHad(task)),
      ...all.filter(isOver),
    ];
    if (ordered.length === 0) {
      return { content: status === undefined ? "There are no tasks." : `No task is ${status}.` };
    }
    return { content: joinFitting(ordered.map(taskLine), ROOM, "task") };
  }

  function show(id: string): Outgoing | undefined {
    const task = desk.state().tasks.get(id);
    if (task === undefined) return undefined;
    const tags = tagsText(task.wish);
    const sum = sumOf(task.attempts.flatMap(({ use }) => use));
    const head = [
      `${EMOJI[task.status]} **${task.status}** ${span(task.id)} · came ${agoText(task.createdAt)}`,
      `-# from ${ruleText(originText(task.origin))}${tags === "" ? "" : ` · ${tags}`}`,
      ...(task.why === "" ? [] : [`Cause: ${ruleText(quoted(task.why, 300))}`]),
      ...(sum === undefined ? [] : [`Cost so far: ${costText(sum.usd)}`]),
      ...task.attempts.slice(-5).map((attempt) => attemptLine(attempt, phaseOf(task))),
    ].join("\n").slice(0, 1_100);
    const prompt = blockOf(task.wish.text, 300, 400);
    const last = task.attempts.findLast(({ report }) => report !== undefined)?.report;
    const room = ROOM - head.length - prompt.length - 20;
    const result = last === undefined || last.result.trim() === "" || room < 80
      ? ""
      : `\n**Result**\n${agentText(last.result, room)}`;
    return { content: `${head}\n${prompt}${result}` };
  }

  /** What its worker said last that it is at. */
  function phaseOf({ id, epoch, attempts }: Task): string | undefined {
    const { report } = desk.sightings().get(attempts.at(-1)?.worker ?? "") ?? {};
    return report?.attempts.find((one) => one.task === id && one.epoch === epoch)?.phase;
  }

  function status(): Outgoing {
    const board = boardText({ desk, status: parts.status, now: parts.now() });
    const workers = [...desk.state().workers.keys()].map((name) => {
      const tasks = tasksOf(name, desk.state()).map((task) => {
        const phase = phaseOf(task);
        return `${span(task.id, 40)}${phase ? ` (${ruleText(quoted(phase, 40))})` : ""}`;
      });
      const heard = desk.sightings().get(name)?.at;
      return `- **[${parts.status(name)}]** ${span(name, 40)}${
        heard === undefined ? "" : ` · heard ${agoText(heard)}`
      }${tasks.length === 0 ? "" : ` · ${tasks.join(", ")}`}`;
    });
    return { content: joinFitting([...board.split("\n"), ...workers], ROOM) };
  }

  function models(): Outgoing {
    const { models, defaults } = desk.config();
    const lines = Object.entries(models).map(([name, { backend, model, price, use }]) => {
      const cost = price === undefined
        ? "price n/a"
        : price.input === 0 && price.output === 0
        ? "free"
        : `$${price.input} in, $${price.output} out per million tokens`;
      const usual = name === defaults.model ? " · the usual one" : "";
      const what = use === undefined ? "" : ` · ${ruleText(quoted(use, 120))}`;
      return `- ${span(name, 60)}: ${span(`${backend}/${model ?? "its default"}`, 80)}, ` +
        `${cost}${usual}${what}`;
    });
    return {
      content: lines.length === 0
        ? "No models are configured: pool.models lists them."
        : joinFitting(lines, ROOM, "model"),
    };
  }

  return { list, show, status, models };
}

function taskLine({ id, status, wish, createdAt, attempts }: Task): string {
  const worker = attempts.at(-1)?.worker;
  const who = worker === undefined || status === "queued" ? "" : ` · ${span(worker, 30)}`;
  const text = ruleText(quoted(wish.text, 60).replaceAll("`", "'"));
  return `${EMOJI[status]} ${span(id, 60)} ${status}${who} · ${agoText(createdAt)} · ${text}`;
}

function attemptLine(attempt: Attempt, phase: string | undefined): string {
  const { epoch, worker, assignedAt, endedAt, report, lost, discarded } = attempt;
  const end = report?.end ?? (lost !== undefined ? "lost" : phase ?? "under way");
  const took = endedAt === undefined ? agoText(assignedAt) : spanText(endedAt - assignedAt);
  const cause = report?.cause || lost || "";
  return `- attempt ${epoch} on ${span(worker, 40)}: ${ruleText(quoted(end, 40))}, ${took}` +
    `${discarded ? ", its result came too late" : ""}${
      cause === "" ? "" : `: ${ruleText(quoted(cause, 120))}`
    }`;
}
