import type { Found } from "../scheduler.ts";
import { answerOf, type Call } from "./call.ts";
import { sinceOption } from "./sacct.ts";

/**
 * Array ids of all jobs of this name. The queue has a new job at once, accounting
 * up to five seconds later; the queue forgets an ended one after MinJobAge, so
 * neither is enough alone. `ageMs` is how long ago the job may have been submitted.
 */
export async function findByName(
  call: Call,
  uid: number,
  jobName: string,
  ageMs: number,
): Promise<Found> {
  const [queue, accounting] = await Promise.all([
    call(["squeue", "-h", "-t", "all", "-u", `${uid}`, "-n", jobName, "-O", "ArrayJobID:|,Name:|"]),
    call([
      "sacct",
      "-X",
      "-n",
      "-P",
      "-u",
      `${uid}`,
      "-S",
      sinceOption(ageMs),
      `--name=${jobName}`,
      "-o",
      "JobID,JobName",
    ]),
  ]);
  const answers = { queue: answerOf(queue), accounting: answerOf(accounting) };
  const lines = [
    ...(queue.ok ? queue.stdout.split("\n").map((line) => line.replace(/\|$/, "")) : []),
    ...(accounting.ok ? accounting.stdout.split("\n") : []),
  ];
  const jobIds = lines.flatMap((line) => {
    const match = /^(\d+)[^|]*\|(.*)$/.exec(line);
    return match?.[2] === jobName ? [match[1]!] : [];
  });
  const silent = Object.entries(answers).flatMap(([view, answer]) =>
    answer.answered ? [] : [`${view}: ${answer.message}`]
  );
  const { queue: first, accounting: second } = answers;
  const conclusive = first.answered && (second.answered || second.reason === "absent");
  return { jobIds: [...new Set(jobIds)], conclusive, detail: silent.join("; ") };
}
