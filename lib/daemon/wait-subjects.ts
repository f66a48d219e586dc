import type { Desk } from "../actions/desk.ts";
import { NothingError, RefusedError } from "../base/errors.ts";
import type { WaitSubject } from "../chat/chat-event.ts";
import type { WaitWatch } from "../chat/create-waits.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { isOver } from "../tasks/task.ts";

export interface WaitSubjectsParts {
  /** The sweep of that folder, while this daemon holds it. */
  sweepIn(path: string): Desk | undefined;
  pool(): Pick<PoolDesk, "state"> | undefined;
}

/** A thing that can be waited for, or what there is to say at once as it is over already. */
export type Begun = { subject: WaitSubject } | { over: string };

/** What can be waited for, and whether it has happened. What is said names nothing from outside. */
export interface WaitSubjects extends WaitWatch {
  /** Throws NothingError when there is no such trial. */
  trial(desk: Desk, trial: number): Begun;
  stage(desk: Desk): Begun;
  /** Throws NothingError and RefusedError. */
  task(id: string): Begun;
}

/** They will not run by themselves. */
const PUT_ASIDE: readonly string[] = ["pruned", "cancelled", "paused"];
const STAGES: readonly (string | null)[] = ["canary", "stage"];

export function createWaitSubjects({ sweepIn, pool }: WaitSubjectsParts): WaitSubjects {
  function trialEnd(desk: Desk, trial: number, attempt: number): string | undefined {
    const name = `Trial ${trial} of "${nameOf(desk)}"`;
    const document = desk.trial(trial);
    if (document === undefined) return `${name} is not in the sweep any more.`;
    const { status } = document;
    const attempts = desk.attempts(trial);
    const ended = attempts.find(({ number, phase }) => number >= attempt && phase === "ended");
    if (ended !== undefined) {
      const note = typeof ended["note"] === "string" ? ` (${ended["note"]})` : "";
      return `${name} has ended: ${status}${note}.`;
    }
    const isIdle = attempts.every(({ phase }) => phase === "ended");
    return isIdle && PUT_ASIDE.includes(status) ? `${name} does not run: ${status}.` : undefined;
  }

  return {
    trial(desk, trial) {
      if (desk.trial(trial) === undefined) {
        throw new NothingError(`Cannot wait for trial ${trial}: the sweep has no such trial`);
      }
      const last = desk.attempts(trial).at(-1);
      const attempt = last?.number ?? 0;
      const over = trialEnd(desk, trial, attempt);
      const name = nameOf(desk);
      return over === undefined
        ? { subject: { kind: "trial", sweep: desk.path, name, trial, attempt } }
        : { over };
    },
    stage(desk) {
      const { phase, stage } = desk.info();
      return STAGES.includes(phase) && phase !== null
        ? { subject: { kind: "stage", sweep: desk.path, name: nameOf(desk), phase, stage } }
        : { over: `No stage runs now: the sweep is at "${phase ?? "none"}".` };
    },
    task(id) {
      const desk = pool();
      if (desk === undefined) throw new RefusedError("Cannot wait for a task: no pool runs here");
      const task = desk.state().tasks.get(id);
      if (task === undefined) throw new NothingError(`Cannot wait for task "${id}": there is none`);
      return isOver(task)
        ? { over: `Task ${id} has ended: ${task.status}.` }
        : { subject: { kind: "task", task: id } };
    },
    isWatched(subject) {
      if (subject.kind === "time") return true;
      return (subject.kind === "task" ? pool() : sweepIn(subject.sweep)) !== undefined;
    },
    happened(subject) {
      switch (subject.kind) {
        case "time":
          return undefined;
        case "trial": {
          const desk = sweepIn(subject.sweep);
          return desk && trialEnd(desk, subject.trial, subject.attempt);
        }
        case "stage": {
          const info = sweepIn(subject.sweep)?.info();
          if (info === undefined || info.phase === null) return undefined;
          const isAt = info.phase === subject.phase && info.stage === subject.stage;
          return isAt
            ? undefined
            : `The stage ${subject.stage} of "${subject.name}" has ended: the sweep is at "${info.phase}".`;
        }
        case "task": {
          const desk = pool();
          if (desk === undefined) return undefined;
          const task = desk.state().tasks.get(subject.task);
          if (task === undefined) return `Task ${subject.task} is not there any more.`;
          return isOver(task) ? `Task ${subject.task} has ended: ${task.status}.` : undefined;
        }
      }
    },
  };
}

function nameOf(desk: Desk): string {
  return desk.info().sweep;
}
