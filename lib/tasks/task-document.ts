import type { PoolState } from "./pool-state.ts";
import type { Attempt, AttemptUse, Task } from "./task.ts";

/** A task as JSON, in the API and with --json. Times are milliseconds since the epoch. */
export interface TaskDocument {
  task: string;
  status: string;
  text: string;
  model: string | null;
  thinking: string | null;
  worker_wish: string | null;
  timeout_seconds: number | null;
  priority: number;
  sandbox: string | null;
  key: string | null;
  revision: number;
  from: {
    kind: string;
    by: string;
    name: string | null;
    sweep: string | null;
    trial: number | null;
  };
  created_at: number;
  not_before: number;
  ended_at: number | null;
  why: string;
  cancel_asked: boolean;
  acknowledged: boolean;
  epoch: number;
  attempts: readonly AttemptDocument[];
  /** Of all attempts. */
  tokens: { input: number; output: number; cache_read: number; cache_write: number };
  /** Null when the price of a part is not known. */
  usd: number | null;
  /** The answer, as far as it fits; `result_file` has all. */
  result: string | null;
  /** Names of the files that it came with. */
  data: readonly string[];
  /** The change that the counted attempt proposes. */
  proposal: ProposalDocument | null;
}

export interface ProposalDocument {
  epoch: number;
  /** `unread` until the task's end was told in its sweep. */
  state: "unread" | "open" | "applied" | "dismissed" | "refused";
  /** Of one that is refused. */
  why: string | null;
  /** Who decided. */
  by: string | null;
  files: readonly string[];
  backup: string | null;
  /** As the agent left it; null when there is no text to show. */
  diff: string | null;
}

export interface AttemptDocument {
  epoch: number;
  worker: string;
  /** As they were resolved when it was assigned; null for attempts of before that was kept. */
  model: string | null;
  thinking: string | null;
  assigned_at: number;
  accepted_at: number | null;
  ended_at: number | null;
  end: string | null;
  cause: string;
  /** Its last word came too late and changed nothing. */
  discarded: boolean;
  folder: string | null;
  files: readonly { path: string; bytes: number; sha256: string }[];
  /** Files of its folder that are not in the list. */
  files_left_out: number;
  use: readonly UseDocument[];
}

export interface UseDocument {
  model: string;
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  usd: number | null;
}

export function taskDocument(task: Task): TaskDocument {
  const { wish, origin, attempts } = task;
  const uses = attempts.flatMap(({ use }) => use);
  const sum = (kind: "input" | "output" | "cacheRead" | "cacheWrite") =>
    uses.reduce((total, use) => total + use[kind], 0);
  const counted = attempts.findLast(({ report, discarded }) => report !== undefined && !discarded);
  return {
    task: task.id,
    status: task.status,
    text: wish.text,
    model: wish.model ?? null,
    thinking: wish.thinking ?? null,
    worker_wish: wish.worker ?? null,
    timeout_seconds: wish.timeoutMs === undefined ? null : wish.timeoutMs / 1000,
    priority: wish.priority,
    sandbox: wish.sandbox ?? null,
    key: wish.key ?? null,
    revision: task.revision,
    from: {
      kind: origin.kind,
      by: origin.by,
      name: origin.name ?? null,
      sweep: origin.sweep ?? null,
      trial: origin.trial ?? null,
    },
    created_at: task.createdAt,
    not_before: task.notBefore,
    ended_at: task.endedAt ?? null,
    why: task.why,
    cancel_asked: task.cancelAsked !== undefined,
    acknowledged: task.acknowledged,
    epoch: task.epoch,
    attempts: attempts.map(attemptDocument),
    tokens: {
      input: sum("input"),
      output: sum("output"),
      cache_read: sum("cacheRead"),
      cache_write: sum("cacheWrite"),
    },
    usd: uses.some(({ usd }) => usd === null)
      ? null
      : uses.reduce((total, { usd }) => total + (usd ?? 0), 0),
    result: counted?.report?.result ?? null,
    data: wish.data?.names ?? [],
    proposal: counted === undefined ? null : proposalDocument(task, counted),
  };
}

function proposalDocument(
  { told }: Pick<Task, "told">,
  { epoch, report }: Attempt,
): ProposalDocument | null {
  const left = report?.proposal;
  if (left === undefined) return null;
  const known = told?.epoch === epoch ? told.proposal : undefined;
  const bare = { epoch, why: null, by: null, files: [], backup: null };
  const diff = "text" in left ? left.text : null;
  if (known === undefined) return { ...bare, state: "unread", diff };
  if (known.state === "refused") return { ...bare, state: "refused", why: known.why, diff };
  return {
    ...bare,
    state: known.state,
    by: known.by ?? null,
    files: known.files.map(({ name }) => name),
    backup: known.backup ?? null,
    diff,
  };
}

function attemptDocument(attempt: Attempt): AttemptDocument {
  const { report } = attempt;
  return {
    epoch: attempt.epoch,
    worker: attempt.worker,
    model: attempt.as?.model ?? null,
    thinking: attempt.as?.thinking ?? null,
    assigned_at: attempt.assignedAt,
    accepted_at: attempt.acceptedAt ?? null,
    ended_at: attempt.endedAt ?? null,
    end: report?.end ?? (attempt.lost === undefined ? null : "lost"),
    cause: report?.cause ?? attempt.lost ?? "",
    discarded: attempt.discarded,
    folder: report?.folder ?? null,
    files: report?.files ?? [],
    files_left_out: report?.filesLeftOut ?? 0,
    use: attempt.use.map(useDocument),
  };
}

function useDocument({ cacheRead, cacheWrite, ...use }: AttemptUse): UseDocument {
  return { ...use, cache_read: cacheRead, cache_write: cacheWrite };
}

/** Newest first. */
export function listTasks(
  state: PoolState,
  { statuses, limit, offset = 0 }: {
    statuses?: readonly string[] | undefined;
    limit: number;
    offset?: number | undefined;
  },
): { total: number; items: readonly TaskDocument[] } {
  const all = [...state.tasks.values()]
    .filter(({ status }) => statuses === undefined || statuses.includes(status))
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return { total: all.length, items: all.slice(offset, offset + limit).map(taskDocument) };
}
