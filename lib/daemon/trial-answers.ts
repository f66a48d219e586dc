import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { Said } from "../sweep/monitor-event.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { isOver } from "../tasks/task.ts";
import type { ProposalState, Task } from "../tasks/task.ts";
import { judgeProposal } from "./judge-proposal.ts";
import { digestOf } from "./pool-data.ts";
import type { SweepDoor, SweepDoors } from "./sweep-doors.ts";
import { namesOf } from "./trial-tasks.ts";
import { answerPost, proposalPost } from "./trial-words.ts";

export interface TrialAnswersParts {
  desk: PoolDesk;
  sweeps: SweepDoors;
  clock: Clock;
  log: Log;
}

/** After a sweep that could not be written to. Milliseconds. */
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Tells each end of a task about a trial in the journal of its sweep, from where channels, terminal
 * and `herd log` have it: once, over restarts, and later where the sweep cannot be written to now.
 */
export function createTrialAnswers(parts: TrialAnswersParts): { step(): Promise<void> } {
  const { desk, sweeps, clock, log } = parts;
  const waits = new Map<string, { until: number; ms: number }>();

  function due(): Task[] {
    const now = clock.now();
    return [...desk.state().tasks.values()].filter((task) =>
      task.origin.sweepPath !== undefined && isOver(task) &&
      !(task.told?.epoch === task.epoch && task.told.status === task.status) &&
      (waits.get(task.id)?.until ?? 0) <= now
    );
  }

  async function tell(task: Task): Promise<void> {
    const { id, epoch, status, origin: { sweepPath, trial = 0 } } = task;
    await using sweep = await sweeps.open(sweepPath!);
    const left = task.attempts.find((one) => one.epoch === epoch)?.report?.proposal;
    const posts: Said[] = [answerPost(task, trial)];
    let proposal: ProposalState | undefined;
    if (left !== undefined && status === "succeeded") {
      const judged = "refused" in left ? left : judgeProposal(sweep.held, left.text, namesOf(task));
      if ("refused" in judged) {
        proposal = { state: "refused", why: judged.refused };
        posts.push(proposalPost(task, trial, judged));
      } else {
        const { changes, diff, notes } = judged;
        const names = changes.map(({ name }) => name);
        posts.push(proposalPost(task, trial, { diff, notes, names }));
        proposal = {
          state: "open",
          files: changes.map(({ name, before, after }) => (
            { name, before: digestOf(before), after: digestOf(after) }
          )),
        };
      }
    }
    await write(sweep, posts);
    // Another attempt may have begun while it was written; then this was the former one's answer.
    desk.told(id, { epoch, status, ...(proposal === undefined ? {} : { proposal }) });
    waits.delete(id);
  }

  async function write({ held }: SweepDoor, posts: readonly Said[]): Promise<void> {
    held.outside.refresh();
    // A crash may have come between this and the pool's own note of it.
    const known = new Set(held.outside.state().monitor.recent.map(({ key }) => key));
    const whats = posts.filter(({ key }) => !known.has(key)).map((said) => (
      { type: "said", said } as const
    ));
    if (whats.length > 0) await held.record(whats, "pool");
  }

  function failed({ id, epoch, status }: Task, error: unknown): void {
    if (error instanceof UserError) {
      const why = explain(error, "terminal").split("\n")[0] ?? "";
      log.write("warn", `Cannot tell the answer of ${id} in its sweep`, { error: why });
      return desk.told(id, { epoch, status, proposal: { state: "refused", why } });
    }
    const ms = Math.min(LONGEST_WAIT_MS, (waits.get(id)?.ms ?? FIRST_WAIT_MS / 2) * 2);
    waits.set(id, { until: clock.now() + ms, ms });
    log.write("warn", `Cannot tell the answer of ${id} now`, { error: explain(error, "log") });
  }

  return {
    async step() {
      for (const task of due()) {
        try {
          await tell(task);
        } catch (error) {
          failed(task, error);
        }
      }
    },
  };
}
