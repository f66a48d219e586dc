import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import { readIfThere } from "../base/files.ts";
import type { Log } from "../base/log.ts";
import type { Said } from "../sweep/monitor-event.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { ProposalState, Task } from "../tasks/task.ts";
import type { Decided, TrialTasks } from "../tasks/trial-tasks.ts";
import { changeableFile, changeFolder } from "./changeable-files.ts";
import type { HeldSweep } from "./held-sweep.ts";
import { judgeProposal } from "./judge-proposal.ts";
import { digestOf } from "./pool-data.ts";
import type { SweepDoors } from "./sweep-doors.ts";
import { runOf, trialData } from "./trial-data.ts";
import { appliedText, askedText, dismissedText } from "./trial-words.ts";

export interface TrialTasksParts {
  desk: PoolDesk;
  sweeps: SweepDoors;
  clock: Clock;
  log: Log;
}

/** See lib/tasks/trial-tasks.ts. One decision after the other. */
export function createTrialTasks(parts: TrialTasksParts): TrialTasks {
  const { desk, sweeps, clock } = parts;
  let last: Promise<unknown> = Promise.resolve();

  function serial<T>(work: () => Promise<T>): Promise<T> {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  }

  const ask: TrialTasks["ask"] = (question, origin) =>
    serial(async () => {
      await using sweep = await sweeps.open(question.sweep);
      const { trial, text, overrides } = question;
      const { held } = sweep;
      const document = held.desk.trial(trial);
      if (document === undefined) {
        return { refused: [`Cannot ask about trial ${trial}: there is no such trial`] };
      }
      const run = runOf(held.outside, trial);
      const id = taskId([sweep.path, trial, run, text?.trim() ?? "", sorted(overrides)]);
      const known = desk.state().tasks.get(id);
      if (known !== undefined) return { task: known, isNew: false };
      const about = { sweep: held.desk.info().sweep, trial, status: document.status };
      const given = trialData({ desk: held.desk, outside: held.outside, env: held.env }, trial);
      const made = desk.submit(
        askedText(about, text),
        overrides,
        {
          ...origin,
          sweep: about.sweep,
          trial,
          sweepPath: sweep.path,
        },
        id,
        given,
      );
      if ("refused" in made || !made.isNew) return made;
      const said: Said = {
        key: `asked/${id}`,
        kind: "task",
        text: `${origin.name ?? origin.by} lets an agent look at trial ${trial}: task \`${id}\`. ` +
          "Its answer comes here.",
        task: { id, epoch: 0, trial },
      };
      await held.record([{ type: "said", said }], origin.by).catch((error) => {
        // The task is there, and its answer will be told.
        parts.log.write("warn", "Cannot tell that an agent was asked", {
          error: explain(error, "log"),
        });
      });
      return made;
    });

  /** The task with the change that is to be decided, or why there is none. */
  function openProposal(
    id: string,
    epoch: number | undefined,
  ): { task: Task; proposal: Extract<ProposalState, { files: unknown }>; epoch: number } | string {
    const task = desk.state().tasks.get(id);
    if (task === undefined) return `There is no task "${id}" any more`;
    const { told } = task;
    if (epoch !== undefined && epoch !== told?.epoch) {
      return `Task "${id}" was done again since; only its newest proposal can be decided`;
    }
    const proposal = told?.proposal;
    if (told === undefined || proposal === undefined) {
      const left = task.attempts.some(({ report }) => report?.proposal !== undefined);
      return left
        ? `The proposal of task "${id}" was not shown yet; try again in a minute`
        : `Task "${id}" proposes no change`;
    }
    if (proposal.state === "refused") return proposal.why;
    if (proposal.state !== "open") {
      return `The change of task "${id}" was ${proposal.state} already${
        proposal.by === undefined ? "" : ` by ${proposal.by}`
      }`;
    }
    return { task, proposal, epoch: told.epoch };
  }

  const apply = (id: string, by: string, epoch?: number): Promise<Decided> =>
    serial(async () => {
      const found = openProposal(id, epoch);
      if (typeof found === "string") return { done: false, reason: found, over: true };
      const { task, proposal } = found;
      const { sweepPath, trial } = task.origin;
      if (sweepPath === undefined) {
        return { done: false, reason: `Task "${id}" is about no sweep` };
      }
      await using sweep = await sweeps.open(sweepPath);
      const { held } = sweep;
      const change = changeId(id, found.epoch);
      const judged = judgeProposal(
        held,
        proposalText(task, found.epoch),
        namesOf(task),
        begun(held.outside.paths, change, proposal.files),
      );
      if ("refused" in judged) {
        held.audit("apply-change", { by, task: id, refused: judged.refused });
        return { done: false, reason: judged.refused };
      }
      const files = judged.changes.map(({ name, before, after }) => {
        const shown = proposal.files.find((file) => file.name === name);
        return { name, before: shown?.before ?? digestOf(before), text: after };
      });
      const isShown = proposal.files.length === files.length &&
        proposal.files.every(({ name, after }) =>
          files.some((file) => file.name === name && digestOf(file.text) === after)
        );
      if (!isShown) {
        const reason = "The files were changed since the change was shown; nothing was done";
        held.audit("apply-change", { by, task: id, refused: reason });
        return { done: false, reason };
      }
      const outcome = await held.perform({ verb: "change-files", id: change, files }, by) as
        | { done: true; backups: readonly string[] }
        | { done: false; reason: string };
      if (!outcome.done) return { done: false, reason: outcome.reason };
      const backup = changeFolder(held.outside.paths, change);
      desk.decided(id, found.epoch, {
        state: "applied",
        files: proposal.files,
        by,
        at: clock.now(),
        backup,
      }, by);
      const text = appliedText({ by, id, files: files.map(({ name }) => name), backup, trial });
      await tell(held, {
        key: `applied/${id}/${found.epoch}`,
        kind: "task",
        text,
        task: { id, epoch: found.epoch, trial: trial ?? 0, offers: "run" },
      }, by);
      return { done: true, text };
    });

  const dismiss = (id: string, by: string, epoch?: number): Promise<Decided> =>
    serial(async () => {
      const found = openProposal(id, epoch);
      if (typeof found === "string") return { done: false, reason: found, over: true };
      const { task, proposal } = found;
      desk.decided(id, found.epoch, { ...proposal, state: "dismissed", by, at: clock.now() }, by);
      const text = dismissedText(by, id);
      const { sweepPath, trial = 0 } = task.origin;
      try {
        await using sweep = await sweeps.open(sweepPath ?? "");
        sweep.held.audit("dismiss-change", { by, task: id });
        await tell(sweep.held, {
          key: `dismissed/${id}/${found.epoch}`,
          kind: "task",
          text,
          task: { id, epoch: found.epoch, trial },
        }, by);
      } catch (error) {
        // A sweep that is gone needs no change, and hears of none.
        parts.log.write("info", "Cannot tell a sweep that a change was dismissed", {
          error: explain(error, "log"),
        });
      }
      return { done: true, text };
    });

  return { ask, apply, dismiss };

  async function tell(
    held: { record(whats: readonly { type: "said"; said: Said }[], by?: string): Promise<void> },
    said: Said,
    by: string,
  ): Promise<void> {
    await held.record([{ type: "said", said }], by).catch((error) => {
      parts.log.write("warn", "Cannot tell what became of a change", {
        error: explain(error, "log"),
      });
    });
  }
}

