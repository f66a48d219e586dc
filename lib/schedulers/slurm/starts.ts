import type { Estimate, TaskRef } from "../scheduler.ts";
import { answerOf, type Call } from "./call.ts";
import { parseEpoch } from "./quantities.ts";

/**
 * Pending tasks with the backfill scheduler's guess of their start. As for a look:
 * `-r` because collapsed lists are cut, the text form because `--json` answers 0
 * with no jobs while the controller is down. The reason is last: it may hold the separator.
 */
export function startsArgv(uid: number): string[] {
  const fields = ["ArrayJobID", "ArrayTaskID", "StartTime", "Reason"];
  const format = fields.map((field) => `${field}:|`).join(",");
  return ["squeue", "-h", "-r", "-t", "PENDING", "-u", `${uid}`, "-O", format];
}

/** One call for all tasks. */
export async function estimateStarts(
  call: Call,
  uid: number,
  tasks: readonly TaskRef[],
): Promise<Estimate> {
  if (tasks.length === 0) return { answer: { answered: true }, tasks: [] };
  const ended = await call(startsArgv(uid));
  const answer = answerOf(ended);
  if (!answer.answered) return { answer, tasks: [] };
  const wanted = new Set(tasks.map(({ jobId, task }) => `${jobId}_${task}`));
  const told = parseStarts(ended.stdout);
  return { answer, tasks: told.filter(({ jobId, task }) => wanted.has(`${jobId}_${task}`)) };
}

const LINE = /^(\d+)\|(\d+)\|([^|]*)\|(.*)\|$/;

/** Lines that are no array task of this form are passed over. */
export function parseStarts(text: string): Estimate["tasks"] {
  return text.split("\n").flatMap((line) => {
    const match = LINE.exec(line);
    if (match === null) return [];
    const [jobId = "", task = "", start = "", reason = ""] = match.slice(1);
    return [{
      jobId,
      task: Number(task),
      reason: reason === "None" || reason === "" ? undefined : reason,
      startsAt: parseEpoch(start),
    }];
  });
}
