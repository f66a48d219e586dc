import { z } from "../base/schema.ts";
import { ATTEMPT_REPORT, ATTEMPT_USE, EPOCH, TASK_ID, TIME } from "./exchange-schema.ts";
import { attemptName } from "./task.ts";
import type { AttemptReport, AttemptUse } from "./task.ts";

/** An attempt that was begun here and whose last word is not settled. */
export interface KeptAttempt {
  task: string;
  epoch: number;
  startedAt: number;
  use: readonly AttemptUse[];
  /** Undefined when it was running as far as the journal goes. */
  report: AttemptReport | undefined;
}

/** What the lines of a worker's journal fold into. */
export interface Kept {
  /** Beginning of the latest life. */
  life: number;
  /** Highest attempt by task, in order of the last mention. */
  seen: Map<string, number>;
  /** By name of the attempt. */
  open: Map<string, KeptAttempt>;
  settled: Map<string, { task: string; epoch: number; report: AttemptReport }>;
}

const attempt = { task: TASK_ID, epoch: EPOCH };
const LINE = z.union([
  z.strictObject({ life: TIME }),
  z.strictObject({ seen: z.strictObject(attempt) }),
  z.strictObject({ begun: z.strictObject({ ...attempt, at: TIME }) }),
  z.strictObject({ used: z.strictObject({ ...attempt, use: z.array(ATTEMPT_USE) }) }),
  z.strictObject({ ended: z.strictObject({ ...attempt, report: ATTEMPT_REPORT }) }),
  z.strictObject({ settled: z.strictObject(attempt) }),
]);

export type JournalLine = z.input<typeof LINE>;

/** Marks beyond these are of tasks that ended long ago; their attempts are not offered again. */
const MARKS_KEPT = 20_000;
const WORDS_KEPT = 100;

export function emptyKept(): Kept {
  return { life: 0, seen: new Map(), open: new Map(), settled: new Map() };
}

/** Folds a journal's text; also how many of its lines are damaged and left out. */
export function readJournalLines(text: string): { kept: Kept; damaged: number } {
  const kept = emptyKept();
  let damaged = 0;
  for (const one of text.split("\n")) {
    if (one === "") continue;
    const line = readLine(one);
    if (line === undefined) damaged++;
    else takeLine(kept, line);
  }
  return { kept, damaged };
}

function readLine(text: string): JournalLine | undefined {
  try {
    return LINE.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function takeLine(kept: Kept, line: JournalLine): void {
  if ("life" in line) kept.life = Math.max(kept.life, line.life);
  else if ("seen" in line) mark(kept, line.seen);
  else if ("begun" in line) {
    const { task, epoch, at } = line.begun;
    mark(kept, line.begun);
    const name = attemptName(task, epoch);
    kept.open.set(name, { task, epoch, startedAt: at, use: [], report: undefined });
  } else if ("used" in line) {
    const { task, epoch, use } = line.used;
    const open = kept.open.get(attemptName(task, epoch));
    if (open !== undefined) open.use = use;
  } else if ("ended" in line) {
    const { task, epoch, report } = line.ended;
    mark(kept, line.ended);
    const { startedAt, use } = report;
    kept.open.set(attemptName(task, epoch), { task, epoch, startedAt, use, report });
  } else settle(kept, line.settled);
}

function settle(kept: Kept, { task, epoch }: { task: string; epoch: number }): void {
  const name = attemptName(task, epoch);
  const report = kept.open.get(name)?.report;
  kept.open.delete(name);
  if (report === undefined) return;
  kept.settled.set(name, { task, epoch, report });
  dropOldest(kept.settled, WORDS_KEPT);
}

function mark({ seen }: Kept, { task, epoch }: { task: string; epoch: number }): void {
  const highest = Math.max(epoch, seen.get(task) ?? 0);
  seen.delete(task);
  seen.set(task, highest);
  dropOldest(seen, MARKS_KEPT);
}

function dropOldest<T>(map: Map<string, T>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

/** The shortest lines that fold into the same. */
export function linesOf({ life, seen, open, settled }: Kept): JournalLine[] {
  return [
    { life },
    ...[...seen].map(([task, epoch]): JournalLine => ({ seen: { task, epoch } })),
    ...[...settled.values()].flatMap(({ task, epoch, report }): JournalLine[] => [
      { ended: { task, epoch, report: plain(report) } },
      { settled: { task, epoch } },
    ]),
    ...[...open.values()].flatMap(({ task, epoch, startedAt: at, use, report }): JournalLine[] => [
      { begun: { task, epoch, at } },
      { used: { task, epoch, use: [...use] } },
      ...(report === undefined ? [] : [{ ended: { task, epoch, report: plain(report) } }]),
    ]),
  ];
}

/** As the schema's own type, whose arrays may be changed. */
export function plain(report: AttemptReport): z.input<typeof ATTEMPT_REPORT> {
  return { ...report, use: [...report.use], files: [...report.files] };
}
