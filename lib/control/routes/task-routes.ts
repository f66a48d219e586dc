import { z } from "@hono/zod-openapi";
import type { Refusable } from "../../tasks/coordinator.ts";
import type { PoolDesk } from "../../tasks/pool-desk.ts";
import { listTasks, taskDocument } from "../../tasks/task-document.ts";
import { isOver, TASK_STATUSES } from "../../tasks/task.ts";
import type { Task } from "../../tasks/task.ts";
import { RequestError } from "../failure.ts";
import { PageQuery, whole } from "../request-parts.ts";
import { documentRoute, found, rawRoute } from "../route.ts";
import type { Route } from "../route.ts";
import type { Station } from "../station.ts";
import { untilChange } from "../until-change.ts";

const tag = "Pool";

const UseSchema = z.object({
  model: z.string(),
  input: z.number(),
  output: z.number(),
  cache_read: z.number(),
  cache_write: z.number(),
  usd: z.number().nullable(),
});

const FileSchema = z.object({ path: z.string(), bytes: z.number(), sha256: z.string() });

export const TaskSchema = z.object({
  task: z.string(),
  status: z.string().openapi({ enum: [...TASK_STATUSES] }),
  text: z.string(),
  model: z.string().nullable(),
  thinking: z.string().nullable(),
  worker_wish: z.string().nullable(),
  timeout_seconds: z.number().nullable(),
  priority: z.number(),
  sandbox: z.string().nullable(),
  key: z.string().nullable(),
  revision: z.number(),
  from: z.object({
    kind: z.string(),
    by: z.string(),
    name: z.string().nullable(),
    sweep: z.string().nullable(),
    trial: z.number().nullable(),
  }),
  created_at: z.number(),
  not_before: z.number(),
  ended_at: z.number().nullable(),
  why: z.string(),
  cancel_asked: z.boolean(),
  acknowledged: z.boolean(),
  epoch: z.number().openapi({ description: "Number of the newest attempt; 0 before the first" }),
  attempts: z.array(z.object({
    epoch: z.number(),
    worker: z.string(),
    model: z.string().nullable(),
    thinking: z.string().nullable(),
    assigned_at: z.number(),
    accepted_at: z.number().nullable(),
    ended_at: z.number().nullable(),
    end: z.string().nullable(),
    cause: z.string(),
    discarded: z.boolean(),
    folder: z.string().nullable(),
    files: z.array(FileSchema),
    files_left_out: z.number(),
    use: z.array(UseSchema),
  })),
  tokens: z.object({
    input: z.number(),
    output: z.number(),
    cache_read: z.number(),
    cache_write: z.number(),
  }),
  usd: z.number().nullable(),
  result: z.string().nullable(),
  data: z.array(z.string()).openapi({ description: "Files that it came with" }),
  proposal: z.object({
    epoch: z.number(),
    state: z.enum(["unread", "open", "applied", "dismissed", "refused"]),
    why: z.string().nullable(),
    by: z.string().nullable(),
    files: z.array(z.string()),
    backup: z.string().nullable(),
    diff: z.string().nullable(),
  }).nullable().openapi({ description: "The change that it proposes" }),
}).openapi("Task");

export const TaskParams = z.object({
  task: z.string().min(1).max(200).openapi({ description: "A task's id" }),
});
const Reason = z.strictObject({ reason: z.string().trim().max(500).optional() });

/** The pool of this daemon. Throws when it has none. */
export function poolOf(station: Station): PoolDesk {
  const pool = station.pool();
  if (pool !== undefined) return pool;
  throw new RequestError("not-found", "Cannot find the pool: this daemon runs none", {
    hint: "`herd pool setup` writes its configuration, `herd pool start` starts it",
  });
}

export function taskOf(pool: PoolDesk, id: string): Task {
  return found(pool.state().tasks.get(id), `task "${id.slice(0, 200)}"`);
}

/** What a door of the pool refuses is told as every refusal is. */
export function refuseUnless(answer: Refusable): void {
  if (!answer.done) throw new RequestError("refused", answer.reason);
}

/** What can be done to one task. */
const DEEDS: readonly {
  deed: string;
  summary: string;
  act(pool: PoolDesk, task: string, by: string, reason: string): Refusable;
}[] = [
  {
    deed: "cancel",
    summary: "Cancel a task; what runs is ended",
    act: (pool, task, by, reason) => pool.cancel(task, reason, by),
  },
  {
    deed: "retry",
    summary: "Offer a task that failed once more",
    act: (pool, task, by) => pool.retry(task, by),
  },
  {
    deed: "acknowledge",
    summary: "Say that a failure was seen: its files may go",
    act: (pool, task, by) => pool.acknowledge(task, by),
  },
];

