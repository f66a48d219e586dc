import { z } from "@hono/zod-openapi";
import { taskDocument } from "../../tasks/task-document.ts";
import type { TrialTasks } from "../../tasks/trial-tasks.ts";
import { RequestError } from "../failure.ts";
import { documentRoute, found } from "../route.ts";
import type { Route } from "../route.ts";
import type { Station } from "../station.ts";
import { poolOf, refuseUnless, taskOf, TaskParams, TaskSchema } from "./task-routes.ts";

const tag = "Pool";

const Decision = z.strictObject({
  epoch: z.int().min(1).optional().openapi({
    description: "Of the attempt whose proposal was seen; the newest when left out",
  }),
});

function trialTasksOf(station: Station): TrialTasks {
  poolOf(station);
  return found(station.trialTasks(), "the pool");
}

/** Where the pool meets the sweeps. */
export const TRIAL_TASK_ROUTES: readonly Route[] = [
  documentRoute({
    method: "post",
    path: "/v1/pool/trials",
    tag,
    summary: "Let an agent look at a trial",
    description:
      "The task gets the sweep's YAML, the launcher, the trial's facts, metrics and the " +
      "ends of its logs as files. The same question about the same run of the same trial is the " +
      "same task. Its answer is told in the sweep as well.",
    body: z.strictObject({
      sweep: z.string().min(1).max(4_096).openapi({
        description: "Its name in this daemon, or the absolute path of its folder or YAML",
      }),
      trial: z.int().min(0),
      text: z.string().max(20_000).optional().openapi({
        description: "What is asked; why it failed when left out",
      }),
      model: z.string().max(200).optional(),
      thinking: z.string().max(20).optional(),
      worker: z.string().max(100).optional(),
      timeout: z.string().max(40).optional(),
      priority: z.string().max(20).optional(),
      sandbox: z.string().max(20).optional(),
      name: z.string().max(100).optional(),
    }),
    status: 201,
    answer: z.object({ task: TaskSchema, is_new: z.boolean() }),
    failures: ["refused", "mistake", "unreadable"],
    async handle({ station, by, body: { sweep, trial, text, name, timeout, ...tags } }) {
      const kind = by.startsWith("cli:") ? "cli" : "api";
      const overrides = { ...tags, timeoutMs: timeout };
      const made = await trialTasksOf(station).ask({ sweep, trial, text, overrides }, {
        kind,
        by,
        name,
      });
      if ("refused" in made) {
        throw new RequestError("bad-request", made.refused.join("; "), {
          facts: { refused: made.refused },
        });
      }
      return { task: taskDocument(made.task), is_new: made.isNew };
    },
  }),
  ...(["apply", "dismiss"] as const).map((decision) =>
    documentRoute({
      method: "post",
      path: `/v1/pool/tasks/{task}/${decision}`,
      tag,
      summary: decision === "apply"
        ? "Apply the change that a task proposes, if the files are still as they were shown"
        : "Drop the change that a task proposes",
      params: TaskParams,
      body: Decision,
      answer: TaskSchema,
      failures: ["refused", "mistake", "unreadable"],
      async handle({ station, by, params: { task }, body: { epoch } }) {
        const pool = poolOf(station);
        taskOf(pool, task);
        refuseUnless(await trialTasksOf(station)[decision](task, by, epoch));
        return taskDocument(taskOf(pool, task));
      },
    })
  ),
];