/** Of an attempt's proposal; "" where there is none, which no reader takes. */
export function proposalText({ attempts }: Pick<Task, "attempts">, epoch: number): string {
  const left = attempts.find((one) => one.epoch === epoch)?.report?.proposal;
  return left !== undefined && "text" in left ? left.text : "";
}

export function namesOf({ wish }: Pick<Task, "wish">): string[] {
  return wish.data?.proposes.map(({ name }) => name) ?? [];
}

/** Files that this very change has changed already, before a crash: as they were. */
function begun(
  paths: HeldSweep["outside"]["paths"],
  change: string,
  files: readonly { name: string; before: string; after: string }[],
): ReadonlyMap<string, string> {
  return new Map(files.flatMap(({ name, before, after }): [string, string][] => {
    const kept = readIfThere(join(changeFolder(paths, change), name));
    if (kept === undefined || digestOf(kept) !== before) return [];
    const now = readIfThere(changeableFile(paths, name).path);
    return now !== undefined && digestOf(now) === after ? [[name, kept]] : [];
  }));
}

/** Letters, digits and a dash: it becomes the name of a folder. */
function taskId(parts: readonly unknown[]): string {
  return `look-${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16)}`;
}

function changeId(task: string, epoch: number): string {
  return `${task}-${epoch}`;
}

function sorted(overrides: Readonly<Record<string, string | undefined>>): unknown {
  return Object.entries(overrides).filter(([, value]) => value !== undefined).sort();
}