export const TASK_ROUTES: readonly Route[] = [
  documentRoute({
    method: "post",
    path: "/v1/pool/tasks",
    tag,
    summary: "Submit a task",
    description: "`text` may hold tags such as `[model:coder]`; the fields beside it win. With a " +
      "`key`, a second submission is the first one's task.",
    body: z.strictObject({
      text: z.string().min(1).max(200_000),
      model: z.string().max(200).optional(),
      thinking: z.string().max(20).optional(),
      worker: z.string().max(100).optional(),
      timeout: z.string().max(40).optional(),
      priority: z.string().max(20).optional(),
      sandbox: z.string().max(20).optional(),
      key: z.string().max(200).optional(),
      name: z.string().max(100).optional(),
    }),
    status: 201,
    answer: z.object({ task: TaskSchema, is_new: z.boolean() }),
    failures: ["refused"],
    handle({ station, by, body: { text, name, timeout, ...tags } }) {
      const origin = { kind: by.startsWith("cli:") ? "cli" : "api", by, name } as const;
      const made = poolOf(station).submit(text, { ...tags, timeoutMs: timeout }, origin);
      if ("refused" in made) {
        throw new RequestError("bad-request", made.refused.join("; "), {
          facts: { refused: made.refused },
        });
      }
      return { task: taskDocument(made.task), is_new: made.isNew };
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/pool/tasks",
    tag,
    summary: "The tasks, newest first",
    query: z.object({
      ...PageQuery,
      status: z.string().optional().openapi({ description: "queued, failed, … by commas" }),
    }),
    answer: z.object({ total: z.number(), items: z.array(TaskSchema) }),
    handle({ station, query: { limit = 50, offset, status } }) {
      const statuses = status?.split(",").map((one) => one.trim());
      const wrong = statuses?.find((one) => !(TASK_STATUSES as readonly string[]).includes(one));
      if (wrong !== undefined) {
        throw new RequestError("bad-request", `Cannot list tasks of status "${wrong}"`, {
          hint: `Allowed are ${TASK_STATUSES.join(", ")}`,
        });
      }
      return listTasks(poolOf(station).state(), { statuses, limit, offset });
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/pool/tasks/{task}",
    tag,
    summary: "One task; with `wait`, as soon as it is over",
    params: TaskParams,
    query: z.object({
      wait: whole({ most: 60, description: "Seconds to wait for its end" }).optional(),
    }),
    answer: TaskSchema,
    async handle({ station, params, query: { wait = 0 }, context }) {
      const pool = poolOf(station);
      await untilChange(pool.onChange, () => isOver(taskOf(pool, params.task)), {
        ms: wait * 1000,
        signal: context.req.raw.signal,
      });
      return taskDocument(taskOf(pool, params.task));
    },
  }),
  ...DEEDS.map(({ deed, summary, act }) =>
    documentRoute({
      method: "post",
      path: `/v1/pool/tasks/{task}/${deed}`,
      tag,
      summary,
      params: TaskParams,
      body: Reason,
      answer: TaskSchema,
      failures: ["refused"],
      handle({ station, by, params: { task }, body: { reason = "" } }) {
        const pool = poolOf(station);
        taskOf(pool, task);
        refuseUnless(act(pool, task, by, reason));
        return taskDocument(taskOf(pool, task));
      },
    })
  ),
  rawRoute({
    method: "get",
    path: "/v1/pool/tasks/{task}/file",
    tag,
    summary: "A file that an attempt left",
    params: TaskParams,
    query: z.object({
      path: z.string().min(1).max(1000),
      epoch: whole({ least: 1, description: "Of which attempt; the newest when left out" })
        .optional(),
    }),
    media: "application/octet-stream",
    async respond({ station, params, query, context }) {
      const pool = poolOf(station);
      const { epoch } = taskOf(pool, params.task);
      const bytes = await pool.file(params.task, query.epoch ?? epoch, query.path);
      return context.body(
        found(bytes, `file "${query.path}" of task "${params.task}"`) as Uint8Array<ArrayBuffer>,
        200,
        { "Content-Type": "application/octet-stream" },
      );
    },
  }),
];
