import type { JobRecord } from "./sighting.ts";

/**
 * One line that the batch script appends: time, job, restart count, event, its
 * fields, and a lone `.` that tells a whole line from a torn one.
 */
const LINE = /^(\d+[.,]?\d*)\t([^\t]*)\t(\d+)\t(start|sig|done|exit|void)((?:\t[^\t]*)*)\t\.$/;

/**
 * Folds what a job wrote about itself. The latest run wins: the start with the
 * highest restart count, and among equals the last one; lines of earlier runs
 * that arrive late are passed over, as are torn, mixed or unknown lines.
 *
 * `exitCode` comes as soon as the launcher has ended, `endedAt` only when the
 * script itself is over and nothing of the trial is left running.
 */
export function parseRecord(
  text: string,
  file: { submission: string; task: number; aliveAt: number },
): JobRecord {
  let record: JobRecord = { ...file, ...fresh(0) };
  // What follows the last line break is still being written.
  for (const line of text.split("\n").slice(0, -1)) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const at = Math.round(Number(match[1]!.replace(",", ".")) * 1000);
    const restart = Number(match[3]);
    if (restart < record.restart) continue;
    const fields = match[5]!.split("\t").slice(1);
    const of = { ...file, ...jobOf(match[2]!) };
    if (match[4] === "start") {
      record = { ...of, ...fresh(restart), startedAt: at, node: valueOf(fields, "host") };
    } else if (match[4] === "void") {
      record = { ...of, ...fresh(restart), voided: true, endedAt: at };
    } else if (restart === record.restart) {
      record = { ...record, ...during(record, match[4]!, fields, at) };
    }
  }
  return record;
}

/** `123_4`, as the scheduler named the task. */
function jobOf(name: string): { jobId?: string } {
  const jobId = /^(\d+)_\d+$/.exec(name)?.[1];
  return jobId === undefined ? {} : { jobId };
}

function fresh(restart: number): Omit<JobRecord, "submission" | "task" | "aliveAt"> {
  return {
    startedAt: undefined,
    restart,
    node: undefined,
    signals: [],
    exitCode: undefined,
    endedAt: undefined,
    voided: false,
  };
}

/** What a line within a run adds to it. */
function during(
  record: JobRecord,
  event: string,
  fields: readonly string[],
  at: number,
): Partial<JobRecord> {
  if (event === "sig") {
    const name = fields.length === 1 ? fields[0]! : "";
    return /^[A-Z0-9+-]+$/.test(name) ? { signals: [...record.signals, name] } : {};
  }
  // More fields than its own: two lines ran into one.
  const [, code, peak] = /^rc=(\d{1,3})(?:\tpeak=([1-9]\d{0,15}))?$/.exec(fields.join("\t")) ?? [];
  if (code === undefined || Number(code) > 255) return {};
  // What the launcher left running may take more than it did.
  const bytes = Math.max(record.peakBytes ?? 0, Number(peak ?? 0));
  const held = bytes === 0 ? {} : { peakBytes: bytes };
  if (event === "done") return { exitCode: Number(code), ...held };
  // Only the launcher's own end has a code: a shell that dies of a signal before it started
  // the launcher leaves "exit rc=0" (seen when a job is requeued within its first millisecond).
  return { endedAt: at, ...held };
}

function valueOf(fields: readonly string[], key: string): string | undefined {
  const field = fields.find((each) => each.startsWith(`${key}=`));
  const value = field?.slice(key.length + 1);
  return value === "" ? undefined : value;
}
